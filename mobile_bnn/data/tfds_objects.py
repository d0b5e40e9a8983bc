"""Reads sets of TensorFlow Datasets whose images hold several objects with boxes, such as voc and coco."""

from dataclasses import dataclass

from mobile_bnn.data.annotated_images import MOST_OBJECTS
from mobile_bnn.data.box_rows import COLUMNS, PADDING
from mobile_bnn.data.pipeline import Source
from mobile_bnn.data.stream import Stream, decode
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfdsBuilder, TfTensor

import tensorflow_datasets as tfds  # isort: skip  # after TensorFlow was loaded with Keras 2

DEFAULT_SIZE = 300  # SSD's
SHUFFLE_BUFFER = 4096  # encoded images
_FLAGS = ("is_crowd", "is_difficult")  # of objects that count neither as found nor as missed


@dataclass(frozen=True)
class _Keys:
    """Where in a sample its image and its objects are, and which of the objects' features is such a flag."""

    image: str
    objects: str
    flag: str | None


def source(
    builder: TfdsBuilder, splits: tuple[str, str | None, str], kind: str, name: str, image_size: int | None
) -> Source:
    """The splits of a prepared set as streams, whose targets are rows of boxes.

    Args:
        builder: of the set.
        splits: TFDS's names of training, validation (None if there is none) and test.
        kind: of the targets.
        name: for messages.
        image_size: height and width of what is delivered, in pixels; 300 if None.

    Raises:
        UsageError: the set's samples are not images with boxes and classes.
    """
    keys = check(builder, kind, name)
    side = image_size or DEFAULT_SIZE
    train, validation, test = (part and _stream(builder, part, keys, side) for part in splits)
    assert isinstance(train, Stream)
    assert isinstance(test, Stream)
    labels = tuple(builder.info.features[keys.objects]["label"].names)
    return Source(train, validation or None, test, labels, f"TensorFlow Datasets, {builder.info.full_name}")


def check(builder: TfdsBuilder, kind: str, name: str) -> _Keys:
    """Where the parts of a sample are; before anything is downloaded.

    Raises:
        UsageError: see `source`.
    """
    if kind != "boxes":
        raise UsageError(
            f"the data set {name} of TensorFlow Datasets has no label maps that can be read",
            cure="Take voc_folder:PATH or coco_folder:PATH, or train with --task detection",
        )
    features = builder.info.features
    images = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    for key, feature in features.items():
        if not isinstance(feature, tfds.features.Sequence) or not hasattr(feature.feature, "items"):
            continue
        inner = dict(feature.feature.items())
        boxes, label = inner.get("bbox"), inner.get("label")
        if images and isinstance(boxes, tfds.features.BBoxFeature) and isinstance(label, tfds.features.ClassLabel):
            return _Keys(images[0], key, next((flag for flag in _FLAGS if flag in inner), None))
    raise UsageError(
        f"the data set {name} of TensorFlow Datasets is not for detection",
        why="its samples do not pair an image with boxes and their classes",
        cure="Choose a set such as voc or coco/2017",
    )


def _stream(builder: TfdsBuilder, split: str, keys: _Keys, side: int) -> Stream:
    count = builder.info.splits[split].num_examples
    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        read_config=tfds.ReadConfig(interleave_cycle_length=16),
        decoders={keys.image: tfds.decode.SkipDecoding()},  # decoded after shuffling: bytes are small
    )

    def element(sample: dict[str, TfTensor]) -> tuple[TfTensor, TfTensor]:
        return sample[keys.image], _rows(sample[keys.objects], keys.flag)

    channels = builder.info.features[keys.image].shape[-1] or 3
    shape, buffer = (side, side, channels), min(count, SHUFFLE_BUFFER)
    return Stream(dataset.map(element), count, lambda encoded: decode(encoded, channels), shape, buffer)


def _rows(objects: dict[str, TfTensor], flag: str | None) -> TfTensor:
    """TFDS's boxes have our order and unit. float32 [MOST_OBJECTS, 6]."""
    boxes, labels = objects["bbox"][:MOST_OBJECTS], tf.cast(objects["label"][:MOST_OBJECTS], tf.float32)
    ignored = tf.cast(objects[flag][:MOST_OBJECTS], tf.float32) if flag else tf.zeros_like(labels)
    rows = tf.concat([boxes, labels[:, None], ignored[:, None]], 1)
    padding = tf.constant([[0.0, 0.0, 0.0, 0.0, PADDING, 0.0]])
    rows = tf.concat([rows, tf.repeat(padding, MOST_OBJECTS - tf.shape(rows)[0], axis=0)], 0)
    return tf.ensure_shape(rows, (MOST_OBJECTS, COLUMNS))
