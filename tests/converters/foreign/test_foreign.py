"""Files of other people's exporters: what is binary in the source is binary in the file, or refused by code.

`EXPECTED` says what becomes of every linear operator, in the order of the graph and of
the subgraphs. How many of them are binary in the
source its own script has counted while the source's framework ran it; it stored the inputs and outputs of that run, on
inputs that are clear of every threshold (watching.py). docs/foreign.md is the table for readers.
"""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from litert_runs import run_outputs

from mobile_bnn import converters
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import Layer, Lowering
from mobile_bnn.converters.refusals import RefusalCode
from mobile_bnn.converters.rules.binarize import product
from mobile_bnn.converters.source import Source
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.errors import MobileBnnError

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "tools" / "foreign_docs"))
import foreign_page  # noqa: E402

Lowered = tuple[TfliteModel, Lowering]

F, B = "float", "binary"
T = RefusalCode.TWO_ACTIVATIONS.value
EXPECTED: dict[str, list[str]] = {
    "jax2tf/birealnet": [F, *2 * [B], F],
    "jax2tf/bit": [*3 * [B], *2 * [T], *3 * [B]],
    "jax2tf/low_bit": [F, *4 * [B], F],
    "jax2tf/lstm_rolled": [F, *2 * [B]],
    "jax2tf/lstm_unrolled": [*8 * [B], F],
    "jax2tf/reactnet": [F, *3 * [B], F],
    "jax2tf/segmenter": [F, B, *2 * [F], *2 * [B], F],
    "keras3/bit": [*2 * [B], T, B, T, *3 * [B]],
    "keras3/bnext": [*3 * [F], *3 * [B], *2 * [F], *3 * [B], F],
    "keras3/low_bit": [F, *4 * [B], F],
    "keras3/lstm_unrolled": [*8 * [B], F],
    "keras3/mobile": [F, *5 * [B]],
    "keras3/reactnet": [F, *3 * [B], F],
    "keras3/segmenter": [F, *4 * [B], F],
    "litert_torch/adabin": [F, *4 * [B], F],
    "litert_torch/birealnet": [F, *2 * [B], F, B, F],
    "litert_torch/bit": [*3 * [B], *2 * [T], *3 * [B]],
    "litert_torch/bnext": [F, B, *2 * [F], *3 * [B], *2 * [F], *2 * [B], F],
    "litert_torch/dorefa": [F, *4 * [B], F],
    "litert_torch/irnet_resnet20": [F, *6 * [B], F],
    "litert_torch/lsq": [F, *4 * [B], F],
    "litert_torch/lstm": [*8 * [B], F],
    "litert_torch/pact": [F, *4 * [B], F],
    "litert_torch/reactnet": [F, *5 * [B], F],
    "litert_torch/segmenter": [F, *4 * [B], F],
    "litert_torch/ssd": [F, *6 * [B]],
    "litert_torch/xnornet": [F, B, F, B, F, B, F, B, F],
    "onnx2tf/adabin": [F, *4 * [B], F],
    "onnx2tf/bit": [*3 * [B], *2 * [T], *3 * [B]],
    "onnx2tf/bnext": [*3 * [F], *3 * [B], *2 * [F], *3 * [B], F],
    "onnx2tf/dorefa": [F, *4 * [B], F],
    "onnx2tf/irnet_resnet20": [F, *6 * [B], F],
    "onnx2tf/lsq": [F, *4 * [B], F],
    "onnx2tf/lstm": [*8 * [B], F],
    "onnx2tf/pact": [F, *4 * [B], F],
    "onnx2tf/reactnet": [F, *5 * [B], F],
    "onnx2tf/segmenter": [F, *4 * [B], F],
    "onnx2tf/ssd": [F, *6 * [B]],
    "onnx2tf/xnornet": [F, B, F, B, F, B, F, B, F],
    "tf_module/birealnet": [F, *3 * [B], F],
    "tf_module/bit": [*2 * [B], T, B, T, *3 * [B]],
    "tf_module/low_bit": [F, *4 * [B], F],
    "tf_module/lstm_rolled": [F, *2 * [B]],
    "tf_module/lstm_unrolled": [*8 * [B], F],
    "tf_module/reactnet": [F, *3 * [B], F],
    "tf_module/segmenter": [F, *3 * [B], F],
    "tf_module/xnornet": [*2 * [F], B, F, *2 * [B]],
}
# Files that LiteRT cannot run as they came: for operators that only TensorFlow has, and for a tensor that is lost.
REFUSED = {
    "keras3/lstm_rolled": "the file uses custom operators that LiteRT lacks: FlexTensorListReserve",
    "onnx2tf/birealnet": "the file is damaged: SIGN reads add_7, which no operator computes",
}

files = pytest.mark.parametrize("name", EXPECTED)


def arrays(name: str, kind: str) -> list[np.ndarray]:
    """The source's inputs or outputs."""
    stored = np.load(HERE / f"{name}.npz")
    return [stored[f"{kind}_{number}"] for number in range(sum(key.startswith(f"{kind}_") for key in stored))]


@cache
def lowered(name: str) -> Lowered:
    return Source.of_tflite(HERE / f"{name}.tflite").lower()


def outcome(layer: Layer) -> str:
    """What became of a layer: binary, float because nothing asked for more, or the code of the refusal."""
    if layer.binary:
        return B
    told = layer.declared or layer.code is RefusalCode.TWO_ACTIVATIONS  # of which lint tells, but nobody declared it
    return layer.refusal.code.value if told and layer.refusal is not None else F


def check_outputs(name: str, run: Callable[..., list[np.ndarray]]) -> None:
    """Sample by sample, against what the source's framework computed."""
    inputs, expected = arrays(name, "input"), arrays(name, "output")
    results = [run(*(each[i : i + 1] for each in inputs)) for i in range(len(inputs[0]))]
    for number, wanted in enumerate(expected):
        found = np.concatenate([outputs[number] for outputs in results])
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
        assert np.ptp(wanted, axis=0).max() > 1e-3 * np.abs(wanted).max()  # or else any constant would pass


def test_the_table_has_every_file() -> None:
    found = sorted(str(path.relative_to(HERE).with_suffix("")) for path in HERE.glob("*/*.tflite"))
    assert found == sorted([*EXPECTED, *REFUSED])
    assert max((HERE / f"{name}.tflite").stat().st_size for name in found) <= 60 * 1024


def test_the_page_is_current() -> None:
    """Else run tools/foreign_docs/foreign_page.py."""
    assert foreign_page.PAGE.read_text(encoding="utf-8") == foreign_page.page()


@files
def test_layers_are_binary_or_refused_by_code(name: str) -> None:
    outcomes = [outcome(layer) for layer in lowered(name)[1].every_layer]
    assert outcomes == EXPECTED[name]
    assert sum(each != F for each in outcomes) == int(np.load(HERE / f"{name}.npz")["binary_layers"])


@files
def test_the_float_file_computes_what_the_source_does(name: str) -> None:
    flatbuffer = (HERE / f"{name}.tflite").read_bytes()
    check_outputs(name, lambda *x: run_outputs(flatbuffer, *x))


@files
def test_our_library_computes_what_the_source_does(name: str) -> None:
    flatbuffer = lowered(name)[0].write()
    check_outputs(name, lambda *x: run_outputs(flatbuffer, *x, library=True))


@files
def test_lces_interpreter_computes_what_the_source_does(name: str) -> None:
    lce = interpreter(lowered(name)[0].write())

    def run(*x: np.ndarray) -> list[np.ndarray]:
        found = lce.predict(list(x))
        return found if isinstance(found, list) else [found]

    check_outputs(name, run)


@pytest.mark.parametrize("exporter", ["jax2tf", "keras3", "tf_module"])
def test_products_of_short_sums_would_be_right_in_bits(exporter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stay float because they are no faster. PyTorch's sign has three values: it is 0 at 0."""
    monkeypatch.setattr(product, "FEWEST_TERMS", 1)
    model, lowering = Source.of_tflite(HERE / f"{exporter}/bit.tflite").lower()
    assert all(layer.binary for layer in lowering.every_layer)
    flatbuffer = model.write()
    check_outputs(f"{exporter}/bit", lambda *x: run_outputs(flatbuffer, *x, library=True))
    lce = interpreter(flatbuffer)
    check_outputs(f"{exporter}/bit", lambda *x: [lce.predict(list(x))])


@files
def test_convert_verifies_and_writes_it(name: str, tmp_path: Path) -> None:
    layers = lowered(name)[1].every_layer
    refused = {layer.name for layer in layers if layer.declared and not layer.binary}
    made = converters.convert(HERE / f"{name}.tflite", tmp_path / "binary.tflite", allow_float=refused)
    assert set(made.float_layers) == refused
    assert made.layers
    assert not refused or B in EXPECTED[name]
    if refused:
        with pytest.raises(MobileBnnError, match="is declared binary and would be float"):
            converters.convert(HERE / f"{name}.tflite", tmp_path / "other.tflite")


@pytest.mark.parametrize("name", REFUSED)
def test_what_litert_cannot_run_is_refused(name: str) -> None:
    with pytest.raises(MobileBnnError, match=REFUSED[name]):
        Source.of_tflite(HERE / f"{name}.tflite")


@files
def test_one_wrong_sign_in_each_filter_would_be_seen(name: str) -> None:
    model = lowered(name)[0].copy()
    operators = [operator for graph in model.graphs for operator in graph.operators if operator.op_type == "LceBconv2d"]
    filters = operators[0].input(1)
    words = operators[0].constant(1).copy()
    words[:, 0, 0, 0] ^= 1  # of every output channel: the next quantizer may ignore some
    filters.set_values(words)
    flatbuffer = model.write()
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_outputs(name, lambda *x: run_outputs(flatbuffer, *x, library=True))
