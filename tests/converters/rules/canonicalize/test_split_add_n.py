"""Sums of many tensors as pairwise ones: the same bits on one thread, and quantizers that are sums of steps."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from float_files import to_float

from mobile_bnn.converters.rules.canonicalize import split_add_n
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.linear_rules import applied, filter_of, kinds_of
from tests.converters.rules.lowered import adversarial, check, convolve

SHAPE = (1, 4, 5, 6)
OFFSETS = np.linspace(-1, 1, 120, dtype=np.float32).reshape(SHAPE)


def steps(x: KerasTensor) -> KerasTensor:
    """A thermometer of three steps, as HWGQ's is."""
    return 0.538 * tf.add_n([tf.cast(x > threshold, tf.float32) for threshold in (0.0, 0.807, 1.345)])


def on_one_thread(flatbuffer: bytes, x: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(
        model_content=flatbuffer,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


@pytest.mark.parametrize(
    ("function", "additions"),
    [
        (lambda x: tf.add_n([tf.sin(x), tf.cos(x), tf.exp(x)]), 2),
        (lambda x: tf.add_n([x, x * 0.3, x, tf.abs(x), tf.sin(x)]), 4),
        (lambda x: tf.add_n([tf.constant(OFFSETS), tf.sin(x), tf.cos(x)]), 2),
        (lambda x: tf.add_n([tf.sin(x), tf.constant(OFFSETS), tf.cos(x)]), 2),
    ],
)
def test_nothing_changes_in_any_bit(function: KerasFunction, additions: int) -> None:
    before = to_float(function, SHAPE)
    assert "ADD_N" in kinds_of(before)
    after, reason = applied(split_add_n, "ADD_N", before)
    assert reason is None
    assert "ADD_N" not in kinds_of(after)
    assert kinds_of(after).count("ADD") - kinds_of(before).count("ADD") == additions
    x = np.where(np.abs(found := adversarial(SHAPE)) < 80, found, 1).astype(np.float32)
    np.testing.assert_array_equal(on_one_thread(after, x), on_one_thread(before, x))


def test_whole_numbers_are_left() -> None:
    before = to_float(lambda x: tf.cast(tf.add_n([tf.cast(x * n, tf.int32) for n in (1, 2, 3)]), tf.float32), SHAPE)
    after, reason = applied(split_add_n, "ADD_N", before)
    assert reason == "it does not add floats"
    assert kinds_of(after) == kinds_of(before)


def test_a_thermometer_of_steps_is_three_binary_convolutions() -> None:
    check(
        lambda x, w: convolve(steps(x), w, "valid"),
        (1, 6, 6, 32),
        {"LceBconv2d": 3, "CONV_2D": 0},
        filter_of("sign", (3, 3, 32, 8)),
    )
