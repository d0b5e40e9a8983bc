"""ADD_N as ADDs: the same numbers to the last bit, in sums that round in every order differently."""

import numpy as np
import pytest
from float_files import to_float
from litert_runs import run

from mobile_bnn.converters.rules.canonicalize import split_add_n
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.linear_rules import applied, filter_of, kinds_of
from tests.converters.rules.lowered import check, convolve

SHAPE = (1, 4, 5, 6)


def summed(count: int, dtype: tf.DType = tf.float32) -> bytes:
    """A file whose ADD_N adds so many tensors."""

    def function(x: KerasTensor) -> KerasTensor:
        parts = [tf.cast(tf.nn.tanh(x * (0.3 + number)) * 10.0**number, dtype) for number in range(count)]
        return tf.cast(tf.add_n(parts), tf.float32)

    return to_float(function, SHAPE)


@pytest.mark.parametrize("count", [3, 4, 7])
def test_sums_are_equal_in_every_bit(count: int) -> None:
    before = summed(count)
    assert "ADD_N" in kinds_of(before)
    after, reason = applied(split_add_n, "ADD_N", before)
    assert reason is None
    kinds = list(kinds_of(after))
    assert "ADD_N" not in kinds
    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    x.flat[:4] = [0.0, -0.0, 1e30, -1e-30]
    np.testing.assert_array_equal(run(after, x), run(before, x))


def test_integers_are_left() -> None:
    before = summed(3, tf.int32)
    after, reason = applied(split_add_n, "ADD_N", before)
    assert reason == "it does not add floats"
    assert kinds_of(after) == kinds_of(before)


def steps(x: KerasTensor) -> KerasTensor:
    """A thermometer of three steps, as HWGQ's is."""
    return 0.538 * tf.add_n([tf.cast(x > threshold, tf.float32) for threshold in (0.0, 0.807, 1.345)])


def test_a_thermometer_of_steps_is_three_binary_convolutions() -> None:
    weights = filter_of("sign", (3, 3, 32, 8))
    check(lambda x, w: convolve(steps(x), w, "valid"), (1, 6, 6, 32), {"LceBconv2d": 3, "CONV_2D": 0}, weights)
