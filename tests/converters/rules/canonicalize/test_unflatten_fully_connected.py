"""A dense layer between RESHAPEs to computed shapes keeps its dimensions, for a batch of any size."""

from collections.abc import Callable

import float_files
import numpy as np
import pytest
from litert_runs import run

from mobile_bnn.converters.rules.canonicalize import unflatten_fully_connected
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.linear_rules import applied, kinds_of
from tests.converters.rules.lowered import lowered

WEIGHTS = np.random.default_rng(0).normal(size=(16, 24)).astype(np.float32)
FLATTENED = "it is not between two RESHAPEs that flatten and restore"
Network = Callable[[KerasTensor], KerasTensor]


def dense(
    x: KerasTensor, back: Callable[[KerasTensor], list[KerasTensor]], weights: np.ndarray = WEIGHTS
) -> KerasTensor:
    """As Keras 3 writes it: rows, their product, and the shape restored from sizes that are computed."""
    sizes = [tf.reduce_prod(tf.gather(tf.shape(x), axes)) for axes in ([0, 1], [2])]
    rows = tf.reshape(x, tf.stack(sizes))
    return tf.reshape(rows @ weights, back(tf.shape(x)))


def to_float(network: Network) -> bytes:
    return float_files.to_float(network, (None, 6, 16))


def samples(batch: int) -> np.ndarray:
    return np.random.default_rng(batch).normal(size=(batch, 6, 16)).astype(np.float32)


def test_the_reshapes_go() -> None:
    before = to_float(lambda x: dense(x, lambda sizes: [sizes[0], 6, 24]) + 1)
    after, reason = applied(unflatten_fully_connected, "FULLY_CONNECTED", before)
    assert reason is None
    assert kinds_of(before).count("RESHAPE") == 2
    assert not {"RESHAPE", "SHAPE", "PACK"} & set(kinds_of(after))
    for batch in (1, 3):
        np.testing.assert_array_equal(run(after, samples(batch)), run(before, samples(batch)))


def test_a_binary_one_becomes_binary() -> None:
    sign = larq.math.sign
    before = to_float(lambda x: dense(sign(x), lambda sizes: [sizes[0], 6, 24], 0.3 * np.sign(WEIGHTS)))
    after, graph = lowered(before)
    assert "LceBconv2d" in [operator.op_type for operator in graph.operators]
    for batch in (1, 3):
        np.testing.assert_allclose(run(after, samples(batch), library=True), run(before, samples(batch)), atol=1e-5)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (lambda x: dense(x, lambda sizes: [sizes[0], 12, 12]), FLATTENED),
        (lambda x: dense(x, lambda sizes: [sizes[0] * 2, 3, 24]), FLATTENED),
        (lambda x: tf.nn.softmax(dense(x, lambda sizes: [sizes[0] * 6, 24])), FLATTENED),
        (lambda x: tf.reshape(x, (-1, 96)) @ np.tile(WEIGHTS, (6, 1)), "the shape of its input is fixed"),
    ],
)
def test_refusals_say_why(network: Network, reason: str) -> None:
    before = to_float(network)
    after, answer = applied(unflatten_fully_connected, "FULLY_CONNECTED", before)
    assert answer == reason
    for batch in (1, 3):
        np.testing.assert_array_equal(run(after, samples(batch)), run(before, samples(batch)))
