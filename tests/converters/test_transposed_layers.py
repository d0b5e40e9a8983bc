"""Keras's transposed convolutions, and those of foreign files: binary in the file and equal to Keras, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import float_files
import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.refusals import RefusalCode
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import KerasModel, KerasTensor

layers = tf.keras.layers
TWO_BITS = larq.quantizers.DoReFa(2, "weights")
SIGN: dict[str, Any] = {
    "input_quantizer": "ste_sign",
    "kernel_quantizer": "ste_sign",
    "kernel_constraint": "weight_clip",
}


def scaled(kernel: KerasTensor) -> KerasTensor:
    """Signs with a scale for each output of a kernel [H, W, O, I]."""
    return tf.reduce_mean(tf.abs(kernel), [0, 1, 3], keepdims=True) * larq.math.sign(kernel)


def one_layer(shape: tuple[int, ...], *arguments: Any, **options: Any) -> KerasModel:
    tf.keras.utils.set_random_seed(2)
    up = larq.layers.QuantConv2DTranspose(*arguments, name="up", **{**SIGN, **options})
    norm = layers.BatchNormalization(moving_mean_initializer="random_normal", gamma_initializer="random_uniform")
    return tf.keras.Sequential([layers.Input(shape), up, norm])


def kinds(path: Path) -> list[str]:
    return [operator.op_type for operator in TfliteModel.read(path).graphs[0].operators]


LAYERS: dict[str, Callable[[], KerasModel]] = {
    "as U-Net has it": lambda: one_layer((5, 6, 32), 8, 2, strides=2),
    "as Keras's examples have it": lambda: one_layer((5, 6, 32), 8, 3, strides=2, padding="same"),
    "as DCGAN has it": lambda: one_layer((4, 4, 40), 8, 4, strides=2, padding="same", use_bias=False),
    "as PyTorch does": lambda: one_layer((4, 5, 32), 8, 3, strides=2, padding="same", output_padding=1),
    "an odd output": lambda: one_layer((4, 5, 32), 8, 5, strides=4, padding="same", output_padding=0),
    "a filter smaller than the stride": lambda: one_layer((3, 4, 32), 8, 2, strides=3),
    "a filter larger than the map": lambda: one_layer((2, 1, 32), 8, 5, strides=2, padding="same"),
    "unequal strides": lambda: one_layer((3, 5, 32), 8, (4, 3), strides=(3, 2), padding="same"),
    "stride 4, a bias and an activation": lambda: one_layer(
        (3, 4, 32), 8, 6, strides=4, activation="relu", bias_initializer="random_normal"
    ),
    "stride 1": lambda: one_layer((5, 6, 32), 8, 3, padding="same"),
    "ternary filters": lambda: one_layer((4, 4, 32), 8, 3, strides=2, kernel_quantizer="ste_tern"),
    "filters of two bits": lambda: one_layer((4, 4, 32), 8, 3, strides=2, kernel_quantizer=TWO_BITS),
    "scaled filters": lambda: one_layer((4, 4, 32), 8, 4, strides=2, padding="same", kernel_quantizer=scaled),
    "inputs of two bits": lambda: one_layer((4, 4, 32), 8, 3, strides=2, input_quantizer=larq.quantizers.DoReFa(2)),
    "ternary inputs": lambda: one_layer((4, 4, 32), 8, 4, strides=2, padding="same", input_quantizer="ste_tern"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LAYERS)
def test_equals_keras_and_lce(name: str, tmp_path: Path) -> None:
    """`convert` compares the file with Keras, with the float file and with LCE's interpreter before it writes it."""
    made = converters.convert(LAYERS[name](), tmp_path / "m.tflite")
    assert [check.layer for check in made.layers] == ["up"]
    assert made.layers[0].bits > 0
    assert made.layers[0].flips == made.layers[0].ties
    assert "TRANSPOSE_CONV" not in kinds(tmp_path / "m.tflite")


@pytest.mark.filterwarnings("ignore")
def test_a_batch_of_any_size(tmp_path: Path) -> None:
    model = one_layer((4, 5, 32), 8, 3, strides=2, padding="same")
    converters.convert(model, tmp_path / "m.tflite", batch_size=None)
    images = np.random.default_rng(0).normal(size=(3, 4, 5, 32)).astype(np.float32)
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        np.testing.assert_allclose(interpreter.predict(images), model(images), rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_scales_of_the_inputs_are_refused(tmp_path: Path) -> None:
    """Larq's `magnitude_aware_sign` scales the last axis, that of the inputs."""
    model = one_layer((4, 4, 32), 8, 4, strides=2, kernel_quantizer="magnitude_aware_sign")
    with pytest.raises(MobileBnnError) as refused:
        converters.convert(model, tmp_path / "m.tflite")
    assert "scale for each input channel" in str(refused.value)
    (row,) = (row for row in converters.lint(model) if row.layer == "up")
    assert (row.declared, row.code) == ("binary", RefusalCode.FILTER_NOT_FEW_VALUED)


@pytest.mark.filterwarnings("ignore")
def test_a_segmentation_head_is_binary_throughout(tmp_path: Path) -> None:
    """Down by a stride, up by two transposed convolutions with a skip connection, as FCN and U-Net do."""
    tf.keras.utils.set_random_seed(3)
    norm = lambda x: layers.BatchNormalization(beta_initializer="random_normal")(x)  # noqa: E731
    image = layers.Input((16, 16, 3))
    stem = norm(layers.Conv2D(32, 3, padding="same")(image))
    down = norm(larq.layers.QuantConv2D(64, 3, strides=2, padding="same", pad_values=1.0, name="down", **SIGN)(stem))
    deep = norm(larq.layers.QuantConv2D(64, 3, strides=2, padding="same", pad_values=1.0, name="deep", **SIGN)(down))
    up = norm(larq.layers.QuantConv2DTranspose(64, 2, strides=2, name="up", **SIGN)(deep))
    up = norm(larq.layers.QuantConv2DTranspose(32, 4, strides=2, padding="same", name="out", **SIGN)(up + down))
    head = layers.Softmax()(layers.Conv2D(5, 1)(up))
    made = converters.convert(tf.keras.Model(image, head), tmp_path / "m.tflite")
    assert [check.layer for check in made.layers] == ["down", "deep", "up", "out"]
    assert made.float_layers == {}
    assert kinds(tmp_path / "m.tflite").count("DEPTH_TO_SPACE") == 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("channels", "stride", "code"),
    [
        (1, 1, RefusalCode.SLOWER_IN_BITS),
        (4, 1, RefusalCode.SLOWER_IN_BITS),
        (16, 1, None),
        (4, 2, None),
    ],
)
def test_lint_tells_where_it_is_not_worth_it(channels: int, stride: int, code: RefusalCode | None) -> None:
    (row,) = converters.lint(one_layer((6, 6, channels), 8, 3, strides=stride))
    assert (row.declared, row.converted_to, row.code) == ("binary", "binary", code)
    assert row.why.startswith("not worth it: ") == (code is not None)


def foreign(quantized: bool, weights: np.ndarray) -> bytes:
    """A .tflite of a transposed convolution that knows of no Keras layer."""

    def function(x: KerasTensor) -> KerasTensor:
        x = tf.where(x > 0.3, 1.0, -1.0) if quantized else tf.nn.tanh(x)
        return tf.nn.conv2d_transpose(x, tf.constant(weights), (1, 8, 8, weights.shape[2]), 2, "SAME")

    return float_files.to_float(function, (1, 4, 4, 32))


@pytest.mark.parametrize(
    ("quantized", "many", "declared", "code"),
    [
        (True, False, True, None),
        (True, True, False, RefusalCode.FILTER_NOT_FEW_VALUED),
        (False, False, False, RefusalCode.INPUT_NOT_QUANTIZED),
    ],
)
def test_of_a_foreign_file(quantized: bool, many: bool, declared: bool, code: RefusalCode | None) -> None:
    weights = np.random.default_rng(0).normal(size=(3, 3, 8, 32)).astype(np.float32)
    weights = weights if many else np.where(weights < 0, np.float32(-0.5), np.float32(0.5))
    (layer,) = lower(TfliteModel.read(foreign(quantized, weights)).graphs[0]).layers
    assert (layer.op_type, layer.declared, layer.code) == ("TRANSPOSE_CONV", declared, code)


def test_a_foreign_one_that_is_refused_counts_as_declared() -> None:
    """Its signs stand before it, and its filter has two values: it must not stay float without a word."""
    weights = np.where(np.random.default_rng(0).random((3, 3, 8, 32)) < 0.5, np.float32(-0.5), np.float32(0.5))
    model = TfliteModel.read(foreign(True, weights))
    (operator,) = (each for each in model.graphs[0].operators if each.op_type == "TRANSPOSE_CONV")
    operator.output.table.shape = [1, 5, 5, 8]  # so small that the last pixels are read by nobody
    (layer,) = lower(model.graphs[0]).layers
    assert (layer.declared, layer.code) == (True, RefusalCode.INPUT_SHAPE_UNFIT)
