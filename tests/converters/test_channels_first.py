"""Keras models of data_format="channels_first": the file is channels_last within, and compared in its own layout."""

import os
import subprocess
import sys

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters.keras.layers import run_recorded
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter

pytestmark = pytest.mark.filterwarnings("ignore")
layers = tf.keras.layers
FIRST = {"data_format": "channels_first"}
signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
thresholds = np.linspace(-1, 1, 32, dtype=np.float32)[:, None, None]


def per_channel(x):
    """A threshold for each channel, along the axis that the layer has them on."""
    return larq.quantizers.ste_sign(x - thresholds)


def conv(**options):
    return larq.layers.QuantConv2D(32, 3, use_bias=False, **{**signs, **FIRST, **options})


MODELS = {
    "plain": [conv(), layers.BatchNormalization(1), conv(padding="same", pad_values=1.0)],
    "pooled": [conv(), layers.MaxPool2D(2, **FIRST), layers.BatchNormalization(1), conv()],
    "thresholds": [layers.AveragePooling2D(1, **FIRST), conv(input_quantizer=per_channel), conv()],
    "dense": [conv(), layers.Flatten(), larq.layers.QuantDense(8, **signs)],
    "mixed": [conv(), layers.Permute((2, 3, 1)), larq.layers.QuantConv2D(16, 1, **signs)],
}


ONE_DNN = "TF_ENABLE_ONEDNN_OPTS"


@pytest.mark.skipif(os.environ.get(ONE_DNN) == "1", reason="this is the process that the test starts")
def test_models_in_a_process_whose_tensorflow_can_run_them():
    """TensorFlow's own CPU kernels take channels_last only, those of oneDNN both."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    ended = subprocess.run(command, env=os.environ | {ONE_DNN: "1"}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert f"{len(MODELS)} passed" in ended.stdout


@pytest.mark.skipif(os.environ.get(ONE_DNN) == "1", reason="there it can run")
def test_what_tensorflow_cannot_run_here_is_said_with_the_cure():
    def refuse(x, **options):
        raise tf.errors.UnimplementedError(None, None, "only supports the NHWC tensor format on the CPU")

    model = tf.keras.Sequential([layers.Input((4,)), larq.layers.QuantDense(3, **signs), layers.Lambda(lambda x: x)])
    model.layers[-1].call = refuse
    with pytest.raises(MobileBnnError, match="cannot run the model on this machine") as caught:
        run_recorded(model, [np.ones((2, 4), np.float32)])
    assert "TF_ENABLE_ONEDNN_OPTS=1" in caught.value.cure


@pytest.mark.skipif(os.environ.get(ONE_DNN) != "1", reason="the test above runs it in a process of its own")
@pytest.mark.parametrize("name", MODELS)
def test_it_is_converted_bit_by_bit(name, tmp_path):
    tf.keras.utils.set_random_seed(3)
    model = tf.keras.Sequential([layers.Input((32, 9, 9)), *MODELS[name]])
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([np.random.default_rng(0).uniform(0.3, 2, 32) for _ in range(4)])
    conversion = converters.convert(model, tmp_path / "model.tflite")
    assert len(conversion.layers) == len([layer for layer in model.layers if hasattr(layer, "input_quantizer")])
    assert not sum(layer.flips - layer.ties for layer in conversion.layers)
    assert not conversion.float_layers
    x = np.random.default_rng(1).normal(size=(4, 32, 9, 9)).astype(np.float32)
    with Interpreter(tmp_path / "model.tflite") as interpreter:
        np.testing.assert_allclose(interpreter.predict(x), model(x).numpy(), rtol=1e-4, atol=1e-4)
