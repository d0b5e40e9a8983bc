"""Interactions between the channels of a binary convolution: one corrects another's counts.

Wang, Lu, Tao, Zhou, Tian: "Learning Channel-wise Interactions for Binary Convolutional Neural Networks", CVPR 2019,
section 3.
"""

from typing import Any

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Array, KerasModel, KerasTensor, Options, TfTensor


def interaction(counts: TfTensor, threshold: float, amount: float) -> TfTensor:
    """amount·(1{s ≥ threshold} − 1{s ≤ −threshold}): odd, and 0 for counts near 0."""
    return amount * (tf.cast(counts >= threshold, counts.dtype) - tf.cast(counts <= -threshold, counts.dtype))


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class ChannelInteractions(tf.keras.layers.Layer):  # type: ignore[misc]
    """s + e ⊙ `interaction` of each channel's source, backward the identity: [n, h, w, c] of the same.

    Which channel is a channel's source, and e, 1, −1 or 0 for none, are variables that no optimizer trains; there are
    none at the start (see `connect`).

    Args:
        threshold, amount: of `interaction`.
    """

    def __init__(self, threshold: float = 200.0, amount: float = 100.0, **options: object) -> None:
        super().__init__(**options)
        self._options = {"threshold": threshold, "amount": amount}

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        fixed: dict[str, Any] = {"shape": (input_shape[-1],), "trainable": False, "initializer": "zeros"}
        self.source = self.add_weight(name="source", dtype=tf.int32, **fixed)
        self.effect = self.add_weight(name="effect", **fixed)
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        sent = interaction(inputs, self._options["threshold"], self._options["amount"])
        return inputs + tf.stop_gradient(self.effect * tf.gather(sent, self.source, axis=-1))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), **self._options}


def strongest_edges(correlation: TfTensor, most: int, least: float) -> tuple[TfTensor, TfTensor]:
    """The source of each channel, int32 [c], and its effect, float32 [c]: the sign of their correlation, or 0.

    A channel's source is the other one that it is correlated with most, either way; of these edges the `most`
    strongest stay, if their correlation is at least `least`.

    Args:
        correlation: float32 [c, c].
    """
    others = correlation * (1.0 - tf.eye(correlation.shape[0]))
    source = tf.argmax(tf.abs(others), axis=1, output_type=tf.int32)
    strength = tf.gather(others, source, batch_dims=1)
    rank = tf.argsort(tf.argsort(tf.abs(strength), direction="DESCENDING", stable=True), stable=True)
    kept = (rank < most) & (tf.abs(strength) >= least)
    return source, tf.where(kept, tf.sign(strength), 0.0)


def correlation_of(counts: TfTensor) -> TfTensor:
    """Pearson's between the channels of a map over images and places: float32 [c, c]; 0 for a constant channel."""
    flat = tf.reshape(counts, (-1, counts.shape[-1]))
    centred = flat - tf.reduce_mean(flat, axis=0)
    norm = tf.norm(centred, axis=0)
    unit = tf.math.divide_no_nan(centred, norm)
    return tf.linalg.matmul(unit, unit, transpose_a=True)


def connect(model: KerasModel, images: KerasTensor | Array, most: int, least: float) -> None:
    """Gives every `ChannelInteractions` of a model the `strongest_edges` of the counts that the images give it."""
    layers = [layer for layer in model.layers if isinstance(layer, ChannelInteractions)]
    if not layers:
        return
    watched = tf.keras.Model(model.inputs, {layer.name: layer.input for layer in layers})
    for layer, counts in ((layer, watched(images, training=False)[layer.name]) for layer in layers):
        source, effect = strongest_edges(correlation_of(tf.cast(counts, tf.float32)), most, least)
        layer.source.assign(source)
        layer.effect.assign(effect)
