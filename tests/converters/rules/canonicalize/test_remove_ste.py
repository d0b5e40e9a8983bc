"""Straight-through estimators that stayed in a graph: the quantizer alone computes the same, up to rounding."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from float_files import to_float
from litert_runs import run

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.canonicalize import remove_ste
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import applied, kinds_of

SHAPE = (1, 4, 5, 6)
sign = larq.math.sign


def polynomial(x: KerasTensor) -> KerasTensor:
    """The gradient of Bi-Real Net as ReActNet's code has it, its sums first."""
    return tf.where(x < 0, x * x + 2 * x, 2 * x - x * x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + tf.stop_gradient(sign(x) - x),
        lambda x: (sign(x) - tf.clip_by_value(x, -1.0, 1.0)) + tf.clip_by_value(x, -1.0, 1.0),
        lambda x: (tf.sign(x) - polynomial(x)) + polynomial(x),
        lambda x: x + (larq.quantizers.DoReFa(2)(x) - x),
        lambda x: x + (sign(x) * sign(x - 0.5) - x),
        lambda x: x - (x - sign(x)),
        lambda x: (-x + sign(x)) + x,
        lambda x: tf.clip_by_value(x, 0.0, 1.0) + (tf.round(x) * 0 + sign(x) - tf.clip_by_value(x, 0.0, 1.0)),
    ],
)
def test_the_quantizer_is_left(function: KerasFunction) -> None:
    before = to_float(function, SHAPE)
    after, reason = applied(remove_ste, "ADD", before)
    assert reason is None
    assert kinds_of(before).count("ADD") > kinds_of(after).count("ADD")
    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    x.flat[:4] = [0, -0.0, 1, -1]
    np.testing.assert_allclose(run(after, x), run(before, x), atol=1e-6)
    assert len(np.unique(run(after, x))) <= 4


@pytest.mark.parametrize("rounding", [tf.round, tf.floor, tf.math.ceil])
def test_rounding_alone_is_itself_to_the_last_bit(rounding: KerasFunction) -> None:
    """The quantizer is not bounded: its clip comes after."""
    before = to_float(lambda x: x + (rounding(x) - x), SHAPE)
    after, reason = applied(remove_ste, "ADD", before)
    assert reason is None
    assert len(kinds_of(after)) == 1
    generator = np.random.default_rng(0)
    for exponent in (-149, -126, -30, -2, -1, 0, 1, 2, 10, 22, 23, 24, 60, 127):
        x = np.ldexp(generator.uniform(1, 2, SHAPE), exponent) * generator.choice([-1.0, 1.0], SHAPE)
        x = x.astype(np.float32)
        x.flat[:9] = [0.5, -0.5, 1.5, -1.5, 2.5, 0, -0.0, np.nextafter(np.float32(0.5), 0), -np.nextafter(0.5, 0)]
        np.testing.assert_array_equal(run(after, x), run(before, x))


def test_what_was_computed_twice_is_the_same() -> None:
    """Exporters that do not look for equal operators write the clip of x once for each place."""
    shape = [1, 2, 3, 4]
    x, q, result = (Tensor.of(name, shape, np.float32) for name in ("x", "q", "result"))
    steps = [Operator.builtin("SIGN", [x], [q])]
    clips = []
    for number in range(2):
        scaled, clip = (Tensor.of(f"{name}{number}", shape, np.float32) for name in ("scaled", "clip"))
        half = Tensor.constant("half", np.float32([0.5]))
        steps += [
            Operator.builtin("MUL", [x, half], [scaled], schema.MulOptionsT()),
            Operator.builtin("RELU_N1_TO_1", [scaled], [clip]),
        ]
        clips.append(clip)
    difference = Tensor.of("difference", shape, np.float32)
    subtract = Operator.builtin("SUB", [q, clips[0]], [difference], schema.SubOptionsT())
    add = Operator.builtin("ADD", [difference, clips[1]], [result], schema.AddOptionsT())
    graph = Graph("twice", [x], [result], [*steps, subtract, add])
    assert attempt(remove_ste, graph, add) is None
    assert graph.outputs == [q]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (
            lambda x: x + (tf.tanh(x) - x),
            "what it lets gradients pass is not quantized: it is not known to be monotone",
        ),
        (lambda x: x + (sign(x) - 2 * x), "it does not add a difference to what was subtracted"),
        (lambda x: x + (x - sign(x)), "it does not add a difference to what was subtracted"),
        (lambda x: x + tf.nn.relu(sign(x) - x), "an activation is in the middle of it"),
        (lambda x: tf.nn.relu(x + (sign(x) - x)), "it is followed by an activation"),
        (lambda x: x + (sign(x[:, :1]) - x), "the quantizer has another shape than the sum"),
    ],
)
def test_refusals_say_why(function: KerasFunction, reason: str) -> None:
    before = to_float(function, SHAPE)
    after, answer = applied(remove_ste, "ADD", before)
    assert answer is not None
    assert reason in answer
    assert TfliteModel.read(before).write() == after
