"""A .tflite that is quantized already: refused with the reason, never lowered and never silently left as it is."""

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.refusals import RefusalCode
from mobile_bnn.converters.storage.int8 import quantize_int8
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter

pytestmark = pytest.mark.filterwarnings("ignore")
layers = tf.keras.layers
signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}


def model():
    tf.keras.utils.set_random_seed(0)
    nets = [layers.Conv2D(32, 3), *(larq.layers.QuantConv2D(32, 3, **signs) for _ in range(2)), layers.Flatten()]
    return tf.keras.Sequential([layers.Input((10, 10, 3)), *nets, layers.Dense(10)])


def converter(keras):
    signature = tf.TensorSpec((1, *keras.input_shape[1:]))
    function = tf.function(lambda x: keras(x, training=False)).get_concrete_function(signature)
    made = tf.lite.TFLiteConverter.from_concrete_functions([function], keras)
    made.optimizations = [tf.lite.Optimize.DEFAULT]
    return made


def samples():
    generator = np.random.default_rng(0)
    for _ in range(4):
        yield [generator.normal(size=(1, 10, 10, 3)).astype(np.float32)]


@pytest.mark.parametrize("ends", ["float32", "int8"])
def test_a_quantized_file_is_refused_as_such(ends, tmp_path):
    made = converter(model())
    made.optimizations = []
    calibration = [np.concatenate([x for (x,) in samples()])]
    flatbuffer = quantize_int8(TfliteModel.read(made.convert()), calibration, ends, ends).write()
    for ask in (converters.lint, lambda file: converters.convert(file, tmp_path / "m.tflite")):
        with pytest.raises(MobileBnnError, match="quantized already: its layers compute with int8") as caught:
            ask(flatbuffer)
        assert "float model" in caught.value.cure
    assert not (tmp_path / "m.tflite").exists()


def test_weights_of_float16_are_folded(tmp_path):
    keras = model()
    made = converter(keras)
    made.target_spec.supported_types = [tf.float16]
    conversion = converters.convert(made.convert(), tmp_path / "m.tflite")
    assert len(conversion.layers) == 2
    x = next(samples())[0]
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        # Rounded weights of the first layer flip bits behind it.
        assert interpreter.predict(x).shape == keras(x).shape


def test_weights_of_dynamic_range_are_named(tmp_path):
    """Their layers round what they read to int8: the large ones of the file, while small ones stay float."""
    floats = converter(model()).convert()
    found = converters.lint(floats)
    codes = [finding.code for finding in found if finding.declared == "binary"]
    assert codes
    assert set(codes) == {RefusalCode.QUANTIZED}
    with pytest.raises(MobileBnnError):
        converters.convert(floats, tmp_path / "m.tflite")
