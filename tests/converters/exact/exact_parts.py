"""Quantizers, filters and what stands between two layers, each with numbers on a grid of 1/8."""

from collections.abc import Callable

import numpy as np

from mobile_bnn.converters.graph.model import Tensor
from tests.converters.exact.exact_graph import ExactGraph

Generator = np.random.Generator
Quantizer = Callable[[ExactGraph, Tensor, Generator], Tensor]


def _threshold(generator: Generator, channels: int) -> np.ndarray:
    """Where many of the values lie that come there."""
    return generator.integers(-2, 3, channels).astype(np.float32) / 2


def _compared(op_type: str, above: float, below: float, *, at_zero: bool = True) -> Quantizer:
    def quantize(graph: ExactGraph, x: Tensor, generator: Generator) -> Tensor:
        threshold = np.zeros(x.shape[3]) if at_zero else _threshold(generator, x.shape[3])
        return graph.select(graph.elementwise(op_type, x, threshold, dtype=np.bool_), above, below)

    return quantize


def _heaviside(graph: ExactGraph, x: Tensor, generator: Generator) -> Tensor:
    return graph.add("CAST", [graph.elementwise("GREATER", x, 0.0, dtype=np.bool_)], x.shape)


def _larq_ternary(graph: ExactGraph, x: Tensor, generator: Generator) -> Tensor:
    above, below = (graph.add("SIGN", [graph.elementwise("ADD", x, by)], x.shape) for by in (0.5, -0.5))
    return graph.add("SIGN", [graph.elementwise("ADD", above, below)], x.shape)


def _strict_ternary(graph: ExactGraph, x: Tensor, generator: Generator) -> Tensor:
    above = graph.select(graph.elementwise("GREATER", x, 0.5, dtype=np.bool_), 1.0, 0.0)
    below = graph.select(graph.elementwise("LESS", x, -0.5, dtype=np.bool_), -1.0, 0.0)
    return graph.elementwise("ADD", above, below)


def _plain_sign(graph: ExactGraph, x: Tensor, generator: Generator) -> Tensor:
    return graph.add("SIGN", [x], x.shape)


def _rounded(steps: int, scale: float) -> Quantizer:
    """Values 0, scale, ... as often as there are steps; ROUND takes a half to the even neighbour."""

    def quantize(graph: ExactGraph, x: Tensor, generator: Generator) -> Tensor:
        clipped = graph.elementwise("MINIMUM", graph.elementwise("MAXIMUM", x, 0.0), float(steps))
        return graph.elementwise("MUL", graph.add("ROUND", [clipped], x.shape), scale)

    return quantize


def _floored(graph: ExactGraph, x: Tensor, generator: Generator) -> Tensor:
    """The values -1.5, -0.5, 0.5, 1.5."""
    clipped = graph.elementwise("MINIMUM", graph.elementwise("MAXIMUM", x, -2.0), 1.875)
    return graph.elementwise("ADD", graph.add("FLOOR", [clipped], x.shape), 0.5)


def _near_zero(graph: ExactGraph, x: Tensor, generator: Generator) -> Tensor:
    small = graph.elementwise("LESS", graph.add("ABS", [x], x.shape), 1.0, dtype=np.bool_)
    return graph.select(small, 1.0, -1.0)


QUANTIZERS: dict[str, Quantizer] = {
    "x >= 0": _compared("GREATER_EQUAL", 1.0, -1.0),
    "x > 0": _compared("GREATER", 1.0, -1.0),
    "heaviside": _heaviside,
    "falling": _compared("GREATER_EQUAL", -1.0, 1.0),
    "falling strict": _compared("GREATER", -1.0, 1.0),
    "x >= t": _compared("GREATER_EQUAL", 1.0, -1.0, at_zero=False),
    "x > t": _compared("GREATER", 1.0, -1.0, at_zero=False),
    "{l, u}": _compared("GREATER", 1.5, -0.25, at_zero=False),
    "ternary": _larq_ternary,
    "strict ternary": _strict_ternary,
    "SIGN": _plain_sign,
    "2 bits": _rounded(3, 0.5),
    "3 bits": _rounded(7, 0.25),
    "2 bits around 0": _floored,
    "|x| < 1": _near_zero,
}


def _values(*levels: float) -> Callable[[Generator, tuple[int, ...]], np.ndarray]:
    def weights(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
        scales = 2.0 ** generator.integers(-1, 2, (shape[0], 1, 1, 1))
        chosen = generator.choice(levels, shape)
        # Every channel has every value that fits: else it would be a filter of another kind.
        flat = chosen.reshape(shape[0], -1)
        count = min(len(levels), flat.shape[1])
        flat[:, :count] = np.array([generator.permutation(levels)[:count] for _ in range(shape[0])])
        return np.asarray(chosen * scales, np.float32)

    return weights


WEIGHTS = {
    "sign": _values(-1.0, 1.0),
    "ternary": _values(-1.0, 0.0, 1.0),
    "2 bits": _values(-1.5, -0.5, 0.5, 1.5),
    "3 bits": _values(*np.arange(-3.5, 4) / 4),
    "{l, u}": _values(-0.5, 1.0),
    "{0, 1}": _values(0.0, 1.0),
    "two bases": _values(-1.25, -0.75, 0.75, 1.25),
}


def _batch_norm(graph: ExactGraph, x: Tensor, generator: Generator, signs: tuple[float, ...]) -> Tensor:
    factor = generator.choice(signs, x.shape[3]) * 2.0 ** generator.integers(-2, 2, x.shape[3])
    return graph.elementwise("ADD", graph.elementwise("MUL", x, factor), generator.integers(-8, 9, x.shape[3]) / 4)


BETWEEN: dict[str, Quantizer] = {
    "nothing": lambda graph, x, generator: x,
    "shift": lambda graph, x, generator: graph.elementwise("ADD", x, generator.integers(-3, 4, x.shape[3]) / 2),
    "relu": lambda graph, x, generator: graph.add("RELU", [x], x.shape),
    "relu6": lambda graph, x, generator: graph.add("RELU6", [x], x.shape),
    "prelu": lambda graph, x, generator: graph.elementwise("PRELU", x, np.full((1, 1, x.shape[3]), 0.25)),
    "max pool": lambda graph, x, generator: graph.pool(x, "MAX_POOL_2D"),
    "average pool": lambda graph, x, generator: graph.pool(x, "AVERAGE_POOL_2D"),
    "norm": lambda graph, x, generator: _batch_norm(graph, x, generator, (1.0,)),
    "falling norm": lambda graph, x, generator: _batch_norm(graph, x, generator, (-1.0,)),
    "mixed norm": lambda graph, x, generator: _batch_norm(graph, x, generator, (-1.0, 1.0)),
}
SMOOTH = [name for name in BETWEEN if not name.endswith("pool")]  # the result has the shape of the input
JOINS = ("", "residual", "parallel", "concatenate", "minus")
PADDINGS = ("valid", "same-zero", "same-one", "minus one", "between levels", "asymmetric")
