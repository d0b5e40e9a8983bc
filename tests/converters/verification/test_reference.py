"""References: where rounding may give a binary layer another input, of quantizers of every kind."""

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.verification.comparison import Comparison
from mobile_bnn.converters.verification.reference import FloatFile, KerasReference
from mobile_bnn.legacy_keras import larq, tf

layers = tf.keras.layers
SHIFT = 0.625  # exact, unlike its sums with most numbers


def window(x):
    """Not monotone: 1 in (-1, 1)."""
    return tf.where(tf.abs(x) < 1.0, 1.0, -1.0)


def upside_down(x):
    return tf.where(x < 1.0, 1.0, -1.0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("quantizer", "thresholds"), [(window, (-1, 1)), (upside_down, (1,)), ("ste_sign", (0,))])
def test_near_is_where_the_quantizer_is_about_to_jump(quantizer, thresholds):
    conv = larq.layers.QuantConv2D(8, 3, input_quantizer=quantizer, kernel_quantizer="ste_sign", name="conv")
    # What a model is given has no rounding: a sum stands for what has.
    model = tf.keras.Sequential([layers.Input((6, 6, 32)), layers.Lambda(lambda x: x + SHIFT), conv])
    source = converters.Source.of_keras(model)
    lowering = lower(source.model.graphs[0], source.quantized)
    assert [layer.name for layer in lowering.binary] == ["conv"]
    generator = np.random.default_rng(0)
    x = generator.normal(size=(2, 6, 6, 32))
    for threshold in thresholds:
        close = threshold - SHIFT + generator.choice([-1e-7, 0, 1e-7], x.shape)
        x = np.where(generator.random(x.shape) < 0.1, close, x)
    x = x.astype(np.float32)
    distance = np.min([np.abs(x.astype(np.float64) + SHIFT - threshold) for threshold in thresholds], 0)
    for reference in (FloatFile(lowering), KerasReference(model, lowering)):
        (call,) = reference.run([x], {}).calls
        assert call.near[distance < 1.2e-7].all()
        assert not call.near[distance > 2e-6].any()
        assert 1e-7 < call.rounding < 1e-5
        exact = np.rint(x * 8).astype(np.float32) / 8
        (call,) = reference.run([exact], {}).calls
        assert (call.near.any(), call.rounding) == (False, 0)
    assert (distance < 1.2e-7).sum() > 100


def test_a_layer_that_is_wrong_is_blamed_alone():
    """What comes after it computes with its bits in the reference too, so that nothing else hides or looks wrong."""
    signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "padding": "same", "pad_values": 1.0}
    names = ["one", "two", "three", "four"]
    model = tf.keras.Sequential(
        [layers.Input((6, 6, 32)), *(larq.layers.QuantConv2D(32, 3, name=name, **signs) for name in names)]
    )
    source = converters.Source.of_keras(model)
    graph = source.model.graphs[0]
    lowering = lower(graph, source.quantized)
    second = [operator for operator in graph.operators if operator.op_type == "LceBconv2d"][1]
    threshold = second.inputs[4]
    threshold.set_values(threshold.values + np.arange(32, dtype=np.int32) % 2)  # by one: a few bits of "three"
    flatbuffer = source.model.write()
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 32)).astype(np.float32)
    for reference in (FloatFile(lowering), KerasReference(model, lowering)):
        comparison = Comparison(lowering, flatbuffer, reference)
        comparison.add([x])
        flips = {check.layer: check.flips for check in comparison.checks()}
        assert flips.pop("three") > 0
        assert set(flips.values()) == {0}
        (error,) = comparison.errors
        assert error.startswith("three: ")
