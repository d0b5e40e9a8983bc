"""Random small binary networks, for hypothesis: stacks of blocks with any quantizers, sizes, paddings and joins."""

from dataclasses import dataclass

from hypothesis import strategies as st
from matrix.family import Family, conv, norm, op, scales

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, KerasLayer, KerasModel, KerasTensor

layers = tf.keras.layers

INPUTS: dict[str, str | KerasFunction] = {
    "ste_sign": "ste_sign",
    "approx_sign": "approx_sign",
    "x > 0.25": lambda x: tf.where(x > 0.25, 1.0, -1.0),
    "x <= -0.5": lambda x: tf.where(x <= -0.5, 1.0, -1.0),
    "heaviside": lambda x: tf.cast(x >= 0.125, tf.float32),
    "ste_tern": "ste_tern",
    "dorefa 2": lambda x: larq.quantizers.DoReFa(2)(x),
    "learned ends": lambda x: tf.where(x >= 9.521842e-05, 1.0001072, -0.99991673),
}
KERNELS: dict[str, str | KerasFunction] = {
    "ste_sign": "ste_sign",
    "magnitude_aware_sign": "magnitude_aware_sign",
    "ste_tern": "ste_tern",
    "dorefa 1": lambda k: larq.quantizers.DoReFa(1, mode="weights")(k),
    "dorefa 2": lambda k: larq.quantizers.DoReFa(2, mode="weights")(k),
    "learned ends": lambda k: tf.where(k >= 2.7152896e-04, 1.0002717, -0.9997286),
    "{-0.25, 1} scaled": lambda k: tf.where(k > 0, 1.0, -0.25) * scales(k.shape[-1]),
}
# Signs most of the time: what is around them matters more than how they are written.
_inputs = st.one_of(st.just("ste_sign"), st.sampled_from(sorted(INPUTS)))
_kernels = st.one_of(st.just("ste_sign"), st.sampled_from(sorted(KERNELS)))
_LAYERS = ["norm", "relu", "relu6", "prelu", "max pool", "average pool", "bias", "hard tanh"]
# Each once: several batch norms of a channel that hardly varies would enlarge rounding a thousand times.
_after = st.lists(st.sampled_from(_LAYERS), max_size=3, unique=True)


@dataclass(frozen=True)
class Block:
    """A binary convolution, what stands after it, and how the result joins what went in.

    Attributes:
        depthwise: whether it is a depthwise one.
        filters: the channels of the output are a multiple of 8.
        size: height and width of the filter.
        padding: same-one, same-zero or valid; a map that is too small for valid is padded.
        quantizers: of input and kernel.
        after: layers, one after the other.
        join: add, concatenate or neither; what shapes forbid does not happen.
    """

    depthwise: bool
    filters: int
    size: tuple[int, int]
    stride: int
    dilation: int
    padding: str
    bias: bool
    quantizers: tuple[str, str]
    after: list[str]
    join: str

    def apply(self, x: KerasTensor) -> KerasTensor:
        """Puts the block after a tensor."""
        y = self._linear(x)(x)
        for name in self.after:
            y = _layer(name, y)(y)
        if self.join == "add" and y.shape == x.shape:
            return layers.Add()([x, y])
        if self.join == "concatenate" and y.shape[1:3] == x.shape[1:3]:
            return layers.Concatenate()([x, y])
        return y

    def _linear(self, x: KerasTensor) -> KerasLayer:
        extent = [(taps - 1) * self._dilation + 1 for taps in self.size]
        fits = all(size >= taps for size, taps in zip(x.shape[1:3], extent, strict=True))
        options = {
            "strides": self.stride,
            "dilation_rate": self._dilation,
            "padding": "valid" if self.padding == "valid" and fits else "same",
            "pad_values": 1.0 if self.padding == "same-one" else 0.0,
            "use_bias": self.bias,
            "input_quantizer": INPUTS[self.quantizers[0]],
        }
        kernel = KERNELS[self.quantizers[1]]
        if self.depthwise:
            return larq.layers.QuantDepthwiseConv2D(self.size, depthwise_quantizer=kernel, **options)
        # Every other shortcut would be impossible.
        filters = x.shape[-1] if self.join == "add" else self.filters
        return conv(filters, self.size, kernel_quantizer=kernel, **options)

    @property
    def _dilation(self) -> int:
        return self.dilation if self.stride == 1 else 1  # Keras has no layer of both


@dataclass(frozen=True)
class Network:
    """A whole network: an image, blocks, an end."""

    shape: tuple[int, int, int]
    blocks: list[Block]
    end: str

    def family(self) -> Family:
        """As one that the matrix could have."""
        return Family(str(self), self._build)

    def _build(self) -> KerasModel:
        x = image = layers.Input(self.shape)
        for block in self.blocks:
            x = block.apply(x)
        return tf.keras.Model(image, self._end(x))

    def _end(self, x: KerasTensor) -> KerasTensor:
        if self.end == "dense":
            signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
            return norm()(larq.layers.QuantDense(10, **signs)(layers.Flatten()(norm()(x))))
        if self.end == "softmax":
            return layers.Dense(10, "softmax")(layers.GlobalAveragePooling2D()(x))
        return x


def _layer(name: str, x: KerasTensor) -> KerasLayer:
    window = tuple(min(2, size) for size in x.shape[1:3])
    return {
        "norm": norm,
        "relu": layers.ReLU,
        "relu6": lambda: layers.ReLU(6.0),
        "prelu": lambda: layers.PReLU(shared_axes=[1, 2]),
        "max pool": lambda: layers.MaxPool2D(window),
        "average pool": lambda: layers.AveragePooling2D(window),
        "bias": lambda: op(lambda y: y + scales(y.shape[-1])),
        "hard tanh": lambda: op(larq.activations.hard_tanh),
    }[name]()


_blocks = st.builds(
    Block,
    depthwise=st.sampled_from([False, False, False, True]),
    filters=st.sampled_from([8, 32, 40]),
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.sampled_from([1, 1, 2]),
    dilation=st.sampled_from([1, 1, 2]),
    padding=st.sampled_from(["same-one", "same-zero", "valid"]),
    bias=st.booleans(),
    quantizers=st.tuples(_inputs, _kernels),
    after=_after,
    join=st.sampled_from(["", "add", "concatenate"]),
)
networks = st.builds(
    Network,
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 32, 40])),
    blocks=st.lists(_blocks, min_size=1, max_size=4),
    end=st.sampled_from(["", "dense", "softmax"]),
)
