"""Models that cannot be converted: `mbnn convert` and `mbnn lint` say in one line what, why, and what to do."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import absl.logging
import numpy as np
import pytest
from float_files import to_float
from typer.testing import CliRunner

from mobile_bnn.cli.main import app
from mobile_bnn.converters.graph.model import Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer, KerasTensor

layers = tf.keras.layers
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}


@pytest.fixture(autouse=True)
def quiet() -> None:
    """TensorFlow's converter warns through Python's own standard error, which the runner has replaced."""
    absl.logging.set_verbosity(absl.logging.ERROR)


@tf.keras.utils.register_keras_serializable("refusals")
class Branching(layers.Layer):  # type: ignore[misc]
    """Asks for a value, but not yet where Keras builds its model, of any batch."""

    def call(self, x: KerasTensor) -> KerasTensor:
        return x if x.shape[0] is None or bool(tf.reduce_sum(x) > 0) else -x


@tf.keras.utils.register_keras_serializable("refusals")
class Fourier(layers.Layer):  # type: ignore[misc]
    """Has no operator in TFLite."""

    def call(self, x: KerasTensor) -> KerasTensor:
        return tf.math.real(tf.signal.fft2d(tf.cast(x, tf.complex64)))


class Mine(layers.Layer):  # type: ignore[misc]
    """Is not registered with Keras."""


def conv() -> KerasLayer:
    return larq.layers.QuantConv2D(32, 3, name="conv", **SIGN)


def saved(path: Path, *stack: KerasLayer, shape: tuple[int, ...] = (8, 8, 32)) -> Path:
    tf.keras.Sequential([layers.Input(shape), *stack]).save(path)
    return path


def mixed(path: Path) -> Path:
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        return saved(path, conv(), layers.BatchNormalization())
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")


def keras_3(path: Path) -> Path:
    program = "import sys, keras as k; k.Sequential([k.layers.Input((8,)), k.layers.Dense(4)]).save(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True)
    return path


def float_tflite(path: Path, *, kind: str = "", in_front: bool = False) -> Path:
    """A sign and a convolution, and a custom operator that no runtime here has."""
    kernel = tf.constant(np.random.default_rng(0).choice(np.float32([-1, 1]), (3, 3, 32, 32)))
    model = TfliteModel.read(to_float(lambda x: tf.nn.conv2d(larq.math.sign(x), kernel, 1, "SAME"), (1, 6, 6, 32)))
    graph = model.graphs[0]
    graph.signatures = []
    if in_front:  # between constants, where it cannot be folded
        reader = next(operator for operator in graph.operators if operator.op_type == "CONV_2D")
        source, result = reader.inputs[1], Tensor.of("theirs", (32, 3, 3, 32), np.float32)
        graph.set_inputs(reader, [reader.inputs[0], result, *reader.inputs[2:]])
        graph.insert_before(graph.operators[0], Operator.custom(kind, [source], [result]))
    elif kind:
        result = Tensor.of("theirs", graph.outputs[0].shape, np.float32)
        graph.append(Operator.custom(kind, [graph.outputs[0]], [result]))
        graph.outputs = [result]
    path.write_bytes(model.write())
    return path


def binary_tflite(path: Path) -> Path:
    result = CliRunner().invoke(app, ["convert", str(float_tflite(path.with_name("f.tflite"))), "--output", str(path)])
    assert result.exit_code == 0, result.stderr
    return path


def volume_transposed(path: Path) -> Path:
    up = larq.layers.QuantConv3DTranspose(4, 2, name="up", **SIGN)
    return saved(path, conv(), layers.Reshape((6, 6, 32, 1)), up)


def volume(path: Path) -> Path:
    stack = larq.layers.QuantConv3D(32, 2, name="volume", **SIGN), layers.Reshape((21, 7, 32)), conv()
    return saved(path, *stack, shape=(4, 8, 8, 32))


def image(path: Path) -> Path:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def half(path: Path) -> Path:
    whole = saved(path, conv()).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def archive(path: Path) -> Path:
    np.savez(path, samples=np.zeros(4))
    return path


NO_MODEL = (
    r"\S*/m\.\w+ is not a Keras model: it is neither a whole \.keras nor an \.h5 file\. "
    r"Give one of those, or a SavedModel's folder"
)
OTHER_KERAS = r"Build the model with tf_keras, or convert the SavedModel that its export\(\) writes"
OWN_LAYERS = r"If it is your own, name the Python file that defines it: --import my_layers\.py"
THEIRS = "Encountered unresolved custom op: Theirs. Export the model without what they compute"
CASES: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "transposed convolution": ("m.keras", volume_transposed, r"up is declared binary and would be float"),
    "3-D convolution": ("m.keras", volume, r"volume is declared binary and would be float"),
    "mixed precision": (
        "m.keras", mixed,
        r"layer conv computes in float16: only float32 can be made binary\. "
        r"Build the model under the policy float32 and load its weights into that",
    ),
    "Keras 3": (
        "m.keras", keras_3,
        r"\S*m\.keras was saved by Keras 3\.[\d.]+: Larq's layers belong to Keras 2, which cannot load it\. "
        + OTHER_KERAS,
    ),
    "Keras 3, HDF5": ("m.h5", keras_3, rf"\S*m\.h5 was saved by Keras 3\.[\d.]+: .*{OTHER_KERAS}"),
    "a layer that cannot be traced": (
        "m.keras", lambda path: saved(path, conv(), Branching(name="branching")),
        r"TensorFlow cannot convert the model to float: layer branching \(Branching\): "
        r"Using a symbolic `tf\.Tensor` as a Python `bool` is not allowed\. "
        r"Its call\(\) must consist of TensorFlow's operations",
    ),
    "an operation without operator": (
        "m.keras", lambda path: saved(path, conv(), Fourier()),
        r"TensorFlow cannot convert the model to float: TFLite has no operator for tf\.FFT2D",
    ),
    "an image": ("m.keras", image, NO_MODEL),
    "an empty file": ("m.h5", empty, NO_MODEL),
    "half a model": ("m.keras", half, NO_MODEL),
    "an archive": ("m.npz", archive, NO_MODEL),
    "an unknown layer": (
        "m.keras", lambda path: saved(path, Mine()),
        rf"\S*m\.keras is not a Keras 2 model that can be loaded: Keras does not know Mine\. {OWN_LAYERS}",
    ),
    "a lambda": (
        "m.keras", lambda path: saved(path, layers.Lambda(lambda x: -x)),
        r"\S*m\.keras is not a Keras 2 model that can be loaded: .*Python `lambda` inside it\. "
        r"If you trust it: tf\.keras\.models\.load_model\(path, safe_mode=False\), and convert that in Python",
    ),
    "a binary file": (
        "m.tflite", binary_tflite,
        r"the file is binary already: it has LceBconv2d, LceQuantize\. Give the float model that it was made from",
    ),
    "somebody's operator": (
        "m.tflite", lambda path: float_tflite(path, kind="Theirs"),
        rf"the file uses custom operators that LiteRT lacks: Theirs: {THEIRS}",
    ),
    "somebody's operator between constants": (
        "m.tflite", lambda path: float_tflite(path, kind="Theirs", in_front=True),
        rf"the file uses custom operators that LiteRT lacks: Theirs: {THEIRS}",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("command", ["convert", "lint"])
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_one_line_says_it(tmp_path: Path, case: tuple[str, Callable[[Path], Path], str], command: str) -> None:
    name, make, message = case
    source = make(tmp_path / name)
    before = set(tmp_path.iterdir())
    result = CliRunner().invoke(app, [command, str(source)])
    assert result.exit_code == 1
    assert re.fullmatch(rf"error: {message}.*\n", result.stderr), result.stderr
    assert isinstance(result.exception, SystemExit)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_what_keras_3_exports_is_converted(tmp_path: Path) -> None:
    """What the message about Keras 3 proposes."""
    program = """
import sys, keras
class Sign(keras.layers.Layer):
    def call(self, x):
        return keras.ops.where(x >= 0, 1.0, -1.0)
conv = keras.layers.Conv2D(32, 3, use_bias=False)
model = keras.Sequential([keras.layers.Input((8, 8, 32)), Sign(), conv])
conv.set_weights([keras.ops.where(conv.kernel >= 0, 1.0, -1.0)])
model.export(sys.argv[1])
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "saved")], check=True, capture_output=True)
    result = CliRunner().invoke(app, ["convert", str(tmp_path / "saved"), "--output", str(tmp_path / "m.tflite")])
    assert result.exit_code == 0, result.stderr
    assert "binary layers: 1, 100.0% of the multiply-accumulates" in result.stdout


@pytest.mark.parametrize(("make", "why"), [(volume_transposed, "CONV_3D_TRANSPOSE"), (volume, "CONV_3D")])
def test_both_say_why_a_layer_stays_float(tmp_path: Path, make: Callable[[Path], Path], why: str) -> None:
    source = make(tmp_path / "m.keras")
    reason = f"{why} has no binary form"
    assert f"{reason}. --allow-float" in CliRunner().invoke(app, ["convert", str(source)]).stderr
    assert reason in CliRunner().invoke(app, ["lint", str(source)]).stdout


def test_a_model_that_asks_for_nothing(tmp_path: Path) -> None:
    source = saved(tmp_path / "m.keras", layers.Conv2D(4, 3))
    converted = CliRunner().invoke(app, ["convert", str(source)])
    cure = "Give layers an input_quantizer and a kernel_quantizer"
    assert converted.exit_code == 1
    assert converted.stderr == (
        "error: the model has no binary layer: no linear operator has quantized weights and a quantized input. "
        f"{cure}; --allow-float all writes a float file\n"
    )
    linted = CliRunner().invoke(app, ["lint", str(source)])
    assert linted.exit_code == 0
    assert f"no layer is declared binary. {cure}" in linted.stdout


def test_verify_of_a_file_with_somebodys_operator(tmp_path: Path) -> None:
    from mobile_bnn import zoo

    model = zoo.build("binary_lenet", "bnn", (8, 8, 1), 10)
    model.save(tmp_path / "m.keras")
    assert CliRunner().invoke(app, ["convert", str(tmp_path / "m.keras")]).exit_code == 0
    binary = TfliteModel.read(tmp_path / "m.tflite")
    graph = binary.graphs[0]
    result = Tensor.of("theirs", graph.outputs[0].shape, np.float32)
    graph.append(Operator.custom("Theirs", [graph.outputs[0]], [result]))
    graph.outputs, graph.signatures = [result], []
    (tmp_path / "theirs.tflite").write_bytes(binary.write())
    options = ["--model", str(tmp_path / "m.keras"), "--dataset", "digits", "--limit", "4"]
    ended = CliRunner().invoke(app, ["verify", str(tmp_path / "theirs.tflite"), *options])
    assert ended.exit_code == 1
    assert "error: LiteRT refuses the file: Encountered unresolved custom op: Theirs." in ended.stderr
    assert "Traceback" not in ended.stderr
