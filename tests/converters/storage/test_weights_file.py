"""Binary weights out of a file and back: equal to the Keras kernels, with sums that are checked."""

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.storage.weights_file import collect_weights, read_weights, write_weights
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.typing import KerasModel

DOCS = Path(__file__).parents[3] / "docs" / "weights.md"


@pytest.fixture
def npz(binary_tflite: Path, tmp_path: Path) -> Path:
    path = tmp_path / "weights.npz"
    write_weights(path, collect_weights(binary_tflite))
    return path


def keras_signs(model: KerasModel, name: str) -> np.ndarray:
    """A kernel's signs, output channels first."""
    return np.where(model.get_layer(name).get_weights()[0] < 0, -1, 1).transpose(3, 0, 1, 2)


def test_the_filters_are_those_of_keras(tiny_model: KerasModel, npz: Path) -> None:
    weights = read_weights(npz)
    first, second = weights.index.layers
    np.testing.assert_array_equal(weights.signs(first), keras_signs(tiny_model, "conv_1"))
    np.testing.assert_array_equal(weights.signs(second), keras_signs(tiny_model, "conv_2"))
    assert first.output_type == "int32"  # the next one reads its signs
    assert set(first.arrays) == {"filter", "threshold"}
    assert set(second.arrays) == {"filter", "multiplier", "bias"}
    assert (second.channels_in, second.channels_out, second.kernel_size, second.groups) == (64, 32, (3, 3), 1)
    assert (second.strides, second.dilations, second.padding, second.pad_value) == ((1, 1), (1, 1), "same", 1)


def test_the_thresholds_are_those_of_the_batch_norm(tiny_model: KerasModel, npz: Path) -> None:
    """A bit is set where the batch norm of K - 2d is negative; d differs at most once from what rounding says."""
    weights = read_weights(npz)
    threshold = weights.arrays[weights.index.layers[0].arrays["threshold"].key]
    norm = tiny_model.get_layer("norm_1")
    beta, mean, variance = (value.astype(np.float64) for value in norm.get_weights())
    sums = 3 * 3 * 32 - 2 * np.arange(3 * 3 * 32 + 1)
    negative = (sums[:, None] - mean) / np.sqrt(variance + norm.epsilon) + beta < 0
    np.testing.assert_array_equal(np.arange(len(sums))[:, None] > threshold, negative)


def test_the_document_reads_them(tiny_model: KerasModel, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its two programs, as they stand there."""
    monkeypatch.chdir(npz.parent)
    ours, numpy_alone = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    exec(ours, {})
    variables: dict[str, np.ndarray] = {}
    exec(numpy_alone, variables)
    np.testing.assert_array_equal(variables["signs"], keras_signs(tiny_model, "conv_1"))


def test_the_index_has_what_the_document_shows(npz: Path, binary_tflite: Path) -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    expected, index = json.loads(shown), json.loads(np.load(npz)["index"].tobytes())
    assert expected.keys() == index.keys()
    assert expected["layers"][0].keys() == index["layers"][1].keys()
    assert index["file_sha256"] == sha256(binary_tflite.read_bytes()).hexdigest()


def test_sums_of_one_layer_have_names_of_their_own(tmp_path: Path) -> None:
    words = Tensor.of("words", (1, 4, 4, 2), np.int32)
    options = dict.fromkeys(("stride_height", "stride_width", "dilation_height_factor", "dilation_width_factor"), 1)
    options |= {"channels_in": 64, "fused_activation_function": 0, "pad_values": 0, "padding": 1}
    operators = []
    for number in range(3):  # two groups
        filters = Tensor.constant("model/conv/kernel" if number else "", np.full((4, 1, 1, 1), number, np.int32))
        constants = [Tensor.constant("", np.ones(4, np.float32)) for _ in range(2)]
        output = Tensor.of("", (1, 4, 4, 4), np.float32)
        operators.append(Operator.custom("LceBconv2d", [words, filters, *constants, None], [output], options))
    graph = Graph("main", [words], [operator.output for operator in operators], operators)
    path = tmp_path / "sum.tflite"
    path.write_bytes(TfliteModel.of(graph).write())
    weights = collect_weights(path)
    assert [layer.name for layer in weights.index.layers] == ["operator_0", "conv", "conv_2"]
    assert [layer.layer for layer in weights.index.layers] == ["", "conv", "conv"]
    assert weights.index.layers[2].groups == 2
    assert weights.signs(weights.index.layers[2]).shape == (4, 1, 1, 32)
    assert weights.signs(weights.index.layers[2])[0, 0, 0, :3].tolist() == [1, -1, 1]


def test_a_file_without_binary_convolutions(float_tflite: Path) -> None:
    with pytest.raises(MobileBnnError, match="has no binary convolution: no operator of it is an LceBconv2d"):
        collect_weights(float_tflite)


@pytest.mark.parametrize("change", [{"padding": 7}, {"channels_in": 400}, {"channels_in": -1}, {"stride_width": "a"}])
def test_malformed_options(change: dict[str, object], binary_tflite: Path, tmp_path: Path) -> None:
    model = TfliteModel.read(binary_tflite)
    operators = model.graphs[0].operators
    at = next(number for number, operator in enumerate(operators) if operator.op_type == "LceBconv2d")
    old = operators[at]
    malformed = Operator.custom("LceBconv2d", old.inputs, old.outputs, old.custom_options | change)
    model.graphs[0].substitute(old, malformed)
    path = tmp_path / "malformed.tflite"
    path.write_bytes(model.write())
    with pytest.raises(MobileBnnError, match=f"operator {at} is a malformed LceBconv2d"):
        collect_weights(path)


def test_changed_bits_are_seen(npz: Path) -> None:
    arrays = dict(np.load(npz))
    key = next(key for key in arrays if key.endswith("filter"))
    arrays[key] = arrays[key].copy()
    arrays[key].flat[5] ^= 1 << 7
    with npz.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(MobileBnnError, match=f"{key} in .* is not what its checksum says"):
        read_weights(npz)


def header(shape: str) -> bytes:
    text = f"{{'descr': '<i4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def test_files_that_are_none(npz: Path, tmp_path: Path) -> None:
    import zipfile

    with pytest.raises(UsageError, match="there is no file of weights"):
        read_weights(tmp_path / "nowhere.npz")
    wrong = tmp_path / "wrong.npz"
    wrong.write_bytes(b"no archive")
    with pytest.raises(MobileBnnError, match=r"is not an \.npz file of weights: File is not a zip file"):
        read_weights(wrong)
    wrong.write_bytes(npz.read_bytes()[:-200])
    with pytest.raises(MobileBnnError, match=r"is not an \.npz file of weights"):
        read_weights(wrong)
    np.savez_compressed(wrong, index=np.zeros(4, np.uint8))
    with pytest.raises(MobileBnnError, match=r"index\.npy is compressed"):
        read_weights(wrong)
    np.savez(wrong, other=np.zeros(4, np.uint8))
    with pytest.raises(MobileBnnError, match="it has no index"):
        read_weights(wrong)
    np.savez(wrong, index=np.frombuffer(b'{"layers": 3}', np.uint8))
    with pytest.raises(MobileBnnError, match=r"the index of .* is not a weights index file"):
        read_weights(wrong)
    with zipfile.ZipFile(wrong, "w") as archive:  # of a terabyte, says its header
        archive.writestr("index.npy", header("(274877906944,)"))
    with pytest.raises(MobileBnnError, match="an array has not the bytes of its shape"):
        read_weights(wrong)


def test_it_needs_no_tensorflow(binary_tflite: Path, tmp_path: Path) -> None:
    program = "import sys; sys.modules['tensorflow'] = None; from mobile_bnn.cli.main import main; main()"
    output = tmp_path / "out.npz"
    command = [sys.executable, "-c", program, "export-weights", str(binary_tflite), "--output", str(output)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "2 binary layers" in ended.stdout
    assert len(read_weights(output).index.layers) == 2
