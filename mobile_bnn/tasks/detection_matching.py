"""Which anchor is to find which object: the matching of SSD (Liu et al. 2016, section 2.2), in TensorFlow."""

import numpy as np

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.data.box_rows import CLASS, IGNORED
from mobile_bnn.tasks.anchors import CENTER_VARIANCE, SIZE_VARIANCE, Anchors
from mobile_bnn.typing import TfTensor

MATCHING_OVERLAP = 0.5
LEFT_OUT = -1  # the class of anchors that no loss counts
_SMALLEST = 1e-6


def matched_targets(targets: TfTensor, anchors: Anchors) -> tuple[TfTensor, TfTensor]:
    """What each anchor is to predict.

    An anchor belongs to the object that it overlaps most, if by half at least; and the best anchor of each object
    belongs to that object whatever the overlap (of two objects with the same best anchor, to the later one).

    Args:
        targets: padded rows (see `data.box_rows`), float32 [batch, rows, 6].
        anchors: of the network.

    Returns:
        Offsets and whether they count, float32 [batch, anchors, 5]; classes, int32 [batch, anchors]: 0 is the
        background, `LEFT_OUT` what belongs to an ignored object.
    """
    tf = keras2.tf
    owner = _owners(targets, anchors)
    rows = tf.gather(targets, tf.maximum(owner, 0), batch_dims=1)
    classes = tf.where(owner >= 0, tf.cast(rows[..., CLASS], tf.int32) + 1, 0)
    classes = tf.where((owner >= 0) & (rows[..., IGNORED] > 0), LEFT_OUT, classes)
    counts = tf.cast(classes > 0, tf.float32)[..., None]
    return tf.concat([_offsets(rows[..., :4], anchors) * counts, counts], -1), classes


def _owners(targets: TfTensor, anchors: Anchors) -> TfTensor:
    """The row that each anchor belongs to, int32 [batch, anchors]; -1 for none."""
    tf = keras2.tf
    overlaps = _overlaps(targets, tf.constant(anchors.boxes()))
    best = tf.argmax(overlaps, axis=1, output_type=tf.int32)
    owner = tf.where(tf.reduce_max(overlaps, axis=1) >= MATCHING_OVERLAP, best, -1)
    of_row = tf.one_hot(tf.argmax(overlaps, axis=2), anchors.count, on_value=True, off_value=False)
    of_row &= tf.reduce_max(overlaps, axis=2, keepdims=True) > 0
    numbers = tf.range(tf.shape(targets)[1])[None, :, None]
    forced = tf.reduce_max(tf.where(of_row, numbers, -1), axis=1)
    return tf.where(forced >= 0, forced, owner)


def _overlaps(targets: TfTensor, boxes: TfTensor) -> TfTensor:
    """Intersection over union of each row with each anchor, float32 [batch, rows, anchors]; -1 for padding."""
    tf = keras2.tf
    rows, all_boxes = targets[:, :, None, :4], boxes[None, None]
    sides = tf.minimum(rows[..., 2:], all_boxes[..., 2:]) - tf.maximum(rows[..., :2], all_boxes[..., :2])
    common = tf.reduce_prod(tf.maximum(sides, 0.0), axis=-1)
    union = _areas(rows) + _areas(all_boxes) - common
    return tf.where(targets[:, :, None, CLASS] >= 0, common / tf.maximum(union, _SMALLEST**2), -1.0)


def _areas(boxes: TfTensor) -> TfTensor:
    tf = keras2.tf
    return tf.reduce_prod(tf.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), axis=-1)


def _offsets(boxes: TfTensor, anchors: Anchors) -> TfTensor:
    """`anchors.encode`, in TensorFlow: float32 [batch, anchors, 4]."""
    tf = keras2.tf
    centers = anchors.centers().astype(np.float32)
    middle, sides = (boxes[..., :2] + boxes[..., 2:]) / 2, tf.maximum(boxes[..., 2:] - boxes[..., :2], _SMALLEST)
    moved = (middle - centers[:, :2]) / centers[:, 2:] / CENTER_VARIANCE
    return tf.concat([moved, tf.math.log(sides / centers[:, 2:]) / SIZE_VARIANCE], -1)
