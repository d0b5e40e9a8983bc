"""Writes docs/foreign.md: what becomes of the files of tests/converters/foreign.

usage: python tools/foreign_docs/foreign_page.py
"""

from collections import Counter
from pathlib import Path

import numpy as np

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.refusals import RefusalCode
from mobile_bnn.converters.source import Source
from mobile_bnn.errors import MobileBnnError

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "tests" / "converters" / "foreign"
PAGE = ROOT / "docs" / "foreign.md"
# What the exporters are, in the order of the table.
EXPORTERS = {
    "tf_module": "plain `tf.Module` and TensorFlow's TFLite converter",
    "keras3": "`Model.export` of Keras 3",
    "jax2tf": "`jax2tf` and TensorFlow's TFLite converter",
    "litert_torch": "`litert-torch`",
    "onnx2tf": "`torch.onnx` and `onnx2tf`",
}

INTRODUCTION = """# Files of other exporters

Written by `tools/foreign_docs/foreign_page.py` from the files in `tests/converters/foreign`.

Small networks as people write them in each framework, exported by its own tools: no layer of ours is in them. A
file's script stands beside it (`make_*.py`, with the versions in `requirements/`), and so do inputs and what the
source's framework computed of them. The tests compare the float file, the binary file with our library and the binary
file in LCE's interpreter with that, to 1e-5 of the largest output.

| exporter | network | operators | binary layers | refused, by code |
|---|---|---|---|---|
"""
NOTES = """
*Operators* are those of the exported file. *Binary layers* counts those of the converted file and, after the slash,
those of the source, as its framework runs it.
[refusals.md](refusals.md) explains the codes.

What else was seen:

* `litert-torch` 0.10 cannot export `bias.expand_as(x)` (ReActNet's own code): add the bias and let it broadcast.
* `onnx2tf` 2.6 loses a tensor of Bi-Real Net, whose file no runtime runs then. With channels, height and width of one
  size it computed something else, perhaps because it mistook the layout of a constant map. It takes a sequence for
  channels and time, and transposes inputs [N, time, features].
* Keras 3 writes a loop over a list of tensors, with operators that only TensorFlow has; `unroll=True` helps.
* TensorFlow's converter makes `fake_quant` of fewer than 8 bits an int8 pair without its limits: the float file
  already computes something else than TensorFlow. Write `clip` and `round`.
"""


def page() -> str:
    """The Markdown page."""
    names = sorted(FILES.glob("*/*.tflite"), key=lambda path: (list(EXPORTERS).index(path.parent.name), path.name))
    return INTRODUCTION + "\n".join(_row(path) for path in names) + "\n" + NOTES


def _row(path: Path) -> str:
    exporter, source = EXPORTERS[path.parent.name], int(np.load(path.with_suffix(".npz"))["binary_layers"])
    operators = sum(len(graph.operators) for graph in TfliteModel.read(path).graphs)
    try:
        float_file = Source.of_tflite(path)
    except MobileBnnError as error:
        return f"| {exporter} | {path.stem} | {operators} | 0 / {source} | {error.what} |"
    _, lowering = float_file.lower()
    layers = lowering.every_layer
    told = [layer.code for layer in layers if layer.declared or layer.code is RefusalCode.TWO_ACTIVATIONS]
    refused = Counter(f"`{code.value}`" for code in told if code is not None)
    reasons = ", ".join(f"{count} {code}" for code, count in sorted(refused.items()))
    binary = sum(layer.binary for layer in layers)
    return f"| {exporter} | {path.stem} | {operators} | {binary} / {source} | {reasons} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
