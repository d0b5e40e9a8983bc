"""Dense layers of few-valued inputs and weights, also after Flatten, equal the float file."""

import numpy as np
import pytest
from float_files import to_float
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.keras.export import export
from mobile_bnn.converters.lowering import lower
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.linear_rules import FILTERS, INPUTS, check, filter_of, kinds_of, run, sign

layers = tf.keras.layers
SIGNS = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 999),
    kinds=st.tuples(st.sampled_from(sorted(INPUTS)), st.sampled_from(FILTERS)),
    shape=st.sampled_from([(1, 70), (3, 64), (1, 4, 3, 32), (2, 2, 3, 16), (1, 5, 5, 20), (1, 6, 40), (1, 1, 1, 33)]),
    flatten=st.sampled_from(["before", "after", "not"]),
    activation=st.sampled_from([tf.identity, tf.nn.relu, tf.nn.relu6]),
)
def test_equals_float(
    seed: int, kinds: tuple[str, str], shape: tuple[int, ...], flatten: str, activation: KerasFunction
) -> None:
    features = shape[-1] if flatten == "not" else int(np.prod(shape[1:]))
    weights = filter_of(kinds[1], (features, 5), seed)
    bias = tf.constant(np.random.default_rng(seed).normal(size=5), tf.float32)

    def function(x: KerasTensor) -> KerasTensor:
        flat = [-1, features]
        if flatten == "before":
            y = INPUTS[kinds[0]](tf.reshape(x, flat))
        else:
            y = INPUTS[kinds[0]](x)
            y = tf.reshape(y, flat) if flatten == "after" else y
        return activation(tf.tensordot(y, weights, 1) + bias)

    check(to_float(function, shape), shape)


def test_a_flattened_input_of_thresholds_by_channel_is_packed_from_its_source() -> None:
    weights, scale = filter_of("sign", (4 * 4 * 32, 5)), np.linspace(0.5, 2, 32, dtype=np.float32)

    def function(x: KerasTensor) -> KerasTensor:
        return tf.tensordot(tf.reshape(larq.quantizers.DoReFa(2)(x * scale), [-1, 4 * 4 * 32]), weights, 1)

    check(to_float(function, (1, 4, 4, 32)), (1, 4, 4, 32), {"ROUND": 0, "LceQuantize": 3})


def keras_dense(size: tuple[int, ...], **options: object) -> tf.keras.Model:
    image = layers.Input(size)
    x = layers.Flatten()(image) if options.pop("flatten", True) else image
    return tf.keras.Model(image, larq.layers.QuantDense(8, **SIGNS, **options)(x))


def test_a_flattened_map_of_whole_words_is_packed_before_it_is_flattened() -> None:
    flatbuffer = export(keras_dense((6, 6, 64))).write()
    assert "FULLY_CONNECTED" in kinds_of(flatbuffer)  # the export adds a bias, or TensorFlow loses activations
    check(flatbuffer, (1, 6, 6, 64), {"LceQuantize": 1, "LceBconv2d": 1, "RESHAPE": 1, "SIGN": 0})


def test_a_flattened_map_of_half_words_is_packed_flat() -> None:
    binary = check(export(keras_dense((6, 6, 16))).write(), (1, 6, 6, 16), {"RESHAPE": 2, "LceQuantize": 1})
    assert len(binary) < 8 * 6 * 6 * 16 / 8 + 2500


def test_the_flattened_outputs_of_a_step_function_are_its_packed_words() -> None:
    weights = filter_of("scaled", (2 * 3 * 64, 8))
    function = lambda x: tf.reshape(sign(x), [1, -1]) @ weights  # noqa: E731
    check(to_float(function, (1, 2, 3, 64)), (1, 2, 3, 64), {"LceQuantize": 1, "LceBconv2d": 1, "RESHAPE": 1})


def test_thresholds_of_each_feature() -> None:
    shift = tf.constant(np.random.default_rng(0).normal(size=3 * 3 * 32), tf.float32)
    weights = filter_of("sign", (3 * 3 * 32, 8))
    function = lambda x: tf.where(tf.reshape(x, [1, -1]) < shift, 1.0, -1.0) @ weights  # noqa: E731
    check(to_float(function, (1, 3, 3, 32)), (1, 3, 3, 32), {"LceQuantize": 1, "LceBconv2d": 1, "RESHAPE": 1})


@pytest.mark.parametrize("size", [(40,), (6, 40), (4, 5, 40), (2, 3, 4, 40)], ids=str)
@pytest.mark.parametrize("batch_size", [1, 3, None])
@pytest.mark.parametrize("options", [{"use_bias": False}, {"activation": "relu", "bias_initializer": "ones"}], ids=str)
def test_every_rank_and_batch(size: tuple[int, ...], batch_size: int | None, options: dict[str, object]) -> None:
    model = keras_dense(size, flatten=False, **options)
    flatbuffer = export(model, batch_size).write()
    shape = (batch_size or 1, *size)
    binary = check(flatbuffer, shape)
    if batch_size is None:
        x = np.random.default_rng(0).normal(size=(5, *size)).astype(np.float32)
        np.testing.assert_allclose(run(binary, x), model(x), rtol=1e-5, atol=1e-5)


def test_an_open_batch_after_flatten() -> None:
    model = keras_dense((4, 4, 32))
    binary = check(export(model, None).write(), (1, 4, 4, 32))
    x = np.random.default_rng(0).normal(size=(7, 4, 4, 32)).astype(np.float32)
    np.testing.assert_allclose(run(binary, x), model(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: tf.reshape(x, [1, -1]) @ filter_of("sign", (128, 4)), "not quantized"),
        (lambda x: sign(tf.reshape(x, [1, -1])) @ tf.linspace([1.0] * 4, [2.0] * 4, 128), "no grid"),
    ],
)
def test_refusals_say_why(function: KerasFunction, reason: str) -> None:
    linear = lower(TfliteModel.read(to_float(function, (1, 2, 2, 32))).graphs[0]).layers
    assert [reason in layer.reason for layer in linear] == [True]
