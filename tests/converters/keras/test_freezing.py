"""Freezing a traced function: the same graph as TensorFlow's own, or none."""

import numpy as np
import pytest

from mobile_bnn.converters.keras.freezing import frozen
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor

VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)


def traced(call: KerasFunction) -> tf.types.experimental.ConcreteFunction:
    return tf.function(call, autograph=False).get_concrete_function(tf.TensorSpec((2, 3), name="x"))


def run(graph: tf.compat.v1.GraphDef, x: np.ndarray) -> np.ndarray:
    """Runs a frozen graph by TensorFlow itself."""
    imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    output = next(node.name for node in reversed(graph.node) if node.op == "Identity")
    return imported.prune("x:0", f"{output}:0")(tf.constant(x)).numpy()


def test_variables_become_constants() -> None:
    kernel, bias = tf.Variable(VALUES), tf.Variable(np.float32([1, 2, 3, 4]))
    function = traced(lambda x: tf.nn.relu(x @ kernel + bias) * kernel[0])
    graph = frozen(function)
    assert graph is not None
    assert not {"ReadVariableOp", "VarHandleOp"} & {node.op for node in graph.node}
    assert [node.name for node in graph.node if node.op == "Placeholder"] == ["x"]
    x = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    np.testing.assert_array_equal(run(graph, x), function(tf.constant(x)).numpy())


def test_tensors_from_outside_become_constants() -> None:
    outside = tf.constant(np.tile(VALUES, (1, 100)))
    function = traced(lambda x: tf.identity(x @ outside))
    assert function.graph.captures  # else there is nothing to test
    graph = frozen(function)
    assert graph is not None
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(run(graph, x), function(tf.constant(x)).numpy())


def test_half_precision_keeps_its_type() -> None:
    half = tf.Variable(np.float16([1.5, 2.5, 3.5]))
    function = traced(lambda x: tf.identity(x * tf.cast(half, tf.float32)))
    np.testing.assert_array_equal(run(frozen(function), np.ones((2, 3), np.float32))[0], [1.5, 2.5, 3.5])


@pytest.mark.parametrize("what", ["a call", "a written variable"])
def test_what_is_more_than_reads_is_left_to_tensorflow(what: str) -> None:
    variable = tf.Variable(VALUES)
    inner = tf.function(lambda x: x @ variable)

    def written(x: KerasTensor) -> KerasTensor:
        variable.assign_add(tf.ones_like(variable))
        return x @ variable

    assert frozen(traced({"a call": lambda x: inner(x), "a written variable": written}[what])) is None
