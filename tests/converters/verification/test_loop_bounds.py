"""The bounds of loops and branches, against float64, turn by turn."""

from collections.abc import Callable

import numpy as np
import pytest
from float_files import to_float

from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.verification.error_bounds.analysis import ErrorBounds
from mobile_bnn.converters.verification.error_bounds.bound import Bounded
from mobile_bnn.converters.verification.error_bounds.control_flow import CalledBounds
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Array

G = np.random.default_rng(0)
SQUARE = (G.normal(size=(16, 16)) / 4).astype(np.float32)
SHAPE = (4, 16)


def matmul(x: tf.Tensor, matrix: Array = SQUARE) -> tf.Tensor:
    return tf.matmul(x, tf.constant(matrix.astype(np.float64), tf.float64) if x.dtype == tf.float64 else matrix)


def repeated(turns: int, body: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[tf.Tensor], tf.Tensor]:
    """A loop of so many turns."""
    return lambda x: tf.while_loop(lambda i, _: i < turns, lambda i, state: (i + 1, body(state)), (0, x))[1]


NETWORKS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "one turn": repeated(1, matmul),
    "five turns": repeated(5, lambda x: tf.tanh(matmul(x)) * 3),
    "a loop in a loop": repeated(2, repeated(3, matmul)),
    "while it is small": lambda x: tf.while_loop(lambda s: tf.reduce_max(s) < 100, lambda s: (matmul(s) * 8,), (x,))[0],
    "one branch": lambda x: tf.cond(tf.reduce_max(x) > 0, lambda: matmul(x), lambda: x),
    "the other branch": lambda x: matmul(tf.cond(tf.reduce_max(x) > 1e9, lambda: x, lambda: matmul(x) * 0.1)),
    "branches within turns": repeated(
        4, lambda x: tf.cond(tf.reduce_max(x) > 3, lambda: x * 0.3, lambda: matmul(x) * 1.7)
    ),
}


def bounded(network: Callable[[tf.Tensor], tf.Tensor], x: Array) -> tuple[Bounded, TfliteModel]:
    """What is known of the output for one input, and the float file."""
    model = TfliteModel.read(to_float(network, x.shape))
    graph, *called = model.graphs
    assert called
    bounds = ErrorBounds(graph, called=CalledBounds(called, {}))
    tensors = bounds.tensors()
    file = TfliteModel.of(Graph("all", graph.inputs, tensors, graph.operators), *called).write()
    values = dict(zip(tensors, FileRunner(file, delegates=False).run_once([x]), strict=True))
    return bounds.run({graph.inputs[0]: x, **values}, {}, graph.outputs)[graph.outputs[0]], model


@pytest.mark.parametrize("name", NETWORKS)
def test_no_number_is_farther_from_the_exact_one(name: str) -> None:
    x = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    found, model = bounded(NETWORKS[name], x)
    np.testing.assert_array_equal(found.values, FileRunner(model.write(), delegates=False).run_once([x])[0])
    exact = NETWORKS[name](tf.constant(x, tf.float64)).numpy()
    off, margin = np.abs(found.values - exact), np.broadcast_to(found.margin, x.shape)
    assert (off <= margin).all()
    assert off.max() > 0
    assert np.median(margin) <= 3e3 * np.median(off)


@pytest.mark.parametrize("name", ["one turn", "a loop in a loop", "one branch", "the other branch"])
def test_nothing_is_rounded_of_multiples_of_powers_of_two(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.sign(SQUARE)
    networks = {
        "one turn": repeated(1, lambda x: matmul(x, whole)),
        "a loop in a loop": repeated(2, repeated(2, lambda x: matmul(x, whole) / 4)),
        "one branch": lambda x: tf.cond(tf.reduce_max(x) > 0, lambda: matmul(x, whole), lambda: x),
        "the other branch": lambda x: tf.cond(tf.reduce_max(x) > 1e9, lambda: x, lambda: matmul(x, whole)),
    }
    found, _ = bounded(networks[name], np.rint(G.normal(size=SHAPE) * 4).astype(np.float32) / 4)
    assert found.is_exact
    assert not found.margin.any()


def test_all_may_differ_where_rounding_decides_how_many_turns_there_are() -> None:
    def network(x: tf.Tensor) -> tf.Tensor:
        return tf.while_loop(lambda i, s: tf.reduce_sum(s) < 1.0, lambda i, s: (i + 1, s * 1.1), (0, x))[1]

    x = np.full(SHAPE, 0.3, np.float32)
    assert np.isfinite(bounded(network, x)[0].margin).all()
    x[:] = np.float32(1) / np.float32(1.1) / 64
    assert np.isinf(bounded(network, x)[0].margin).all()


def test_all_may_differ_where_rounding_decides_between_branches() -> None:
    def network(x: tf.Tensor) -> tf.Tensor:
        return tf.cond(tf.reduce_max(x * 0.1 + 0.3) > 1, lambda: -x, lambda: x)

    for largest, tells in ((2.0, True), (7.0, False), (9.0, True)):
        margin = bounded(network, np.linspace(-1, largest, 64, dtype=np.float32).reshape(SHAPE))[0].margin
        assert np.isfinite(margin).all() == tells


def test_many_turns_are_not_followed() -> None:
    found, _ = bounded(repeated(100, lambda x: x * 0.5), np.ones(SHAPE, np.float32))
    assert not found.is_exact
    np.testing.assert_allclose(found.noise, 1e-5 * np.abs(found.values).max())
