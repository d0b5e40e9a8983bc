"""Writes what Java must reproduce: models of the zoo, inputs, and the bits that Python's interpreter gives for them.

usage: python tools/android/cases.py FOLDER

Each case is a folder:

* model.tflite; inputs.bin, a few samples of all inputs one after the other; outputs.bin, likewise.
* binary.tflite, the model up to its last binary convolution, and what that gives in binary.bin. Another version of the
  runtime, or another processor, rounds a softmax in another way; up to here all bits are the same everywhere.
* Of a classifier image.argb (height, width, then pixels, 32-bit integers with the lowest byte first) and classes.tsv
  (number, label, score) for that image; of a model with metadata metadata.json.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mobile_bnn.runtime import Interpreter, operator_name, pack, read_model

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 3
_TALL, _WIDE = 61, 47  # of the image: of no network's size


def zoo_models() -> Iterator[tuple[str, Path]]:
    """The models with trained weights that come along, by a name that is a folder's."""
    for path in sorted((ROOT / "zoo/weights").glob("*/*/model.tflite")):
        yield f"{path.parents[1].name}-{path.parent.name}", path


def write_cases(folder: Path) -> list[Path]:
    """Writes a case for each model of the zoo; returns their folders."""
    written = []
    for name, model in zoo_models():
        case = folder / name
        case.mkdir(parents=True, exist_ok=True)
        write_case(case, model.read_bytes())
        written.append(case)
    return written


def write_case(case: Path, model: bytes) -> None:
    """Writes one case into a folder that is there."""
    (case / "model.tflite").write_bytes(model)
    binary = up_to_last_convolution(model)
    (case / "binary.tflite").write_bytes(binary)
    with Interpreter(model) as interpreter:
        samples = list(_samples(interpreter, seed=len(model)))
        outputs = [interpreter.predict(sample) for sample in samples]
        (case / "inputs.bin").write_bytes(b"".join(_bytes(sample) for sample in samples))
        (case / "outputs.bin").write_bytes(b"".join(_bytes(output) for output in outputs))
    with Interpreter(binary) as interpreter:
        (case / "binary.bin").write_bytes(b"".join(_bytes(interpreter.predict(sample)) for sample in samples))
    with Interpreter(model) as interpreter:
        if interpreter.metadata and interpreter.metadata.task and interpreter.metadata.task.name == "classification":
            _write_classes(case, interpreter)
        if interpreter.metadata:
            (case / "metadata.json").write_text(json.dumps(interpreter.metadata.model_dump(mode="json")))


def up_to_last_convolution(model: bytes) -> bytes:
    """The file with its last binary convolution's output as the only one, and the operators that this needs."""
    tree = read_model(model)
    graph = tree.subgraphs[0]
    last = max(i for i, each in enumerate(graph.operators) if operator_name(tree, each) == "LceBconv2d")
    graph.outputs = np.array(graph.operators[last].outputs)
    needed, kept = set(graph.outputs), []
    for operator in reversed(graph.operators[: last + 1]):
        if needed.intersection(operator.outputs):  # of an operator that nobody reads XNNPACK 2.19 ends the process
            needed.update(operator.inputs)
            kept.append(operator)
    graph.operators = kept[::-1]
    tree.signatureDefs, tree.metadata = [], []
    return pack(tree)


def _samples(interpreter: Interpreter, seed: int) -> Iterator[list[npt.NDArray[np.generic]]]:
    generator = np.random.default_rng(seed)
    for _ in range(SAMPLES):
        yield [_random(generator, detail["shape"], np.dtype(detail["dtype"])) for detail in interpreter.input_details]


def _random(
    generator: np.random.Generator, shape: npt.NDArray[np.intp], dtype: "np.dtype[np.generic]"
) -> npt.NDArray[np.generic]:
    if dtype.kind == "f":
        return generator.normal(size=tuple(shape)).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, tuple(shape), dtype, endpoint=True)


def _bytes(arrays: object) -> bytes:
    return b"".join(each.tobytes() for each in (arrays if isinstance(arrays, list) else [arrays]))


def _write_classes(case: Path, interpreter: Interpreter) -> None:
    image = np.random.default_rng(1).integers(0, 256, (_TALL, _WIDE, 3), np.uint8)
    red, green, blue = (image[..., channel].astype(np.uint32) for channel in range(3))
    argb = (0xFF << 24) | (red << 16) | (green << 8) | blue
    sizes = np.array([_TALL, _WIDE], "<u4")
    (case / "image.argb").write_bytes(sizes.tobytes() + argb.astype("<u4").tobytes())
    classes = interpreter.classify(image, top=int(np.prod(interpreter.output_details[0]["shape"])))
    lines = [f"{each.index}\t{each.label}\t{each.score!r}\n" for each in classes]
    (case / "classes.tsv").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/android/cases.py FOLDER")
    for written_case in write_cases(Path(sys.argv[1])):
        print(written_case)
