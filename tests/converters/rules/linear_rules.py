"""Runs the rules for linear operators over float files, and the result beside the float file."""

import litert_runs
import numpy as np

from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.binarize import convolution, dense, depthwise, transposed_convolution
from mobile_bnn.converters.rules.canonicalize import (
    matmul_to_fully_connected,
    recompose_dilated_conv,
    swap_expand_dims_pad,
)
from mobile_bnn.converters.rules.rule import Rule
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.attempt import attempt

CANONICALIZE = (matmul_to_fully_connected, recompose_dilated_conv, swap_expand_dims_pad)
BINARIZE = (convolution, dense, depthwise, transposed_convolution)

sign = larq.math.sign

INPUTS = {
    "sign": sign,
    "heaviside": lambda x: tf.cast(x >= 0, tf.float32),
    "threshold": lambda x: sign(x - 0.25),
    "falling": lambda x: tf.where(x > 0.1, -1.0, 1.0),
    "lopsided": lambda x: tf.where(x < 0.3, -2.0, 5.0),
    "ternary": larq.quantizers.SteTern(),
    "two bits": larq.quantizers.DoReFa(2),
    "three bits": larq.quantizers.DoReFa(3),
}
FILTERS = ("sign", "scaled", "ternary", "lopsided", "two bits")


def filter_of(kind: str, shape: tuple[int, ...], seed: int = 0) -> KerasTensor:
    """A filter of few values, output channels last."""
    generator = np.random.default_rng(seed)
    scale = generator.uniform(0.1, 2, shape[-1])
    if kind == "sign":
        values = generator.choice([-1.0, 1.0], shape)
    elif kind == "scaled":
        values = generator.choice([-1.0, 1.0], shape) * scale
    elif kind == "ternary":
        values = generator.choice([-1.0, 0.0, 1.0], shape) * scale
    elif kind == "lopsided":
        values = np.where(generator.random(shape) < 0.5, -0.25 * scale, scale)
    else:
        values = generator.choice([-1.0, -1 / 3, 1 / 3, 1.0], shape)
    return tf.constant(values, tf.float32)


def run(flatbuffer: bytes, x: np.ndarray) -> np.ndarray:
    """Runs a file in LiteRT with our delegate."""
    return litert_runs.run(flatbuffer, x, library=True)


def adversarial(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Random numbers, among them zeros of both signs, exact thresholds and their neighbours, and huge ones."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=shape).astype(np.float32)
    ties = np.float32([0.25, 0.1, 0.3, 0.05, -0.05, 1 / 6, 0.5, 5 / 6, 1])
    special = np.concatenate([ties, np.nextafter(ties, np.float32(-9)), np.float32([0, -0.0, 1e30, -1e30, 1e-40])])
    return np.where(generator.random(shape) < 0.3, generator.choice(special, shape), x).astype(np.float32)


def apply_rules(graph: Graph) -> list[str]:
    """What the rules say to each linear operator that they do not rewrite."""
    for rule in CANONICALIZE:
        _apply(graph, rule)
    answers = [answer for rule in BINARIZE for answer in _apply(graph, rule)]
    graph.remove_dead()
    return [answer for answer in answers if answer is not None]


def _apply(graph: Graph, rule: Rule) -> list[str | None]:
    operators = [operator for operator in graph.operators if operator.op_type in rule.ROOTS]
    return [attempt(rule, graph, operator) for operator in operators if operator in graph.operators]


def applied(rule: Rule, kind: str, flatbuffer: bytes) -> tuple[bytes, str | None]:
    """The file after one rule was applied to the last operator of a kind, and what it said."""
    model = TfliteModel.read(flatbuffer)
    (graph,) = model.graphs
    reason = attempt(rule, graph, [operator for operator in graph.operators if operator.op_type == kind][-1])
    graph.remove_dead()
    return model.write(), reason


def rewritten(flatbuffer: bytes) -> tuple[bytes, list[str]]:
    """The file after the rules, and what they refused."""
    model = TfliteModel.read(flatbuffer)
    answers = apply_rules(model.graphs[0])
    return model.write(), answers


def kinds_of(flatbuffer: bytes) -> list[str]:
    """The file's operators."""
    return [operator.op_type for operator in TfliteModel.read(flatbuffer).graphs[0].operators]


def check(flatbuffer: bytes, shape: tuple[int, ...], kinds: dict[str, int] | None = None) -> bytes:
    """Asserts that a float file becomes binary and computes the same, in LiteRT and in LCE's interpreter.

    Args:
        flatbuffer: the float file.
        shape: of its input.
        kinds: how many operators of these kinds there are then.

    Returns:
        The binary file.
    """
    binary, answers = rewritten(flatbuffer)
    assert not answers
    operators = kinds_of(binary)
    assert "LceBconv2d" in operators
    assert not {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV"} & set(operators)
    for kind, count in (kinds or {}).items():
        assert operators.count(kind) == count, operators
    x = adversarial(shape)
    expected, actual = run(flatbuffer, x), run(binary, x)
    assert np.abs(expected).max() < 1e6  # beside huge outputs no error of the others would count
    # What cancels out leaves the rounding of its terms, which are near 1.
    tolerance = max(1e-5 * np.abs(expected).max(), 1e-6)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=tolerance)
    if shape[0] == 1:
        lce = np.asarray(interpreter(binary).predict(x))
        np.testing.assert_allclose(lce, actual, rtol=1e-5, atol=tolerance)
    return binary
