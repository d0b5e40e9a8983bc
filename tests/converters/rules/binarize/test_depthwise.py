"""Depthwise convolutions of few-valued inputs and filters equal the float file."""

import numpy as np
import pytest
from float_files import to_float
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.keras.export import export
from mobile_bnn.converters.lowering import lower
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.linear_rules import INPUTS, check, filter_of, sign

layers = tf.keras.layers
SIGNS = {"input_quantizer": "ste_sign", "depthwise_quantizer": "ste_sign"}


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 999),
    kinds=st.tuples(st.sampled_from(sorted(INPUTS)), st.sampled_from(["sign", "scaled", "ternary"])),
    channels=st.sampled_from([1, 7, 32, 40, 96, 70]),
    multiplier=st.integers(1, 3),
    stride=st.integers(1, 2),
    dilation=st.integers(1, 2),
    padding=st.sampled_from(["SAME", "one", "VALID"]),
)
def test_equals_float(
    seed: int, kinds: tuple[str, str], channels: int, multiplier: int, stride: int, dilation: int, padding: str
) -> None:
    weights = tf.reshape(filter_of(kinds[1], (3, 3, channels * multiplier), seed), (3, 3, channels, multiplier))

    def function(x: KerasTensor) -> KerasTensor:
        y = INPUTS[kinds[0]](x)
        if padding == "one":
            y = tf.pad(y, [(0, 0), (1, 2), (1, 2), (0, 0)], constant_values=1.0)
        mode = "SAME" if padding == "SAME" else "VALID"
        strides, dilations = (stride, 1) if dilation == 1 else (1, dilation)
        return tf.nn.depthwise_conv2d(y, weights, (1, strides, strides, 1), mode, dilations=(dilations, dilations))

    shape = (1, 6, 7, channels)
    check(to_float(function, shape), shape)


@pytest.mark.parametrize("options", [{"padding": "same"}, {"depth_multiplier": 2, "strides": 2}], ids=str)
def test_larqs_depthwise_layer(options: dict[str, object]) -> None:
    image = layers.Input((6, 6, 64))
    model = tf.keras.Model(image, larq.layers.QuantDepthwiseConv2D(3, **options, **SIGNS)(image))
    check(export(model).write(), (1, 6, 6, 64), {"LceQuantize": 1, "LceBconv2d": 2})


def test_the_depthwise_half_of_a_separable_layer() -> None:
    """The other half has binary weights and a float input, which is no sum of signs."""
    image = layers.Input((6, 6, 32))
    layer = larq.layers.QuantSeparableConv2D(8, 3, **SIGNS, pointwise_quantizer="ste_sign")
    (graph,) = export(tf.keras.Model(image, layer(image))).graphs
    depthwise, pointwise = lower(graph).layers
    assert depthwise.binary
    assert "its input is not quantized" in pointwise.reason


def test_a_filter_of_whole_words_takes_twice_its_floats() -> None:
    weights = tf.reshape(filter_of("sign", (3, 3, 64)), (3, 3, 64, 1))
    shape = (1, 6, 6, 64)
    function = lambda x: tf.nn.depthwise_conv2d(sign(x), weights, (1, 1, 1, 1), "SAME")  # noqa: E731
    (graph,) = TfliteModel.read(check(to_float(function, shape), shape)).graphs
    filters = [operator.inputs[1] for operator in graph.operators if operator.op_type == "LceBconv2d"]
    assert sum(tensor.content.size for tensor in filters) == 2 * np.prod(weights.shape) * 4
