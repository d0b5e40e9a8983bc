"""Reads image classification sets of TensorFlow Datasets (TFDS), which downloads and prepares them by itself."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import requests

from mobile_bnn.data.in_memory import InMemory, check_labels
from mobile_bnn.data.info import Augmentation, SetSpec, base_name
from mobile_bnn.data.pipeline import Source, Split
from mobile_bnn.data.read_errors import cause
from mobile_bnn.data.stream import Stream, decode
from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfDataset, TfdsBuilder

from mobile_bnn.data import tfds_objects  # isort: skip
import tensorflow_datasets as tfds  # isort: skip  # after TensorFlow was loaded with Keras 2

DEFAULT_SIZE = 224
MEMORY_LIMIT_BYTES = 1 << 30  # of one split's decoded images; larger ones are streamed from disk
SHUFFLE_BUFFER = 4096  # encoded images: about half a gigabyte of ImageNet
TEST_PERCENT = 10  # of the training images, where TFDS has neither a test nor a validation split
_PROBE_SECONDS = 5
_PROBED_HOSTS = 3
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def builders() -> list[str]:
    """The names of all sets that TFDS ships, of any kind."""
    return list(tfds.list_builders(with_community_datasets=False))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps TFDS's and urllib3's notices and retry warnings off the terminal; TFDS's progress bars, on stderr, stay."""
    loggers = [logging.getLogger(name) for name in ("absl", "urllib3")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _answers(url: str) -> bool:
    """Whether the host of `url` answers, be it with an error."""
    try:
        requests.head(url, timeout=_PROBE_SECONDS)
    except requests.RequestException:
        return False
    return True


def _check_reachable(builder: TfdsBuilder) -> None:
    """Raises MobileBnnError if none of the hosts answers: TFDS itself would retry for many minutes."""
    urls = {urlsplit(url).netloc: url for url in builder.url_infos or () if url.startswith("http")}
    probed = dict(list(urls.items())[:_PROBED_HOSTS])
    if probed and not any(_answers(url) for url in probed.values()):
        raise MobileBnnError(f"no answer from {', '.join(probed)}")


def _prepare(builder: TfdsBuilder, manual_dir: Path | None) -> None:
    """Downloads and prepares the set unless that was done before; TFDS moves it into place only when it is whole."""
    if builder.is_prepared():
        return
    if not builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        _check_reachable(builder)
    config = tfds.download.DownloadConfig(try_download_gcs=False, manual_dir=manual_dir)
    try:
        builder.download_and_prepare(download_config=config)
    except AssertionError as error:  # how TFDS says that files must be got by hand: several lines of instructions
        raise MobileBnnError(" ".join(str(error).split()), cure="--data-dir names another such folder") from error
    except Exception as error:  # downloads and parsers can raise anything
        for code in _DISK_ERRORS:
            if os.strerror(code) in str(error):
                raise _disk_error(builder, os.strerror(code)) from error
        raise MobileBnnError(cause(error)) from error


def _disk_error(builder: TfdsBuilder, why: str) -> MobileBnnError:
    place = Path(builder.data_dir).parent
    cure = "Make room there, or let the variable TFDS_DATA_DIR name a folder on another disk"
    return MobileBnnError(f"cannot prepare {builder.info.full_name} in {place}", why=why, cure=cure)


def _builder(name: str) -> TfdsBuilder:
    """TFDS's builder of a set, which reads what is there of it on the disk."""
    try:
        return tfds.builder(name)
    except (ValueError, AssertionError) as error:  # an unknown configuration, an unknown version
        raise UsageError(f"TensorFlow Datasets does not know {name}", why=first_line(error)) from error
    except Exception as error:  # a damaged record of the set can raise anything
        raise MobileBnnError(
            f"the record of {name} in {tfds.core.constants.DATA_DIR} is damaged",
            why=cause(error),
            cure=f"Remove {base_name(name)} from that folder to have it prepared again",
        ) from error


def _features(builder: TfdsBuilder, name: str) -> tuple[str, str]:
    """The names of the image and of its class label among the set's features."""
    keys, features = builder.info.supervised_keys, builder.info.features
    if keys is not None and len(keys) == 2 and all(isinstance(key, str) for key in keys):
        image, label = (features[key] for key in keys)
        is_image = isinstance(image, tfds.features.Image) and image.np_dtype == np.uint8 and image.shape[-1]
        if is_image and isinstance(label, tfds.features.ClassLabel):
            return keys[0], keys[1]
    raise UsageError(
        f"the data set {name} of TensorFlow Datasets is not for image classification",
        why="it does not pair 8-bit images with class labels",
        cure="Choose a set with an image and a label; sets with boxes are for --task detection",
    )


def _split_names(builder: TfdsBuilder) -> tuple[str, str | None, str]:
    """TFDS's expressions for training, validation (None if there is none) and test."""
    splits = builder.info.splits
    if "test" in splits:
        return "train", "validation" if "validation" in splits else None, "test"
    if (
        "validation" in splits
    ):  # ImageNet's test labels were never published: all accuracies are of its validation split
        return "train", None, "validation"
    return f"train[{TEST_PERCENT}%:]", None, f"train[:{TEST_PERCENT}%]"


def _in_memory(dataset: TfDataset, num_classes: int, where: str, augmentation: Augmentation) -> InMemory:
    batches = list(dataset.batch(1000).as_numpy_iterator())
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    check_labels(labels, num_classes, where)
    return InMemory(images, labels.astype(np.int64), augmentation)


def _read_split(
    builder: TfdsBuilder, split: str, keys: tuple[str, str], spec: SetSpec, image_size: int | None
) -> Split:
    image_key, label_key = keys
    features = builder.info.features
    height, width, channels = features[image_key].shape
    count = builder.info.splits[split].num_examples
    # A fixed order of files and records: shuffling is the pipeline's own, so that it can be repeated.
    read_config = tfds.ReadConfig(interleave_cycle_length=16)
    if height and width and count * height * width * channels <= MEMORY_LIMIT_BYTES:
        dataset = builder.as_dataset(split=split, shuffle_files=False, read_config=read_config)
        augmentation = spec.augmentation or Augmentation(pad=max(1, height // 8), flip=False)
        return _in_memory(
            dataset.map(lambda sample: (sample[image_key], sample[label_key])),
            features[label_key].num_classes,
            f"the split {split} of {builder.info.full_name}",
            augmentation,
        )
    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        read_config=read_config,
        decoders={image_key: tfds.decode.SkipDecoding()},  # decoded after shuffling: bytes are small
    )
    size = image_size or height or DEFAULT_SIZE
    return Stream(
        dataset.map(lambda sample: (sample[image_key], sample[label_key])),
        count,
        lambda encoded: decode(encoded, channels),
        (size, size, channels),
        shuffle_buffer=min(count, SHUFFLE_BUFFER),
    )


def read(name: str, spec: SetSpec, manual_dir: Path | None, image_size: int | None, kind: str = "classes") -> Source:
    """Reads a set by its TFDS name, downloading it first if that was not done before.

    Images of one size are held in memory, up to a gigabyte a split; others are streamed and cropped to `image_size`
    (224 if None). Where TFDS has no test split its validation split serves as one, else a tenth of the training images.

    Args:
        name: e.g. "svhn_cropped" or "imagenet_resized/32x32".
        spec: the set's conventions; without an augmentation, images of one size are shifted by up to an eighth.
        manual_dir: where archives that TFDS cannot download were put.
        image_size: height and width for images of varying size, in pixels.
        kind: of the targets: "classes", or "boxes" for sets such as voc and coco.

    Raises:
        UsageError: the set has no images with class labels or boxes, or no such configuration.
        MobileBnnError: it can be neither found nor downloaded, or what is on the disk is damaged.
    """
    with _quiet():
        builder = _builder(name)
        if kind == "classes":
            keys = _features(builder, name)
        else:
            tfds_objects.check(builder, kind, name)
        _prepare(builder, manual_dir)
        train, validation, test = _split_names(builder)
        try:
            if kind != "classes":
                return tfds_objects.source(builder, (train, validation, test), kind, name, image_size)
            return Source(
                _read_split(builder, train, keys, spec, image_size),
                _read_split(builder, validation, keys, spec, image_size) if validation else None,
                _read_split(builder, test, keys, spec, image_size),
                spec.labels or tuple(builder.info.features[keys[1]].names),
                f"TensorFlow Datasets, {builder.info.full_name}",
            )
        except (tf.errors.OpError, OSError) as error:
            raise MobileBnnError(
                f"the files in {builder.data_dir} are damaged",
                why=cause(error),
                cure="Remove that folder to have it prepared again",
            ) from error
