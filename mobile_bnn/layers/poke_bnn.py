"""PokeBNN's activation, its gate's sigmoid, and how it fits a shortcut to more or fewer channels.

Zhang, Zhang, Lew: "PokeBNN: A Binary Pursuit of Lightweight Accuracy", CVPR 2022, sections 3.1 to 3.3.
"""

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


@_REGISTER
class DPReLU(tf.keras.layers.Layer):  # type: ignore[misc]
    """p⁺·max(x − a, 0) + p⁻·min(x − a, 0) − b with p⁺, p⁻, a and b of each channel: 1, 0.25, 0 and 0 at the start."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        channels, low = (input_shape[-1],), tf.keras.initializers.Constant(0.25)
        self._before = self.add_weight(name="before", shape=channels, initializer="zeros")
        self._after = self.add_weight(name="after", shape=channels, initializer="zeros")
        self._above = self.add_weight(name="above", shape=channels, initializer="ones")
        self._below = self.add_weight(name="below", shape=channels, initializer=low)
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        shifted = inputs - self._before
        return self._above * tf.nn.relu(shifted) - self._below * tf.nn.relu(-shifted) - self._after


@_REGISTER
class HardSigmoid(tf.keras.layers.Layer):  # type: ignore[misc]
    """clip(x + 3, 0, 6)/6; Keras's function of this name has another slope."""

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return tf.nn.relu6(inputs + 3.0) * (1.0 / 6.0)


@_REGISTER
class FitChannels(tf.keras.layers.Layer):  # type: ignore[misc]
    """As many channels as another map has: [N, H, W, C] to [N, H, W, channels].

    More than needed are averaged, ⌈C/channels⌉ consecutive ones each; where that is not a whole number, what lacks at
    the end counts as 0. The paper's widths divide one another; those of other multipliers need not.

    Args:
        channels: of the other map.
        repeated: whether channels that lack are copies from the first on; else they are 0.
    """

    def __init__(self, channels: int, repeated: bool = False, **options: object) -> None:
        super().__init__(**options)
        self._channels, self._repeated = channels, repeated

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        own, wanted = inputs.shape[-1], self._channels
        if own > wanted:
            each = -(-own // wanted)
            return tf.reduce_mean(tf.reshape(_filled(inputs, each * wanted), (*_sizes(inputs), wanted, each)), -1)
        if not self._repeated:
            return _filled(inputs, wanted)
        copies = [inputs] * (wanted // own) + ([inputs[..., : wanted % own]] if wanted % own else [])
        return tf.concat(copies, -1)

    def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Keras's hook."""
        return (*input_shape[:-1], self._channels)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "channels": self._channels, "repeated": self._repeated}


def _filled(x: TfTensor, channels: int) -> TfTensor:
    lacking = channels - x.shape[-1]
    return tf.pad(x, [[0, 0]] * 3 + [[0, lacking]]) if lacking else x


def _sizes(x: TfTensor) -> list[TfTensor]:
    """Batch, height and width, as numbers where they are known: at most one of them may stay open."""
    known, dynamic = x.shape[:3].as_list(), tf.shape(x)
    open_sizes = known.count(None)
    return [-1 if n is None and open_sizes == 1 else dynamic[i] if n is None else n for i, n in enumerate(known)]
