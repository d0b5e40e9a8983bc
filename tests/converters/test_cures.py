"""What messages tell users to do, done: with the option, the name and the layer that they say, it converts."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from float_files import to_float
from typer.testing import CliRunner

from mobile_bnn import converters
from mobile_bnn.cli.main import app
from mobile_bnn.converters.input_shapes import how_to_fix, parse_input_shapes
from mobile_bnn.converters.refusals import RefusalCode
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer, KerasModel, KerasTensor

pytestmark = pytest.mark.filterwarnings("ignore")
layers = tf.keras.layers
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


def grid(x: KerasTensor) -> KerasTensor:
    """Too many values for a sum of signs, also of weights."""
    return tf.round(x * 100) / 100


def of(*stack: KerasLayer, shape: tuple[int, ...] = (6, 6, 32)) -> KerasModel:
    first = larq.layers.QuantConv2D(32, 3, name="binary", **SIGN)
    return tf.keras.Sequential([layers.Input(shape), first, *stack])


def conv(**options: object) -> KerasLayer:
    return larq.layers.QuantConv2D(8, 1, **{"name": "cured", **SIGN, **options})


def eight_bits() -> KerasLayer:
    return larq.quantizers.DoReFa(8, mode="activations")


# By code: a model that is refused, and one that does what the cure says.
CURED: dict[RefusalCode, tuple[Callable[[], KerasModel], Callable[[], KerasModel]]] = {
    RefusalCode.INPUT_NOT_QUANTIZED: (lambda: of(conv(input_quantizer=tf.nn.tanh)), lambda: of(conv())),
    RefusalCode.INPUT_TOO_MANY_VALUES: (
        lambda: of(conv(input_quantizer=eight_bits())),
        lambda: of(conv(input_quantizer=larq.quantizers.DoReFa(4, mode="activations"))),
    ),
    RefusalCode.FILTER_NOT_FEW_VALUED: (lambda: of(conv(kernel_quantizer=grid)), lambda: of(conv())),
    RefusalCode.OPERATOR_UNSUPPORTED: (
        lambda: of(layers.Reshape((4, 4, 32, 1)), larq.layers.QuantConv3D(4, 3, name="cured", **SIGN)),
        lambda: of(conv()),
    ),
}


@pytest.mark.parametrize("code", CURED)
def test_a_layer_that_is_changed_as_the_cure_says_becomes_binary(code: RefusalCode, tmp_path: Path) -> None:
    refused, cured = (make() for make in CURED[code])
    (row,) = (row for row in converters.lint(refused) if row.layer == "cured")
    assert (row.code, row.unsupported) == (code, True)
    with pytest.raises(MobileBnnError, match="cured is declared binary and would be float"):
        converters.convert(refused, tmp_path / "m.tflite")
    made = converters.convert(cured, tmp_path / "m.tflite")
    assert "cured" in [layer.layer for layer in made.layers]
    assert not made.float_layers


def options_of(text: str) -> list[str]:
    """The options that a message gives, as a shell reads them."""
    found = re.findall(r"--(?:allow-float|input-shape) (?:'[^']*'|\S+)", text)
    return [word for option in found for word in shlex.split(option)]


def command(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "500"})
    return result.exit_code, result.output


@pytest.mark.parametrize("names", [["one"], ["one", "other"], [f"layer_{n}" for n in range(6)]])
def test_the_options_of_a_refusal_leave_all_its_layers_float(names: list[str], tmp_path: Path) -> None:
    x = image = layers.Input((6, 6, 32))
    x = larq.layers.QuantConv2D(32, 3, name="binary", **SIGN)(x)
    parts = [conv(name=name, input_quantizer=eight_bits())(x) for name in names]
    tf.keras.Model(image, layers.Concatenate()([*parts, x])).save(tmp_path / "m.keras")
    code, text = command("convert", tmp_path / "m.keras")
    assert code == 1
    assert "declared binary and would be float" in text
    options = options_of(text)
    assert len(options) == 2 * len(names) if len(names) <= 4 else options == ["--allow-float", "all"]
    code, text = command("convert", tmp_path / "m.keras", *options)
    assert code == 0, text


def test_a_name_that_a_shell_would_cut_is_quoted(tmp_path: Path) -> None:
    """TensorFlow joins the names of operators that it fuses by semicolons; others may have spaces."""
    generator = np.random.default_rng(0)
    flat, volume = (
        tf.constant(np.where(generator.normal(size=size) < 0, -1, 1).astype(np.float32))
        for size in ((3, 3, 32, 16), (2, 2, 2, 1, 4))
    )

    def function(x: KerasTensor) -> KerasTensor:
        y = tf.nn.conv2d(tf.where(x >= 0, 1.0, -1.0), flat, 1, "VALID")
        signs = tf.where(tf.reshape(y, (1, 4, 4, 16, 1)) >= 0.5, 1.0, -1.0)
        return tf.nn.conv3d(signs, volume, [1] * 5, "VALID")

    path, name = tmp_path / "m.tflite", "my layer;with $odd signs"
    model = converters.Source.of_tflite(to_float(function, (1, 6, 6, 32))).model
    (operator,) = (each for each in model.graphs[0].operators if each.op_type == "CONV_3D")
    operator.output.table.name = name
    path.write_bytes(model.write())
    code, text = command("convert", path, "--output", tmp_path / "binary.tflite")
    assert code == 1
    assert options_of(text) == ["--allow-float", name]
    assert [options_of(row.cure) for row in converters.lint(path) if row.unsupported] == [["--allow-float", name]]
    code, text = command("convert", path, "--output", tmp_path / "binary.tflite", *options_of(text))
    assert code == 0, text


OPEN = [{"image": (None, None, 3)}, {"words": (None, 32)}, {"a": (None, 32), "b": (8,), "c": (None, 4, 32)}]


@pytest.mark.parametrize("shapes", OPEN)
def test_the_input_shapes_of_a_refusal_fit(shapes: dict[str, tuple[int | None, ...]], tmp_path: Path) -> None:
    images = [layers.Input(shape, name=name) for name, shape in shapes.items()]
    parts = []
    for image in images:
        x = larq.layers.QuantDense(4, **SIGN)(image) if image.shape[-1] == 32 else layers.Dense(4)(image)
        parts.append(layers.Lambda(lambda y: tf.reduce_mean(y, list(range(1, len(y.shape) - 1))))(x))
    if len(shapes) == 1 and "image" in shapes:
        parts = [larq.layers.QuantDense(4, **SIGN)(parts[0])]
    model = tf.keras.Model(images, layers.Add()(parts) if len(parts) > 1 else parts[0])
    with pytest.raises(MobileBnnError, match="is not fixed") as refused:
        converters.convert(model, tmp_path / "m.tflite")
    options = options_of(str(refused.value))
    given = parse_input_shapes(options[1::2])
    assert set(options[::2]) == {"--input-shape"}
    converters.convert(converters.Source.of_keras(model, input_shape=given), tmp_path / "m.tflite")


def test_the_python_form_of_an_input_shape() -> None:
    assert how_to_fix(["image"], [(None, None, 3)]) == (
        "--input-shape 224x224x3 (input_shape=(224, 224, 3) in Python) gives it sizes"
    )
    assert how_to_fix(["a", "b", "c d"], [(None, 3), (4,), (None,)]) == (
        "--input-shape a=224x3 --input-shape 'c d='224 (input_shape={'a': (224, 3), 'c d': (224,)} in Python) "
        "gives them sizes"
    )


def test_a_file_of_no_binary_layer_is_told_what_can_be_done_with_files(tmp_path: Path) -> None:
    path = tmp_path / "float.tflite"
    path.write_bytes(to_float(lambda x: tf.matmul(x, tf.ones((32, 4))), (1, 32)))
    for name in ("convert", "lint"):
        _, text = command(name, path)
        assert "input_quantizer" not in text
        assert "docs/pytorch.md" in text
    assert (Path(__file__).parents[2] / "docs" / "pytorch.md").is_file()
