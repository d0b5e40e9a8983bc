"""Conversion: what is written computes what Keras computes; what would not is refused with the reason."""

import re
from pathlib import Path

import numpy as np
import pytest
from calibrated import calibrated
from litert_runs import run

from mobile_bnn import converters, zoo
from mobile_bnn.converters.keras.layers import binary_layers
from mobile_bnn.converters.keras.lce_converter import to_binary
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.source import load_model
from mobile_bnn.converters.verification.comparison import Comparison
from mobile_bnn.converters.verification.instrument import LceRunner
from mobile_bnn.converters.verification.reference import KerasReference
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter, ModelMetadata, Normalization, operator_table, read_metadata

layers = tf.keras.layers
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}


def sequential(*stack):
    tf.keras.utils.set_random_seed(3)
    return tf.keras.Sequential(list(stack))


@pytest.mark.parametrize(
    ("name", "method", "size"),
    [
        ("binary_lenet", "bnn", 12),
        ("binary_lenet", "xnor_net", 8),
        ("resnet20", "bi_real", 16),
        ("binary_net", "bnn", 16),
    ],
)
def test_zoo_models_convert_and_equal_keras(tmp_path, name, method, size):
    tf.keras.utils.set_random_seed(5)
    model = calibrated(zoo.build(name, method, (size, size, 3), 7))
    conversion = converters.convert(model, tmp_path / "m.tflite")
    assert not conversion.float_layers
    assert [layer.layer for layer in conversion.layers] == [layer.name for layer in binary_layers(model)]
    assert all(layer.bits for layer in conversion.layers)
    assert sum(layer.flips - layer.ties - layer.consequences for layer in conversion.layers) == 0

    x = np.random.default_rng(1).uniform(-1, 1, (5, size, size, 3)).astype(np.float32)
    import larq_compute_engine as lce

    theirs = lce.testing.Interpreter((tmp_path / "m.tflite").read_bytes(), use_reference_bconv=True).predict(x)
    keras = model.predict(x, verbose=0)
    assert keras.std(0).max() > 0.01  # or else the images would not show in it
    np.testing.assert_allclose(theirs, keras, rtol=1e-5, atol=1e-5)


def test_zero_one_activations_and_ternary_ones_are_binary(tmp_path):
    tf.keras.utils.set_random_seed(5)
    for model in (
        zoo.build("binary_lenet", "dorefa", (8, 8, 1), 4),
        sequential(
            layers.Input((6, 6, 32)),
            larq.layers.QuantConv2D(
                32, 3, padding="same", pad_values=1.0, name="conv", **{**SIGN, "input_quantizer": "ste_tern"}
            ),
        ),
    ):
        conversion = converters.convert(calibrated(model), tmp_path / "m.tflite")
        assert not conversion.float_layers
        assert [layer.layer for layer in conversion.layers] == [layer.name for layer in binary_layers(model)]


def small_map():
    """Where LCE is wrong: zero padding on a map smaller than the filter."""
    conv = {"padding": "same", **SIGN}
    return calibrated(
        sequential(
            layers.Input((2, 2, 64)),
            larq.layers.QuantConv2D(64, 3, name="conv_1", **conv),
            layers.BatchNormalization(),
            larq.layers.QuantConv2D(64, 3, name="conv_2", **conv),
        )
    )


def shifted():
    """Where LCE is a pixel off: symmetric padding with stride 2."""
    return sequential(
        layers.Input((8, 8, 3)),
        layers.ZeroPadding2D(1),
        layers.Conv2D(32, 3, strides=2, name="stem"),
        larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1.0, name="conv", **SIGN),
    )


@pytest.mark.parametrize(("make", "layer"), [(small_map, "conv_2"), (shifted, "conv")])
def test_what_lce_converts_wrongly_is_caught_and_right_by_our_rules(tmp_path, make, layer):
    model = make()
    message = rf"does not compute what the float file computes: {layer}: \d+ of \d+ input bits differ"
    with pytest.raises(MobileBnnError, match=message):
        converters.convert(model, tmp_path / "m.tflite", via="lce")
    assert not list(tmp_path.iterdir())
    assert converters.convert(model, tmp_path / "m.tflite").layers[-1].layer == layer


@pytest.mark.filterwarnings("ignore")
def test_ternary_activations_that_lce_takes_for_signs_are_caught(tmp_path):
    ternary = {**SIGN, "input_quantizer": "ste_tern"}
    model = sequential(
        layers.Input((6, 6, 32)), larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1.0, name="conv", **ternary)
    )
    with pytest.raises(MobileBnnError, match="the converted file does not compute what the float file computes: "):
        converters.convert(model, tmp_path / "m.tflite", via="lce")
    assert not list(tmp_path.iterdir())


def test_layers_that_would_stay_float_must_be_allowed(tmp_path):
    model = sequential(
        layers.Input((8, 8, 32)),
        larq.layers.QuantConv2D(32, 3, name="conv", **SIGN),
        layers.Reshape((6, 6, 32, 1)),
        larq.layers.QuantConv3D(32, 3, name="volume", **SIGN),
    )
    with pytest.raises(MobileBnnError, match=r"^volume is declared binary and would be float: .*CONV_3D"):
        converters.convert(model, tmp_path / "m.tflite")
    with pytest.raises(UsageError, match=r"unknown layer 'uq'. Known: conv, volume"):
        converters.convert(model, tmp_path / "m.tflite", allow_float=["uq"])
    assert not list(tmp_path.iterdir())
    conversion = converters.convert(model, tmp_path / "m.tflite", allow_float=["volume"])
    assert list(conversion.float_layers) == ["volume"]


@pytest.mark.filterwarnings("ignore")
def test_inputs_that_are_no_images(tmp_path):
    for shape, layer in [
        ((64,), larq.layers.QuantDense(32, name="binary", activation="relu", use_bias=False, **SIGN)),
        ((20, 64), larq.layers.QuantConv1D(32, 3, name="binary", **SIGN)),
    ]:
        conversion = converters.convert(sequential(layers.Input(shape), layer), tmp_path / "m.tflite")
        assert [check.layer for check in conversion.layers] == ["binary"]
        assert read_metadata(tmp_path / "m.tflite").input_shape == shape


@pytest.mark.filterwarnings("ignore")
def test_the_pointwise_half_of_a_separable_layer_did_not_ask(tmp_path):
    quantizers = dict.fromkeys(("input_quantizer", "depthwise_quantizer", "pointwise_quantizer"), "ste_sign")
    separable = larq.layers.QuantSeparableConv2D(32, 3, name="separable", **quantizers)
    conversion = converters.convert(sequential(layers.Input((8, 8, 64)), separable), tmp_path / "m.tflite")
    assert not conversion.float_layers
    assert [check.layer for check in conversion.layers] == ["separable"]


def test_several_inputs_and_outputs(tmp_path):
    left, right = layers.Input((8, 8, 32), name="left"), layers.Input((8, 8, 32), name="right")
    conv = larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1.0, name="conv", **SIGN)
    x = conv(left)
    model = tf.keras.Model([left, right], [layers.Add()([x, right]), layers.GlobalAveragePooling2D()(x)])
    conversion = converters.convert(model, tmp_path / "m.tflite")
    assert [layer.layer for layer in conversion.layers] == ["conv"]


@pytest.mark.parametrize("batch_size", [3, None])
def test_larger_batches(tmp_path, batch_size):
    model = zoo.build("resnet20", "bi_real", (8, 8, 1), 3)
    converters.convert(model, tmp_path / "m.tflite", batch_size=batch_size)
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype(np.float32)
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        np.testing.assert_allclose(interpreter.predict(x), model.predict(x, verbose=0), rtol=1e-5, atol=1e-5)


def test_exact_zeros_before_a_sign_are_ties_not_errors():
    """conv, batch norm, conv: where Keras gives exactly 0, the file may be an ulp off."""
    conv = {"padding": "same", **SIGN}
    model = sequential(
        layers.Input((8, 8, 32)),
        larq.layers.QuantConv2D(32, 3, name="conv_1", **conv),
        layers.BatchNormalization(),
        larq.layers.QuantConv2D(32, 3, name="conv_2", **conv),
    )
    model.layers[1].set_weights([np.full(32, 0.3), np.zeros(32), np.full(32, 2.0), np.full(32, 7.0)])
    source = converters.Source.of_keras(model)
    lowering = lower(source.model.graphs[0], source.quantized)
    comparison = Comparison(lowering, to_binary(model), KerasReference(model, lowering), LceRunner)
    comparison.add([np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 32)).astype(np.float32)])
    assert not comparison.errors
    second = comparison.checks()[1]
    assert second.flips == second.ties > 0


def test_shared_and_nested_layers_are_compared_too(tmp_path):
    shared = larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1.0, name="shared", **SIGN)
    inner = sequential(
        layers.Input((6, 6, 32)), larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1.0, name="inner", **SIGN)
    )
    image = layers.Input((6, 6, 32))
    x = layers.BatchNormalization()(shared(image))
    x = layers.BatchNormalization()(shared(x))
    model = calibrated(tf.keras.Model(image, inner(x)))
    conversion = converters.convert(model, tmp_path / "m.tflite")
    assert [layer.layer for layer in conversion.layers] == ["shared", "shared", "inner"]


def test_the_file_carries_its_metadata(tmp_path):
    model = zoo.build("resnet20", "bi_real", (8, 8, 1), 3)
    record = ModelMetadata(
        zoo_model="resnet20",
        method="bi_real",
        dataset="shapes",
        labels=["a", "b", "ü"],
        input_shape=(8, 8, 1),
        normalization=Normalization(mean=[127.5], std=[127.5]),
        binary_macs=0,
        float_macs=0,
    )
    converters.convert(model, tmp_path / "m.tflite", metadata=record)
    found = read_metadata(tmp_path / "m.tflite")
    operators = operator_table(tmp_path / "m.tflite")
    assert found.labels == ["a", "b", "ü"]
    assert (found.binary_macs, found.float_macs) == (operators.total("binary_macs"), operators.total("float_macs"))
    assert found.binary_macs > 0
    assert found.versions["larq-compute-engine"] == "0.16.0"
    assert {"mobile_bnn", "tensorflow", "larq"} <= set(found.versions)


def test_binary_weights_of_float_inputs_are_stored_as_bits_where_float_layers_are_allowed(tmp_path):
    options = {"kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    stack = [larq.layers.QuantConv2D(64, 3, **options) for _ in range(2)]
    model = sequential(layers.Input((8, 8, 16)), *stack)
    conversion = converters.convert(model, tmp_path / "m.tflite", allow_float="all")
    assert conversion.layers == []
    x = np.random.default_rng(2).uniform(-1, 1, (1, 8, 8, 16)).astype(np.float32)
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        np.testing.assert_allclose(interpreter.predict(x), model.predict(x, verbose=0), rtol=1e-5, atol=1e-3)
    weights = sum(int(tf.size(weight)) for weight in model.weights)
    assert weights / 8 < (tmp_path / "m.tflite").stat().st_size < weights / 2


def test_the_float_file_equals_keras_in_stock_litert(tmp_path):
    model = calibrated(zoo.build("resnet20", "bi_real", (16, 16, 3), 4))
    path = converters.convert_float(model, tmp_path / "f.tflite")
    x = np.random.default_rng(2).uniform(-1, 1, (1, 16, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(run(path.read_bytes(), x), model.predict(x, verbose=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: sequential(layers.Input((8, 8, 3)), layers.Conv2D(4, 3)),
            "the model has no binary layer: no linear operator has quantized weights and a quantized input",
        ),
        (
            lambda: sequential(
                layers.Input((8, 8, 3)), larq.layers.QuantConv2D(4, 3, kernel_quantizer="ste_sign", name="c")
            ),
            "no linear operator has quantized weights and a quantized input; c only quantized weights",
        ),
        (
            lambda: sequential(layers.Input((None, None, 3)), larq.layers.QuantConv2D(4, 3, **SIGN)),
            "the model's input shape (None, None, 3) is not fixed. --input-shape 224x224x3 (input_shape=(224, 224, 3)",
        ),
        (
            lambda: type("Own", (tf.keras.Model,), {})(name="own"),
            "the inputs of model own are not known. Call the model once, or convert "
            "tf.keras.Model(image, model(image)) with image = ",
        ),
        (
            tf.Module,
            "Module is not a model of Keras 2, to which Larq's layers belong. Build the model with tf_keras, or "
            "convert ",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_models_that_cannot_be_converted(tmp_path, make, message):
    with pytest.raises(MobileBnnError, match=re.escape(message)):
        converters.convert(make(), tmp_path / "m.tflite")
    assert not list(tmp_path.iterdir())


def test_loading_what_is_no_keras_model(tmp_path):
    with pytest.raises(UsageError, match="there is no Keras model"):
        load_model(tmp_path / "nowhere.keras")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"PK\x03\x04 but no more")
    with pytest.raises(MobileBnnError, match=r"broken\.keras is not a Keras model: it is neither a whole "):
        load_model(broken)


def test_a_truncated_keras_file_is_refused(tmp_path):
    path = tmp_path / "m.keras"
    zoo.build("binary_lenet", "bnn", (8, 8, 1), 4).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MobileBnnError, match=r"is not a Keras model: it is neither a whole \.keras nor an \.h5 file"):
        load_model(path)


def test_two_layers_on_one_packed_tensor_are_compared_each(tmp_path):
    image = layers.Input((6, 6, 32))
    conv = {"padding": "same", "pad_values": 1.0, **SIGN}
    branches = [larq.layers.QuantConv2D(32, 3, name=name, **conv)(image) for name in ("left", "right")]
    model = tf.keras.Model(image, layers.Concatenate()([layers.BatchNormalization()(x) for x in branches]))
    conversion = converters.convert(calibrated(model), tmp_path / "m.tflite")
    names = [operator.name for operator in conversion.operators.operators]
    assert names.count("LceQuantize") == 1
    assert sorted(layer.layer for layer in conversion.layers) == ["left", "right"]
    assert {layer.bits for layer in conversion.layers} == {8 * 6 * 6 * 32}


def bytes_and_booleans():
    """Pixels go in as a camera gives them, and an answer comes out."""
    image = layers.Input((6, 6, 3), dtype="uint8")
    x = layers.Conv2D(32, 3)(layers.Rescaling(1 / 127.5, -1)(image))
    x = larq.layers.QuantConv2D(4, 3, **SIGN)(layers.BatchNormalization()(x))
    return tf.keras.Model(image, layers.Lambda(lambda y: y > 0)(x))


def words():
    text = layers.Input((12,), dtype="int32")
    return tf.keras.Model(text, larq.layers.QuantConv1D(16, 3, **SIGN)(layers.Embedding(50, 40)(text)))


@pytest.mark.parametrize(
    ("make", "samples"),
    [
        (bytes_and_booleans, np.random.default_rng(0).integers(0, 256, (8, 6, 6, 3), np.uint8)),
        (words, np.random.default_rng(0).integers(0, 50, (8, 12), np.int32)),
    ],
)
def test_inputs_and_outputs_that_are_no_floats(tmp_path, make, samples):
    tf.keras.utils.set_random_seed(3)
    model = make()
    converters.convert(model, tmp_path / "m.tflite")  # on samples of its own
    converters.convert(model, tmp_path / "m.tflite", samples=samples)
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        computed = [interpreter.predict(sample[None]) for sample in samples]
    np.testing.assert_array_equal(np.concatenate(computed), model.predict(samples, verbose=0))


def test_a_float_file_that_litert_cannot_run(tmp_path):
    image = layers.Input((6, 6, 32))
    conv = larq.layers.QuantConv2D(4, 3, **SIGN)
    model = tf.keras.Model(image, conv(layers.Lambda(lambda x: tf.reverse(x, [1, 3]))(image)))
    with pytest.raises(MobileBnnError, match="LiteRT cannot run the file: Non-contiguous `axes` not supported"):
        converters.convert(model, tmp_path / "m.tflite")
    assert not (tmp_path / "m.tflite").exists()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("inputs", [1, 2])
def test_a_subclassed_model_that_was_called_knows_its_inputs(tmp_path: Path, inputs: int) -> None:
    class Own(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.conv = larq.layers.QuantConv2D(32, 3, name="conv", **SIGN)
            self.dense = layers.Dense(4)

        def call(self, x: tf.Tensor) -> tf.Tensor:
            image = x[0] - 0.5 * x[1] if inputs == 2 else x
            return self.dense(tf.reduce_mean(self.conv(image), (1, 2)))

    model = Own()
    images = [np.random.default_rng(n).normal(size=(2, 8, 8, 32)).astype(np.float32) for n in range(inputs)]
    expected = model(images if inputs == 2 else images[0]).numpy()
    path = tmp_path / "own.tflite"
    assert [layer.layer for layer in converters.convert(model, path).layers] == ["conv"]
    with Interpreter(path) as interpreter:
        np.testing.assert_allclose(interpreter.predict(images if inputs == 2 else images[0]), expected, atol=1e-4)
