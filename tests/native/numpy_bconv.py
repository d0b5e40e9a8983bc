"""A binary convolution in NumPy, by its definition: the oracle where LCE itself is wrong."""

import numpy as np
from single_operator import TensorSpec, single_operator

ACTIVATIONS = ((-np.inf, np.inf), (0, np.inf), (-1, 1), (0, 6))  # in the order of LCE's fused_activation_function


def pack(signs: np.ndarray) -> np.ndarray:
    """Signs (-1 is True) [..., channels] to words [..., ceil(channels / 32)]; bits past the last channel are 0."""
    padding = -signs.shape[-1] % 32
    padded = np.pad(signs, [(0, 0)] * (signs.ndim - 1) + [(0, padding)])
    return np.packbits(padded, axis=-1, bitorder="little").view(np.int32)


class BconvCase:
    """One random binary convolution: its model file, its input, and what it must give."""

    def __init__(
        self,
        seed: int,
        *,
        batch: int = 1,
        size: tuple[int, int] = (5, 5),
        filter_size: tuple[int, int] = (3, 3),
        channels: int = 32,
        outputs: int = 32,
        groups: int = 1,
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "same_one",
        activation: int = 0,
        output: str = "float",
    ) -> None:
        generator = np.random.default_rng(seed)
        self.padding, self.activation, self.output = padding, activation, output
        self.stride, self.dilation, self.groups = stride, dilation, groups
        self.filter = generator.random((outputs, *filter_size, channels // groups)) < 0.5
        bits = self.filter[0].size
        self.multiplier = (generator.normal(size=outputs) / np.sqrt(bits)).astype(np.float32)
        self.bias = generator.normal(size=outputs).astype(np.float32)
        self.threshold = generator.integers(bits // 2 - 9, bits // 2 + 9, outputs).astype(np.int32)
        self.scale, self.zero_point = 0.03, -7
        # Last, so that a seed gives the same weights for every size of the image.
        self.signs = generator.random((batch, *size, channels)) < 0.5
        self.input = pack(self.signs)

    def extent(self, axis: int) -> tuple[int, int]:
        """Output size and padding before, by TFLite's rule."""
        size, taps = self.signs.shape[1 + axis], self.filter.shape[1 + axis]
        extent = (taps - 1) * self.dilation[axis] + 1
        if self.padding == "valid":
            return (size - extent) // self.stride[axis] + 1, 0
        output = -(-size // self.stride[axis])
        return output, max((output - 1) * self.stride[axis] + extent - size, 0) // 2

    def options(self, **changed: object) -> dict[str, object]:
        return {
            "channels_in": self.signs.shape[-1],
            "dilation_height_factor": self.dilation[0],
            "dilation_width_factor": self.dilation[1],
            "fused_activation_function": self.activation,
            "pad_values": int(self.padding == "same_one"),
            "padding": int(self.padding == "valid"),
            "stride_height": self.stride[0],
            "stride_width": self.stride[1],
            **changed,
        }

    def inputs(self) -> list[TensorSpec | None]:
        filter_words = TensorSpec.constant(pack(self.filter))
        image = TensorSpec(self.input.shape, np.int32)
        if self.output == "bits":
            return [image, filter_words, None, None, TensorSpec.constant(self.threshold)]
        return [image, filter_words, TensorSpec.constant(self.multiplier), TensorSpec.constant(self.bias), None]

    def output_spec(self) -> TensorSpec:
        outputs = self.filter.shape[0]
        shape = [self.signs.shape[0], self.extent(0)[0], self.extent(1)[0]]
        if self.output == "bits":
            return TensorSpec([*shape, -(-outputs // 32)], np.int32)
        if self.output == "int8":
            return TensorSpec([*shape, outputs], np.int8, scale=self.scale, zero_point=self.zero_point)
        return TensorSpec([*shape, outputs])

    def model(self, **changed: object) -> bytes:
        return single_operator("LceBconv2d", self.inputs(), self.output_spec(), self.options(**changed))

    def dot_products(self) -> np.ndarray:
        """The convolution of -1 and 1 [batch, y, x, output channel], int32; a 0 pixel outside adds nothing."""
        outside = 1 if self.padding == "same_one" else 0
        values = np.where(self.signs, -1, 1)
        weights = np.where(self.filter, -1, 1)
        (height, top), (width, left) = self.extent(0), self.extent(1)
        result = np.zeros((values.shape[0], height, width, weights.shape[0]), np.int32)
        per_group = weights.shape[0] // self.groups
        depth = weights.shape[-1]
        for y, x, v, u in np.ndindex(height, width, *weights.shape[1:3]):
            row = y * self.stride[0] - top + v * self.dilation[0]
            column = x * self.stride[1] - left + u * self.dilation[1]
            inside = 0 <= row < values.shape[1] and 0 <= column < values.shape[2]
            pixel = values[:, row, column] if inside else np.full_like(values[:, 0, 0], outside)
            for group in range(self.groups):
                outputs = slice(group * per_group, (group + 1) * per_group)
                of_group = pixel[:, group * depth : (group + 1) * depth]
                result[:, y, x, outputs] += of_group @ weights[outputs, v, u].T
        return result

    def expected(self) -> np.ndarray:
        """What the operator must write, rounded as LCE's reference rounds."""
        bits = self.filter[0].size
        low, high = ACTIVATIONS[self.activation]
        dot = self.dot_products()
        if self.output == "bits":
            return pack(bits - dot > 2 * self.threshold.astype(np.int64))
        scale, zero_point = (np.float32(self.scale), self.zero_point) if self.output == "int8" else (1, 0)
        x = (bits - np.clip(dot, low, high)).astype(np.float32)
        multiplier = (-self.multiplier.astype(np.float64) / scale).astype(np.float32)
        bias = ((self.bias + bits * self.multiplier.astype(np.float64)) / scale + zero_point).astype(np.float32)
        y = x * multiplier + bias
        if self.output == "float":
            return y
        rounded = np.trunc(y.astype(np.float64) + np.copysign(0.5, y))
        return np.clip(rounded, -128, 127).astype(np.int8)
