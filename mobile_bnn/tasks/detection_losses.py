"""The losses of SSD (Liu et al. 2016, section 2.2, equations 1 to 3), of each image.

An image's losses are divided by the number of its anchors that have an object, where there is one.
"""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.typing import KerasLoss, TfTensor


def boxes_loss(targets: TfTensor, offsets: TfTensor) -> TfTensor:
    """Smooth L1 of the offsets of anchors with an object.

    Args:
        targets: offsets and whether they count, float32 [batch, anchors, 5].
        offsets: predicted, float32 [batch, anchors, 4].

    Returns:
        float32 [batch].
    """
    tf = keras2.tf
    counts = targets[..., 4]
    apart = tf.abs(targets[..., :4] - offsets)
    smooth = tf.where(apart < 1, 0.5 * apart**2, apart - 0.5)
    total = tf.reduce_sum(tf.reduce_sum(smooth, -1) * counts, -1)
    return total / tf.maximum(tf.reduce_sum(counts, -1), 1.0)


def scores_loss(negatives: float) -> KerasLoss:
    """Cross-entropy of anchors with an object, and of the background anchors that are most wrong.

    Args:
        negatives: background anchors for each anchor with an object ("hard negative mining"); an image without any
            object has as many as one with one anchor.

    Returns:
        A function of classes int [batch, anchors], where -1 does not count, and probabilities float32
        [batch, anchors, classes + 1], to float32 [batch].
    """

    def loss(targets: TfTensor, probabilities: TfTensor) -> TfTensor:
        tf = keras2.tf
        classes = tf.cast(targets, tf.int32)
        entropy = tf.keras.backend.sparse_categorical_crossentropy(tf.maximum(classes, 0), probabilities)
        positive, background = classes > 0, classes == 0
        count = tf.reduce_sum(tf.cast(positive, tf.float32), -1)
        chosen = _hardest(tf.stop_gradient(entropy), background, negatives * tf.maximum(count, 1.0))
        counted = tf.cast(positive | chosen, tf.float32)
        return tf.reduce_sum(entropy * counted, -1) / tf.maximum(count, 1.0)

    loss.__name__ = "scores_loss"
    return loss


def _hardest(entropy: TfTensor, background: TfTensor, count: TfTensor) -> TfTensor:
    """Which background anchors are among the `count` [batch] with the largest loss: bool [batch, anchors]."""
    tf = keras2.tf
    values = tf.where(background, entropy, -1.0)
    order = tf.argsort(values, direction="DESCENDING", stable=True)
    rank = tf.argsort(order, stable=True)
    return background & (tf.cast(rank, tf.float32) < count[:, None])


def class_accuracy(targets: TfTensor, probabilities: TfTensor) -> TfTensor:
    """The share of an image's anchors with an object that have its class, float32 [batch]; 1 where there are none."""
    tf = keras2.tf
    classes = tf.cast(targets, tf.int32)
    positive = tf.cast(classes > 0, tf.float32)
    right = tf.cast(tf.argmax(probabilities, -1, output_type=tf.int32) == classes, tf.float32) * positive
    count = tf.reduce_sum(positive, -1)
    return tf.where(count > 0, tf.reduce_sum(right, -1) / tf.maximum(count, 1.0), 1.0)
