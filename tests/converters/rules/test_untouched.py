"""A rule that raises NoMatch has not touched the graph: every rule, on every operator of several graphs."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from float_files import to_float

from mobile_bnn.converters import lowering
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.rule import name_of
from mobile_bnn.legacy_keras import larq, tf
from tests.converters.rules.attempt import attempt

REACTNET = Path(__file__).parents[1] / "pytorch" / "reactnet.tflite"
RULES = {
    name_of(rule): rule for rule in (*lowering.CANONICALIZE, *lowering.BINARIZE, *lowering.FUSE, *lowering.COMPRESS)
}
sign = larq.math.sign


def signs(*shape: int) -> Any:
    return tf.constant(np.random.default_rng(0).choice([-1.0, 1.0], shape), tf.float32)


def rest(x: Any) -> Any:
    """What reactnet lacks: pools, sums, products, a transpose, padding and a dilation, many of them half a pattern."""
    x = tf.nn.relu(x) - 0.5 * tf.nn.relu(-x + 1)
    x = tf.transpose(tf.pad(tf.transpose(x, (0, 3, 1, 2)), [(0, 0), (0, 0), (1, 1), (1, 1)]), (0, 2, 3, 1))
    y = tf.nn.conv2d(sign(x), signs(3, 3, 32, 32), 1, "VALID", dilations=2)
    z = tf.nn.max_pool2d(y * tf.range(1.0, 33.0) - 3, 2, 2, "SAME")
    z = tf.nn.depthwise_conv2d(sign(tf.abs(z) - 9), signs(3, 3, 32, 1), (1, 1, 1, 1), "SAME")
    z = tf.concat([sign(z), sign(z + 1)], 3)
    a, b = tf.split(tf.nn.conv2d(z, signs(1, 1, 64, 64), 1, "SAME"), 2, 3)
    a = tf.nn.depthwise_conv2d(tf.tanh(a), signs(3, 3, 32, 1), (1, 1, 1, 1), "SAME")
    b += tf.cast(tf.add_n([tf.cast(b * factor, tf.int32) for factor in (1, 2, 3)]), tf.float32)
    up = tf.nn.conv2d_transpose(tf.tanh(a), signs(3, 3, 32, 32), (1, *(2 * size for size in a.shape[1:3]), 32), 2)
    return tf.matmul(tf.reshape(sign(a + b), (1, -1, 32)), tf.reshape(up, (1, 32, -1)))


def graphs() -> dict[str, Graph]:
    mixed = to_float(rest, (1, 8, 8, 32))
    found = {}
    for name, file in (("reactnet", REACTNET.read_bytes()), ("mixed", mixed)):
        found[name] = TfliteModel.read(file).graphs[0]
        found[f"lowered {name}"] = lowered = TfliteModel.read(file).graphs[0]
        lowering.lower(lowered)
    return found


@pytest.fixture(scope="module")
def every() -> dict[str, Graph]:
    return graphs()


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("graph", ["reactnet", "lowered reactnet", "mixed", "lowered mixed"])
def test_a_refusal_leaves_the_graph_as_it_was(every: dict[str, Graph], name: str, graph: str) -> None:
    for number, root in enumerate(every[graph].operators):
        if root.op_type in RULES[name].ROOTS:
            copy = every[graph].copy()
            attempt(RULES[name], copy, copy.operators[number])  # which compares


@pytest.mark.parametrize("name", RULES)
def test_each_rule_refuses_somewhere(every: dict[str, Graph], name: str) -> None:
    copies = [graph.copy() for graph in every.values()]
    roots = [(graph, root) for graph in copies for root in list(graph.operators) if root.op_type in RULES[name].ROOTS]
    assert any(attempt(RULES[name], graph, root) for graph, root in roots if root in graph.operators)


def test_a_rule_that_changes_something_first_is_found() -> None:
    def rewrite(graph: Graph, root: Operator) -> None:
        graph.set_outputs(root, [Tensor.of("other", (2,), np.float32)])
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "too late")

    x, y = (Tensor.of(name, (1,), np.float32) for name in "xy")
    graph = Graph("one operator", [x], [x], [Operator.builtin("ABS", [x], [y])])
    with pytest.raises(AssertionError, match="changed the graph and refused: too late"):
        attempt(SimpleNamespace(__name__="late", rewrite=rewrite), graph, graph.operators[0])
