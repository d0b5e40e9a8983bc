"""Filters of two values after float inputs: packed in the file, and the same results as with the float filter."""

import numpy as np
import pytest
from float_files import to_float

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.rules.compress import pack_float_filters
from mobile_bnn.converters.storage.float_weights import float_weights
from mobile_bnn.converters.storage.int8 import quantize_int8
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.legacy_keras import tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt


def lowered(flatbuffer: bytes) -> TfliteModel:
    model = TfliteModel.read(flatbuffer)
    lower(model.graphs[0])
    return model


def run(flatbuffer: bytes, x: np.ndarray) -> np.ndarray:
    with Interpreter(flatbuffer) as litert:
        return np.asarray(litert.predict(x))


def signs(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.float32([-1, 1]), shape)


def scales(channels: int) -> np.ndarray:
    scale = np.random.default_rng(1).uniform(0.1, 2, channels).astype(np.float32)
    scale[0] = 0  # a channel that does nothing
    return scale


BIAS = np.random.default_rng(2).normal(size=40).astype(np.float32)
CASES: dict[str, tuple[KerasFunction, tuple[int, ...], list[str]]] = {
    "convolution": (
        lambda x: tf.nn.conv2d(x, signs((3, 3, 33, 40)), 1, "SAME"), (1, 6, 6, 33), ["LceDequantize", "CONV_2D"],
    ),
    "its bias and activation": (
        lambda x: tf.nn.relu6(tf.nn.conv2d(x, signs((3, 3, 33, 40)), 2, "VALID") + BIAS), (2, 7, 6, 33),
        ["LceDequantize", "CONV_2D"],
    ),
    "scales": (
        lambda x: tf.nn.conv2d(x, signs((3, 3, 33, 40)) * scales(40), 1, "SAME"), (1, 6, 6, 33),
        ["LceDequantize", "CONV_2D", "MUL"],
    ),
    "scales, bias and activation": (
        lambda x: tf.nn.relu6(tf.nn.conv2d(x, signs((3, 3, 33, 40)) * scales(40), 1, "SAME") + BIAS), (1, 6, 6, 33),
        ["LceDequantize", "CONV_2D", "MUL", "ADD"],
    ),
    "depthwise": (
        lambda x: tf.nn.relu(tf.nn.depthwise_conv2d(x, signs((3, 3, 40, 1)), [1, 1, 1, 1], "SAME") + BIAS),
        (1, 6, 6, 40), ["LceDequantize", "DEPTHWISE_CONV_2D"],
    ),
    "depthwise with scales": (
        lambda x: tf.nn.depthwise_conv2d(x, signs((3, 3, 20, 2)) * scales(40).reshape(20, 2), [1, 1, 1, 1], "SAME"),
        (1, 6, 6, 20), ["LceDequantize", "DEPTHWISE_CONV_2D", "MUL"],
    ),
    "dense": (
        lambda x: tf.nn.relu(tf.matmul(x, signs((90, 40))) + BIAS), (3, 90), ["LceDequantize", "FULLY_CONNECTED"],
    ),
    "dense with scales": (
        lambda x: tf.nn.relu(tf.matmul(x, signs((90, 40)) * scales(40)) + BIAS), (3, 90),
        ["LceDequantize", "FULLY_CONNECTED", "MUL", "ADD"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_equals_float(name: str) -> None:
    function, shape, kinds = CASES[name]
    flatbuffer = to_float(function, shape)
    model = lowered(flatbuffer)
    packed = model.write()
    assert [operator.op_type for operator in model.graphs[0].operators] == kinds
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    expected = run(flatbuffer, x)
    tolerance = {"rtol": 1e-5, "atol": 1e-5 * np.abs(expected).max()}
    np.testing.assert_allclose(run(packed, x), expected, **tolerance)


@pytest.mark.parametrize("name", CASES)
def test_lces_interpreter_runs_it_too(name: str) -> None:
    function, shape, _ = CASES[name]
    flatbuffer = to_float(function, (1, *shape[1:]))
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    expected = run(flatbuffer, x[:1])
    theirs = interpreter(lowered(flatbuffer).write()).predict(x[:1])
    np.testing.assert_allclose(theirs, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_the_file_holds_one_bit_for_each_weight() -> None:
    flatbuffer = to_float(lambda x: tf.nn.conv2d(x, signs((3, 3, 128, 256)), 1, "SAME"), (1, 4, 4, 128))
    assert len(flatbuffer) > 3 * 3 * 128 * 256 * 4
    assert len(lowered(flatbuffer).write()) < 3 * 3 * 128 * 256 / 8 + 4000  # the bias has 1024 bytes


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (np.random.default_rng(0).normal(size=(3, 3, 64, 8)).astype(np.float32), "on no grid"),
        (np.where(signs((3, 3, 64, 8)) > 0, np.float32(0.75), np.float32(-0.25)), "one number and its negative"),
        (signs((3, 3, 64, 8)) * (signs((3, 3, 64, 8), 1) > 0), "one number and its negative"),
        (signs((3, 3, 1, 8)), "would not be smaller"),
    ],
)
def test_refusals_say_why(weights: np.ndarray, reason: str) -> None:
    flatbuffer = to_float(lambda x: tf.nn.conv2d(x, weights, 1, "SAME"), (1, 4, 4, weights.shape[2]))
    (graph,) = TfliteModel.read(flatbuffer).graphs
    (operator,) = graph.operators
    answer = attempt(pack_float_filters, graph, operator)
    assert answer is not None
    assert reason in answer


def test_a_computed_filter_is_none() -> None:
    flatbuffer = to_float(lambda x: tf.nn.conv2d(x, tf.reshape(x, (2, 2, 8, 2)), 1, "SAME"), (1, 4, 2, 8))
    (graph,) = TfliteModel.read(flatbuffer).graphs
    (operator,) = (operator for operator in graph.operators if operator.op_type == "CONV_2D")
    assert attempt(pack_float_filters, graph, operator) == "input 1 of CONV_2D is not a constant"


def test_smaller_forms_of_the_rest_leave_it_alone() -> None:
    dense = np.random.default_rng(3).normal(size=(36 * 40, 10)).astype(np.float32)

    def function(x: KerasTensor) -> KerasTensor:
        y = tf.nn.relu(tf.nn.conv2d(x, signs((3, 3, 64, 40)) * scales(40), 1, "SAME") + BIAS)
        return tf.nn.softmax(tf.matmul(tf.reshape(y, (1, -1)), dense) / 1000)

    model = lowered(to_float(function, (1, 6, 6, 64)))
    x = np.random.default_rng(0).normal(size=(50, 1, 6, 6, 64)).astype(np.float32)
    expected = np.concatenate([run(model.write(), image) for image in x])
    assert expected.std(0).min() > 0.02
    for other, error in (
        (float_weights(model, "float16"), 2e-4),
        (float_weights(model, "int8"), 5e-3),
        (quantize_int8(model, [x[:, 0]]), 0.015),
    ):
        assert [operator.op_type for operator in other.graphs[0].operators].count("LceDequantize") == 1
        assert len(other.write()) < len(model.write())
        actual = np.concatenate([run(other.write(), image) for image in x])
        np.testing.assert_allclose(actual, expected, rtol=0, atol=error)
