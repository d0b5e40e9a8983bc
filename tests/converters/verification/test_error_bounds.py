"""The bounds of rounding, against float64: no number is farther off, and most bounds are not much farther."""

from collections.abc import Callable

import numpy as np
import pytest
from float_files import to_float

from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.verification.error_bounds.analysis import ErrorBounds
from mobile_bnn.converters.verification.error_bounds.bound import Bounded, is_representable, quantum_of
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Array

G = np.random.default_rng(0)
KERNEL = G.normal(size=(3, 3, 16, 24))
SIGNS = np.where(KERNEL < 0, -0.37, 0.37)
DEPTHWISE = G.normal(size=(3, 3, 16, 1))
DENSE = G.normal(size=(16, 10))
SCALE, SHIFT = G.normal(size=16), G.normal(size=16)


def constant(values: Array, x: tf.Tensor) -> tf.Tensor:
    """Float32 numbers in the type of what they are put together with: float64 in the oracle."""
    return (
        tf.constant(values.astype(np.float32).astype(np.float64), tf.float64)
        if x.dtype == tf.float64
        else values.astype(np.float32)
    )


NETWORKS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "conv": lambda x: tf.nn.conv2d(x, constant(KERNEL, x), 1, "SAME"),
    "conv of two values": lambda x: tf.nn.conv2d(x, constant(SIGNS, x), 2, "VALID"),
    "two convs": lambda x: tf.nn.conv2d(
        tf.nn.relu(tf.nn.conv2d(x, constant(KERNEL[..., :16], x), 1, "SAME")), constant(KERNEL, x), 1, "SAME"
    ),
    "depthwise": lambda x: tf.nn.depthwise_conv2d(x, constant(DEPTHWISE, x), (1, 1, 1, 1), "SAME"),
    "batch norm that cancels out": lambda x: (
        (tf.nn.conv2d(x, constant(KERNEL[..., :16], x), 1, "SAME") + constant(1e3 + SHIFT, x)) * constant(SCALE, x)
        - constant(1e3 * SCALE, x)
    ),
    "residual": lambda x: x + constant(SCALE, x) * x - constant(SHIFT, x),
    "pools": lambda x: tf.nn.avg_pool2d(tf.nn.max_pool2d(x * constant(SCALE, x), 2, 2, "SAME"), 3, 2, "SAME"),
    "mean and dense": lambda x: tf.tensordot(tf.reduce_mean(x * constant(SCALE, x), (1, 2)), constant(DENSE, x), 1),
    "gates": lambda x: x * tf.sigmoid(tf.tanh(x) * constant(SCALE, x) + constant(SHIFT, x)),
    "square roots": lambda x: (
        tf.sqrt(x * x + constant(SHIFT, x) ** 2) / (constant(np.abs(SCALE) + 1, x) + tf.exp(-tf.abs(x)))
    ),
    "softmax": lambda x: tf.nn.softmax(tf.tensordot(tf.reduce_mean(x * 30, (1, 2)), constant(DENSE, x), 1)),
    "matmul": lambda x: tf.matmul(tf.reshape(x, (-1, 64, 16)), tf.transpose(tf.reshape(x, (-1, 64, 16)), (0, 2, 1))),
    "movement": lambda x: tf.concat(
        [tf.transpose(x * constant(SCALE, x), (0, 2, 1, 3)), tf.pad(x, [[0, 0], [1, 0], [0, 1], [0, 0]])[:, 1:, :8]], -1
    ),
    "leaky relu": lambda x: tf.nn.leaky_relu(x * constant(SCALE, x), 1.7),
    "prelu": lambda x: tf.maximum(x * constant(SCALE, x), x * constant(SHIFT, x)),
}


def bounded(graph: Graph, x: Array) -> Bounded:
    """What is known of the graph's output for one input."""
    bounds = ErrorBounds(graph)
    tensors = bounds.tensors()
    runner = FileRunner(TfliteModel.of(Graph("all", graph.inputs, tensors, graph.operators)).write(), delegates=False)
    values = dict(zip(tensors, runner.run_once([x]), strict=True))
    return bounds.run({graph.inputs[0]: x, **values}, {}, graph.outputs)[graph.outputs[0]]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [1.0, 1e3])
def test_no_number_is_farther_from_the_exact_one(name: str, size: float) -> None:
    network = NETWORKS[name]
    graph = TfliteModel.read(to_float(network, (1, 8, 8, 16))).graphs[0]
    x = (np.random.default_rng(1).normal(size=(1, 8, 8, 16)) * size).astype(np.float32)
    found = bounded(graph, x)
    exact = network(tf.constant(x, tf.float64)).numpy()
    off = np.abs(found.values - exact)
    margin = np.broadcast_to(found.margin, off.shape)
    finite = np.isfinite(off)
    assert (off <= margin)[finite].all()
    assert off.max(where=finite, initial=0) > 0
    # Not just any large number: rounding of 24 bits, of terms that cancel out in some of them.
    assert np.median(margin[finite]) <= 2e-4 * max(1.0, np.abs(exact[finite]).max())
    assert np.median(margin[finite]) <= 3e3 * max(np.median(off[finite]), 1e-9)


@pytest.mark.parametrize("name", ["conv", "residual", "pools", "matmul", "movement", "batch norm that cancels out"])
def test_nothing_is_rounded_of_multiples_of_powers_of_two(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for constant_name in ("KERNEL", "SCALE", "SHIFT"):
        monkeypatch.setitem(globals(), constant_name, np.rint(globals()[constant_name] * 4) / 4)
    network = {**NETWORKS, "pools": lambda x: tf.nn.avg_pool2d(tf.nn.max_pool2d(x, 2, 2, "SAME"), 2, 2, "VALID")}[name]
    graph = TfliteModel.read(to_float(network, (1, 8, 8, 16))).graphs[0]
    x = np.rint(np.random.default_rng(1).normal(size=(1, 8, 8, 16)) * 8).astype(np.float32) / 8
    found = bounded(graph, x)
    assert found.is_exact
    np.testing.assert_array_equal(found.values, network(tf.constant(x, tf.float64)).numpy())


def test_a_step_may_jump_where_its_argument_may_be_on_the_other_side() -> None:
    graph = TfliteModel.read(to_float(lambda x: tf.sign(x * 0.1 + 0.3), (1, 4, 4, 16))).graphs[0]
    near = -3 + np.array([0.0, 2e-7, -2e-7, 1e-5, -1e-5, 1.0, -1.0, 50.0])
    x = np.resize(near, (1, 4, 4, 16)).astype(np.float32)
    found = bounded(graph, x)
    distance = np.abs(x.astype(np.float64) * np.float32(0.1) + np.float32(0.3))
    jumps = np.broadcast_to(found.jump, x.shape) > 0
    assert jumps[distance < 3e-8].all()
    assert not jumps[distance > 5e-7].any()
    assert 0 < jumps.mean() < 0.5
    assert found.is_exact


def test_a_jump_is_carried_through_sums() -> None:
    """A sign that may be the other one moves what is computed of it by twice its weight, and nothing else."""
    graph = TfliteModel.read(
        to_float(lambda x: tf.matmul(tf.where(x * 0.1 + 0.3 >= 0, 1.0, -1.0), constant(DENSE, x)), (1, 16))
    ).graphs[0]
    x = np.ones((1, 16), np.float32)
    assert not bounded(graph, x).jump.any()
    x[0, 5] = -3
    np.testing.assert_allclose(bounded(graph, x).jump[0], 2 * np.abs(DENSE[5]), rtol=1e-6)


@pytest.mark.parametrize("data", ["computed", "constant"])
def test_a_jump_of_a_computed_filter_is_carried_through_exact_sums(data: str) -> None:
    def network(x: tf.Tensor) -> tf.Tensor:
        filters = tf.reshape(tf.where(x * 0.1 + 0.3 >= 0, 1.0, -1.0), (1, 1, 16, 1))
        image = tf.reshape(x, (1, 1, 1, 16)) if data == "computed" else tf.ones((1, 1, 1, 16))
        return tf.nn.conv2d(image, filters, 1, "VALID")

    graph = TfliteModel.read(to_float(network, (1, 16))).graphs[0]
    x = np.ones((1, 16), np.float32)
    assert not bounded(graph, x).jump.any()
    x[0, 5] = -3  # on the threshold
    assert (bounded(graph, x).jump >= (6 if data == "computed" else 2)).all()


def test_deep_networks_keep_bounds_of_a_use() -> None:
    """Errors of independent roundings add up by their squares: 20 convolutions do not multiply them by 10^20."""
    kernels = list(np.random.default_rng(2).normal(size=(20, 3, 3, 16, 16)) / 12)

    def network(x: tf.Tensor) -> tf.Tensor:
        for kernel in kernels:
            x = tf.abs(tf.nn.conv2d(x, constant(kernel, x), 1, "SAME"))
        return x

    graph = TfliteModel.read(to_float(network, (1, 8, 8, 16))).graphs[0]
    x = np.random.default_rng(1).normal(size=(1, 8, 8, 16)).astype(np.float32)
    found = bounded(graph, x)
    off = np.abs(found.values - network(tf.constant(x, tf.float64)).numpy())
    assert (off <= found.margin).all()
    assert np.median(found.margin) <= 1e-3 * np.abs(found.values).max()


@pytest.mark.parametrize(
    ("values", "quantum"),
    [
        ([1.0, 2.0, -4.0], 1.0),
        ([0.0, 0.75, 8.0], 0.25),
        ([0.0, -0.0], 1.0),
        ([2.0**-149], 2.0**-149),
        ([0.1], 2.0**-27),
        ([np.inf, 1.0], 0.0),
        ([np.nan], 0.0),
    ],
)
def test_quantum(values: list[float], quantum: float) -> None:
    assert quantum_of(np.array(values, np.float32)) == quantum


def test_the_quantum_of_many_numbers_is_not_that_of_zeros_among_them() -> None:
    values = np.zeros(3 << 20, np.float32)
    assert quantum_of(values) == 1
    values[:5000], values[-1] = 8, -24
    assert quantum_of(values) == 8
    values[1 << 20] = np.inf
    assert quantum_of(values) == 0


def test_the_quantum_of_many_numbers_is_that_of_the_last_too() -> None:
    values = np.ones(10000, np.float32)
    values[-1] = 0.125
    assert quantum_of(values) == 0.125
    assert is_representable(2.0**20, 0.125)
    assert not is_representable(2.0**21, 0.125)
    assert not is_representable(1.0, 0.0)
