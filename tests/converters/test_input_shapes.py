"""Models of open height and width: `--input-shape` for Keras models, SavedModels and float files."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn import converters
from mobile_bnn.cli.main import app
from mobile_bnn.converters.input_shapes import parse_input_shapes
from mobile_bnn.converters.source import Source
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter

pytestmark = pytest.mark.filterwarnings("ignore")
layers = tf.keras.layers
signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "padding": "same", "pad_values": 1.0}


def model():
    tf.keras.utils.set_random_seed(0)
    image = layers.Input((None, None, 3), name="image")
    x = larq.layers.QuantConv2D(32, 3, name="binary", **signs)(layers.Conv2D(32, 3)(image))
    return tf.keras.Model(image, layers.Dense(4, name="scores")(layers.GlobalAveragePooling2D()(x)))


class Function(tf.Module):
    """The same as a SavedModel without Keras."""

    def __init__(self, keras):
        super().__init__()
        self.keras = keras

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), name="image")])
    def __call__(self, image):
        return {"scores": self.keras(image, training=False)}


def saved(kind, folder):
    """A path of the model."""
    keras = model()
    if kind == "keras":
        keras.save(folder / "m.keras")
        return keras, folder / "m.keras"
    module = Function(keras)
    tf.saved_model.save(module, str(folder / "saved"), {"serving_default": module.__call__})
    return keras, folder / "saved"


def check(keras, path):
    x = np.random.default_rng(0).normal(size=(2, 12, 10, 3)).astype(np.float32)
    with Interpreter(path) as interpreter:
        assert interpreter.input_details[0]["shape"].tolist() == [1, 12, 10, 3]
        np.testing.assert_allclose(interpreter.predict(x), keras(x).numpy(), rtol=1e-4, atol=1e-4)
        return interpreter.input_names, interpreter.output_names


@pytest.mark.parametrize("kind", ["keras", "saved"])
def test_the_command_line_says_what_to_do_and_does_it(kind, tmp_path):
    keras, path = saved(kind, tmp_path)
    for command in ("lint", "convert"):
        refused = CliRunner().invoke(app, [command, str(path)])
        assert refused.exit_code == 1
        assert "is not fixed" in refused.output
        assert "--input-shape 224x224x3" in refused.output
    linted = CliRunner().invoke(app, ["lint", str(path), "--input-shape", "12x10x3", "--json"])
    assert [row["converted_to"] for row in json.loads(linted.stdout)["layers"]] == ["float", "binary", "float"]
    output = tmp_path / "out.tflite"
    done = CliRunner().invoke(app, ["convert", str(path), "--input-shape", "12x10x3", "--output", str(output)])
    assert done.exit_code == 0, done.output
    assert check(keras, output) == (["image"], ["scores"])


def test_several_inputs_by_name(tmp_path):
    left, right = layers.Input((None, None, 32), name="left"), layers.Input((8,), name="right")
    x = layers.GlobalAveragePooling2D()(larq.layers.QuantConv2D(8, 3, **signs)(left))
    keras = tf.keras.Model([left, right], layers.Add(name="sum")([x, right]))
    source = Source.of_keras(keras, input_shape={"left": (6, 5, 32)})
    converters.convert(source, tmp_path / "m.tflite")
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        assert interpreter.input_names == ["left", "right"]
        assert interpreter.output_names == ["sum"]
    with pytest.raises(UsageError, match="the model has 2 inputs"):
        Source.of_keras(keras, input_shape=(6, 5, 32))
    with pytest.raises(UsageError, match="middle"):
        Source.of_keras(keras, input_shape={"middle": (6, 5, 32)})
    with pytest.raises(UsageError, match=r"the input left is [?]x[?]x32, which 6x5x3 does not fit"):
        Source.of_keras(keras, input_shape={"left": (6, 5, 3)})
    with pytest.raises(MobileBnnError, match="is not fixed"):
        Source.of_keras(keras, input_shape={"right": (8,)})


@pytest.mark.parametrize("text", ["12x10", "12xx3", "12x0x3", "ax3", "image=", "-1x3x3"])
def test_shapes_that_are_none_are_refused(text):
    if text == "12x10":
        assert parse_input_shapes([text]) == (12, 10)
    else:
        with pytest.raises(UsageError, match="is not an input shape"):
            parse_input_shapes([text])


def test_names_are_needed_for_several():
    assert parse_input_shapes(["a=1x2", "b=3"]) == {"a": (1, 2), "b": (3,)}
    assert parse_input_shapes(None) is None
    for texts in (["1x2", "3"], ["a=1x2", "3"], ["a=1", "a=2"]):
        with pytest.raises(UsageError, match="need names"):
            parse_input_shapes(texts)


def test_a_float_file_of_open_sizes(tmp_path):
    """One of TFLite's own tells open sizes in its shape signature."""
    plain = tf.function(lambda image: tf.nn.conv2d(image, FILTERS, 1, "SAME"))
    signed = tf.function(lambda image: plain(tf.where(image >= 0.1, 1.0, -1.0)))
    concrete = signed.get_concrete_function(tf.TensorSpec((1, None, None, 32), name="image"))
    flatbuffer = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    (open_,) = converters.lint(flatbuffer)
    assert open_.converted_to == "float"
    source = Source.of_tflite(flatbuffer, (12, 10, 32))
    converters.convert(source, tmp_path / "m.tflite")
    x = np.random.default_rng(0).normal(size=(1, 12, 10, 32)).astype(np.float32)
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        np.testing.assert_allclose(interpreter.predict(x), signed(tf.constant(x)), atol=1e-5)
    with pytest.raises(UsageError, match="does not fit"):
        Source.of_tflite(flatbuffer, (12, 10, 3))


FILTERS = np.where(np.random.default_rng(1).random((3, 3, 32, 8)) < 0.5, -1, 1).astype(np.float32)
