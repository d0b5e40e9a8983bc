"""`load`: finds a data set by name and makes it ready for training."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from mobile_bnn.data import cifar, digits, idx, image_folder, synthetic_scenes
from mobile_bnn.data.augment import IMAGES_ALONE, Augment
from mobile_bnn.data.folder_names import absolute, user_path
from mobile_bnn.data.info import FOLDER_PREFIX, NAMES, OTHERS, SPECS, DatasetInfo, SetSpec, base_name
from mobile_bnn.data.memory import check_batch
from mobile_bnn.data.pipeline import Dataset, Source
from mobile_bnn.data.readers import READERS
from mobile_bnn.data.target_kinds import check_kind, is_annotated_folder, read_annotated_folder
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.names import unknown

DATA_DIR_VARIABLE = "MBNN_DATA_DIR"
VALIDATION_FRACTION = 1 / 12  # 5,000 of MNIST's 60,000
_MOST_IMAGES = 2**31 - 1
_LOCAL_FILES = {"mnist": idx.FILES, "fashion_mnist": idx.FILES, "cifar10": cifar.FILES}


def _local_folder(data_dir: Path | str | None) -> Path | None:
    """The folder of local copies: the argument, else the environment variable, else None."""
    given = data_dir or os.environ.get(DATA_DIR_VARIABLE)
    folder = user_path(str(given or ""))
    if folder is None:
        return None
    if not folder.is_dir():
        origin = "the data directory" if data_dir else f"the data directory of the variable {DATA_DIR_VARIABLE}"
        raise UsageError(f"{origin}, {folder}, is not a folder")
    return folder


def _from_tfds(name: str, folder: Path | None, image_size: int | None, kind: str) -> Source:
    from mobile_bnn.data import tfds_source  # loads TFDS, which local copies do not need

    builders = tfds_source.builders()
    base = base_name(name)
    if base not in builders:
        raise unknown("data set", name, sorted({*NAMES, *READERS.names(), *builders}), f"{', '.join(NAMES)}, {OTHERS}")
    try:
        return tfds_source.read(name, SPECS.get(base, SetSpec()), folder, image_size, kind)
    except UsageError:
        raise
    except MobileBnnError as error:
        files = _LOCAL_FILES.get(name)
        if files is None:
            raise MobileBnnError(f"cannot load {name} from TensorFlow Datasets", why=str(error)) from error
        local = f"no local copy was named ({files})" if folder is None else f"{folder} holds no {files}"
        raise MobileBnnError(
            f"cannot load {name}",
            why=f"(1) {local}; (2) TensorFlow Datasets: {error}",
            cure=f"Put those files into a folder and name it: --data-dir FOLDER, or {DATA_DIR_VARIABLE}=FOLDER",
        ) from error


def _read(
    name: str, data_dir: Path | str | None, seed: int, fraction: float | None, image_size: int | None, kind: str
) -> Source:
    if synthetic_scenes.is_name(name):
        items = partial(_read, "fashion_mnist", data_dir, seed, fraction, None, "classes")
        return synthetic_scenes.read(name, items, kind, image_size)
    if is_annotated_folder(name):
        return read_annotated_folder(name, kind, image_size, seed)
    check_kind(name, kind)
    if name == "digits":
        return digits.read(seed, fraction)
    if name in READERS.names():
        return READERS.get(name)(seed, fraction, image_size)
    if name.startswith(FOLDER_PREFIX):
        if image_size is not None:
            check_batch(1, (image_size, image_size, 3))  # before all images are read in vain
        return image_folder.read(Path(name.removeprefix(FOLDER_PREFIX)), image_size, seed)
    folder = _local_folder(data_dir)
    local = None
    if folder and name in idx.FOLDERS:
        local = idx.read(name, folder)
    elif folder and name == "cifar10":
        local = cifar.read(folder)
    return local or _from_tfds(name, folder, image_size, kind)


def _with_validation(source: Source, fraction: float, seed: int) -> Source:
    count = round(source.train.size * fraction)
    if source.validation is not None or count == 0:
        return source
    if count >= source.train.size:
        raise UsageError(f"validation_fraction {fraction} leaves none of {source.train.size} images to train with")
    train, validation = source.train.hold_out(count, seed)
    return replace(source, train=train, validation=validation)


def _check_arguments(batch_size: int, seed: int, fraction: float | None, image_size: int | None) -> None:
    if batch_size < 1:
        raise UsageError(f"batch_size {batch_size} is not at least 1")
    if batch_size > _MOST_IMAGES:
        raise UsageError(f"batch_size {batch_size} is more than any data set has")
    if not 0 <= seed < 2**32:
        raise UsageError(f"seed {seed} is not in 0 to 2³² − 1")
    if fraction is not None and not 0 <= fraction < 1:
        raise UsageError(f"validation_fraction {fraction} is not at least 0 and below 1")
    if image_size is not None and image_size < 1:
        raise UsageError(f"image_size {image_size} is not at least 1")


def _check_size(name: str, shape: tuple[int, int, int], image_size: int | None) -> None:
    height, width, _ = shape
    if image_size is None or (height, width) == (image_size, image_size):
        return
    own = f", or give the images' own: --set image_size={height}" if height == width else ""
    raise UsageError(
        f"image_size {image_size} does not fit {name}, whose images are all {height} × {width}",
        cure=f"Leave image_size out, which is for images of varying size{own}",
    )


def load(
    name: str,
    *,
    data_dir: Path | str | None = None,
    batch_size: int = 64,
    seed: int = 0,
    validation_fraction: float | None = None,
    image_size: int | None = None,
    augment: bool = True,
    changes: Augment = IMAGES_ALONE,
    near: Path | str | None = None,
) -> Dataset:
    """Loads a data set by name.

    mnist, fashion_mnist and cifar10 are read from `data_dir` if it holds their files, and else, like every other name
    but digits and image folders, come from TensorFlow Datasets. Files directly in `data_dir` are taken for the set that
    was asked for: MNIST's and Fashion-MNIST's have the same names.

    Args:
        name: "digits" (embedded), "mnist", "fashion_mnist", "cifar10", "image_folder:PATH", or an image classification
            set of TensorFlow Datasets. For tasks whose `changes` ask for boxes or masks: "synthetic_scenes" (composed
            here from Fashion-MNIST), "voc_folder:PATH", "coco_folder:PATH", or a set of TensorFlow Datasets with boxes.
        data_dir: a folder with the official archives or extracted files; the environment variable MBNN_DATA_DIR
            stands in for it. For sets that TensorFlow Datasets cannot download, where their archives are.
        batch_size: images in a batch.
        seed: of the training order, the augmentation and the choice of validation images.
        validation_fraction: of the training images held out where the set has no validation split of its own; None
            means 1/12 (digits: 180 images), 0 none.
        image_size: height and width in pixels, for images of varying size (default: image folders 96, others 224).
        augment: whether training images are augmented as is usual for the set.
        changes: how crops and flips change targets along with their images, and which kind of targets; by default one
            label for each image, which stays.
        near: the run folder that the name comes from: a relative image folder is looked for in the current folder,
            then there and in the folders above it.

    Raises:
        UsageError: an unknown name, an argument out of range, a folder that is missing or laid out wrongly, batches
            that do not fit into memory.
        MobileBnnError: a local copy is damaged or incomplete, or there is none and it cannot be downloaded.
    """
    _check_arguments(batch_size, seed, validation_fraction, image_size)
    name = absolute(name, near)
    source = _read(name, data_dir, seed, validation_fraction, image_size, changes.targets)
    _check_size(name, source.train.input_shape, image_size)
    if name != "digits":  # which holds out by class
        fraction = VALIDATION_FRACTION if validation_fraction is None else validation_fraction
        source = _with_validation(source, fraction, seed)
    train = source.train.changed_by(changes, random=augment)
    validation = source.validation and source.validation.changed_by(changes, random=True)
    test = source.test.changed_by(changes, random=True)
    shape = train.input_shape
    check_batch(min(batch_size, max(train.size, test.size)), shape)
    spec = SPECS.get(base_name(name), SetSpec())
    per_channel = shape[2] if len(spec.mean) == 1 else 1
    info = DatasetInfo(
        name=name,
        input_shape=shape,
        labels=source.labels,
        mean=spec.mean * per_channel,
        std=spec.std * per_channel,
        train_size=train.size,
        validation_size=validation.size if validation else 0,
        test_size=test.size,
        augmentation=train.random_changes,
        origin=source.origin,
    )
    return Dataset(info, batch_size, seed, replace(source, train=train, validation=validation, test=test))
