"""Networks of two and more layers with exact sums, and the inputs that hit their thresholds."""

from dataclasses import dataclass

import numpy as np

from mobile_bnn.converters.graph.model import Tensor
from tests.converters.exact.exact_graph import ExactGraph
from tests.converters.exact.exact_parts import BETWEEN, PADDINGS, QUANTIZERS, WEIGHTS, Generator

SAMPLES = 4


@dataclass(frozen=True)
class ExactLayer:
    """A binary layer and what comes after it; names of exact_parts.

    Attributes:
        up: whether its convolution is a transposed one.
    """

    quantizer: str
    weights: str
    padding: str = "valid"
    between: tuple[str, ...] = ()
    join: str = ""
    size: int = 2
    stride: int = 1
    filters: int = 6
    bias: bool = False
    up: bool = False


@dataclass(frozen=True)
class ExactNetwork:
    """Layers, one after the other."""

    layers: tuple[ExactLayer, ...]
    seed: int = 0
    channels: int = 4
    map_size: int = 6

    def flatbuffer(self) -> bytes:
        """The float file."""
        generator, graph = np.random.default_rng(self.seed), ExactGraph()
        image = x = Tensor.of("image", (1, self.map_size, self.map_size, self.channels), np.float32)
        for layer in self.layers:
            x = add_layer(graph, x, layer, generator)
        return graph.finish(image, [x])

    def images(self) -> np.ndarray:
        """What `exact_images` gives, for its input."""
        shape = (SAMPLES, self.map_size, self.map_size, self.channels)
        return exact_images(np.random.default_rng(self.seed + 1), shape)


def exact_images(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Multiples of 1/4, of which many are 0, -0.0 or a threshold: float32 of that shape."""
    values = generator.integers(-12, 13, shape) / 4
    for share, special in ((0.3, 0.0), (0.1, -0.0), (0.1, 0.5), (0.1, -0.5), (0.1, 1.0), (0.05, -1.0)):
        values = np.where(generator.random(shape) < share, special, values)
    return values.astype(np.float32)


def add_layer(graph: ExactGraph, x: Tensor, layer: ExactLayer, generator: Generator) -> Tensor:
    """Appends a layer to a graph, and returns its result."""
    size = min(layer.size, x.shape[1])
    quantized = QUANTIZERS[layer.quantizer](graph, x, generator)
    y = _convolution(graph, quantized, layer, size, generator)
    if layer.join in ("parallel", "minus"):
        y = graph.elementwise(_JOIN[layer.join], y, _convolution(graph, quantized, layer, size, generator))
    elif layer.join == "residual" and x.shape == y.shape:
        y = graph.elementwise("ADD", y, x)
    elif layer.join == "concatenate":
        y = graph.concatenate(y, _convolution(graph, quantized, layer, size, generator))
    for name in layer.between:
        if not name.endswith("pool") or y.shape[1] > 1:
            y = BETWEEN[name](graph, y, generator)
    return y


_JOIN = {"parallel": "ADD", "minus": "SUB"}


def _convolution(graph: ExactGraph, x: Tensor, layer: ExactLayer, size: int, generator: Generator) -> Tensor:
    weights = WEIGHTS[layer.weights](generator, (layer.filters, size, size, x.shape[3]))
    bias = generator.integers(-4, 5, layer.filters) / 2 * layer.bias
    before, after = (size - 1) // 2, size // 2
    if layer.padding in _PAD_VALUES:
        x = graph.pad(x, before, after, _PAD_VALUES[layer.padding])
    elif layer.padding == "asymmetric":
        x = graph.pad(x, 1, 0, 0.0)
    assert layer.padding in PADDINGS
    if layer.up:
        total = graph.enlarge(x, weights, same=layer.padding == "same-zero", stride=layer.stride)
        return graph.elementwise("ADD", total, bias) if layer.bias else total
    return graph.convolve(x, weights, bias, same=layer.padding == "same-zero", stride=layer.stride)


_PAD_VALUES = {"same-one": 1.0, "minus one": -1.0, "between levels": 0.125}
