"""Activations that nothing used return to their operators, and what only compares reads the clamped numbers."""

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from float_files import to_float
from litert_runs import run

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.canonicalize import split_activation
from mobile_bnn.converters.rules.fuse import restore_activation
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.attempt import attempt

SHAPE = (1, 3, 4, 32)
NONE = schema.ActivationFunctionType.NONE
LIMITS = {"RELU": (0.0, np.inf), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}


def _graph(clip: str, *others: Callable[[Graph, Tensor], Tensor]) -> Graph:
    """x + x with a clip after it, and other readers of the sum, all of them outputs."""
    x, raw, clipped = (Tensor.of(name, SHAPE, np.float32) for name in ("x", "sum", "clipped"))
    add = Operator.builtin("ADD", [x, x], [raw], schema.AddOptionsT())
    graph = Graph("graph", [x], [clipped], [add, Operator.builtin(clip, [raw], [clipped])])
    graph.outputs += [other(graph, raw) for other in others]
    return graph


def _compared(shift: float | None, factor: float | None = None) -> Callable[[Graph, Tensor], Tensor]:
    """The packed signs of factor * x + shift."""

    def apply(graph: Graph, tensor: Tensor) -> Tensor:
        for op_type, operand in (("MUL", factor), ("ADD", shift)):
            if operand is not None:
                constant = Tensor.constant(op_type, np.full(32, operand, np.float32))
                output = Tensor.of(op_type, SHAPE, np.float32)
                options = getattr(schema, f"{op_type.capitalize()}OptionsT")()
                graph.append(Operator.builtin(op_type, [tensor, constant], [output], options))
                tensor = output
        words = Tensor.of("words", (*SHAPE[:-1], 1), np.int32)
        graph.append(Operator.custom("LceQuantize", [tensor], [words]))
        return words

    return apply


def _absolute(graph: Graph, tensor: Tensor) -> Tensor:
    output = Tensor.of("absolute", SHAPE, np.float32)
    graph.append(Operator.builtin("ABS", [tensor], [output]))
    return output


def _only(graph: Graph, op_type: str) -> Operator:
    (operator,) = (operator for operator in graph.operators if operator.op_type == op_type)
    return operator


@pytest.mark.parametrize("clip", LIMITS)
@pytest.mark.parametrize("factor", [None, 1.0, -1.0])
@pytest.mark.parametrize("threshold", [None, -7.0, -1.0, -0.5, 0.0, 0.5, 1.0, 6.0, 7.0, np.inf])
def test_what_compares_reads_the_clamped_numbers_where_that_is_the_same(
    clip: str, factor: float | None, threshold: float | None
) -> None:
    """By brute force over numbers around every limit; and it is done wherever it is the same for all of them.

    Thresholds that no number reaches may be left alone.
    """
    sense = -1.0 if factor == -1 else 1.0
    shift = None if threshold is None else np.float32(-sense * threshold)
    graph = _graph(clip, _compared(shift, factor))
    answer = attempt(restore_activation, graph, _only(graph, clip))
    edges = np.float32([-np.inf, -8, -7, -1, -0.5, -0.0, 0, 0.5, 1, 6, 7, 8, np.inf])
    x = np.concatenate([edges, np.nextafter(edges, np.float32(9)), np.nextafter(edges, np.float32(-9))])
    x = x[np.abs(x) < (np.inf if shift is None or np.isfinite(shift) else 1e9)]
    clamped = np.clip(x, *LIMITS[clip])
    plain, after = (sense * each + (0 if shift is None else shift) >= 0 for each in (x, clamped))
    same = np.array_equal(plain, after)
    assert same if answer is None else not same or threshold == np.inf, answer
    if answer is None:
        assert clip not in [operator.op_type for operator in graph.operators]
    else:
        assert "too, reads the result of ADD before it" in answer


@pytest.mark.parametrize("clip", LIMITS)
def test_an_unshared_activation_returns(clip: str) -> None:
    graph = _graph(clip)
    (output,) = graph.outputs
    assert attempt(restore_activation, graph, _only(graph, clip)) is None
    assert [operator.op_type for operator in graph.operators] == ["ADD"]
    assert _only(graph, "ADD").options.fusedActivationFunction != NONE
    assert graph.outputs == [output]


def test_splitting_and_restoring_is_nothing_at_all() -> None:
    kernel = tf.constant(np.random.default_rng(0).normal(size=(3, 3, 32, 8)), tf.float32)

    def network(x: KerasTensor) -> KerasTensor:
        y = tf.nn.relu6(tf.nn.conv2d(x, kernel, 1, "SAME"))
        return tf.nn.relu(tf.nn.max_pool2d(y, 2, 1, "SAME") - 1)

    before = to_float(network, SHAPE)
    model = TfliteModel.read(before)
    (graph,) = model.graphs
    for operator in list(graph.operators):
        if operator.op_type in split_activation.ROOTS:
            attempt(split_activation, graph, operator)
    assert len(graph.operators) == len(TfliteModel.read(before).graphs[0].operators) + 2
    for operator in list(graph.operators):
        if operator.op_type in restore_activation.ROOTS:
            assert attempt(restore_activation, graph, operator) is None
    assert model.write() == TfliteModel.read(before).write()
    x = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    np.testing.assert_array_equal(run(model.write(), x), run(before, x))


def test_refusals_say_why() -> None:
    clip = "RELU6"
    graph = _graph(clip, _absolute)
    text = "ABS, too, reads the result of ADD before it"
    assert attempt(restore_activation, graph, _only(graph, clip)) == text
    graph = _graph(clip)
    graph.outputs.append(_only(graph, "ADD").output)
    text = "what ADD before it computes must stay as it is"
    assert attempt(restore_activation, graph, _only(graph, clip)) == text
    graph = _graph(clip)
    _only(graph, "ADD").options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    assert attempt(restore_activation, graph, _only(graph, clip)) == "ADD before it has an activation already"
    x, y = (Tensor.of(name, SHAPE, np.float32) for name in "xy")
    graph = Graph("graph", [x], [y], [Operator.builtin(clip, [x], [y])])
    text = "no operator that takes an activation stands before it"
    assert attempt(restore_activation, graph, _only(graph, clip)) == text
