"""A float file beside what the rules make of it: in LiteRT with our library, and in LCE's own interpreter."""

from collections import Counter
from collections.abc import Callable, Mapping

import float_files
import numpy as np

from mobile_bnn.converters.graph.fold_constants import fold_constants
from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.linear_rules import run

sign = larq.math.sign


def convolve(x: KerasTensor, weights: KerasTensor, padding: str = "one", stride: int = 1) -> KerasTensor:
    """A convolution padded with zeros, with ones, or not at all."""
    if padding == "one":
        amounts = [((taps - 1) // 2, taps // 2) for taps in weights.shape[:2]]
        x = tf.pad(x, [(0, 0), *amounts, (0, 0)], constant_values=1.0)
    return tf.nn.conv2d(x, weights, stride, "SAME" if padding == "zero" else "VALID")


def adversarial(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Random numbers, many of them whole, some 0, -0.0, huge or tiny."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=shape) * 2
    for share, special in ((0.4, np.rint(x)), (0.1, 0.0), (0.1, -0.0), (0.02, 3e38), (0.02, -3e38), (0.02, 1e-30)):
        x = np.where(generator.random(shape) < share, special, x)
    return x.astype(np.float32)


def to_float(function: Callable[..., KerasTensor], shape: tuple[int, ...], *weights: KerasTensor) -> bytes:
    """A function of an input and of filters as a .tflite. Nothing that stands after is folded into these filters."""
    model = TfliteModel.read(float_files.to_float(function, shape, *(filters.shape for filters in weights)))
    (graph,) = model.graphs
    for tensor, filters in zip(graph.inputs[1:], weights, strict=True):
        tensor.set_values(filters.numpy())
    graph.inputs, graph.signatures = graph.inputs[:1], []
    fold_constants(graph)
    return model.write()


def lowered(flatbuffer: bytes) -> tuple[bytes, Graph]:
    """The file that the rules make, and its graph."""
    model = TfliteModel.read(flatbuffer)
    lower(model.graphs[0])
    return model.write(), model.graphs[0]


def check(
    function: Callable[..., KerasTensor],
    shape: tuple[int, ...],
    kinds: Mapping[str, int],
    *weights: KerasTensor,
    exact: bool = False,
) -> Graph:
    """Both files compute the same, and the lowered one has these operators: of its kinds, those that are counted."""
    flatbuffer = to_float(function, shape, *weights)
    binary, graph = lowered(flatbuffer)
    counted = Counter(operator.op_type for operator in graph.operators)
    assert {kind: counted[kind] for kind in kinds} == dict(kinds), counted
    x = adversarial(shape)
    expected = run(flatbuffer, x)
    assert exact or np.abs(expected).max() < 1e6  # beside huge outputs no error of the others would count
    tolerance = 0.0 if exact else 1e-5
    for result in (run(binary, x), interpreter(binary).predict(x)):
        np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())
    return graph


def only(graph: Graph, kind: str) -> Operator:
    """The only operator of a kind."""
    (operator,) = (operator for operator in graph.operators if operator.op_type == kind)
    return operator
