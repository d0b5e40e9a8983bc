"""Writes what Java must reproduce: models of the zoo, inputs, and the bits that Python's interpreter gives for them.

usage: python tools/android/cases.py FOLDER

Each case is a folder:

* model.tflite, with reference outputs in its metadata; inputs.bin, a few samples of all inputs one after the other;
  outputs.bin, likewise.
* binary.tflite, the model up to its last binary convolution, and what that gives in binary.bin. Another version of the
  runtime, or another processor, rounds a softmax in another way; up to here all bits are the same everywhere.
* Of a classifier image.argb (height, width, then pixels, 32-bit integers with the lowest byte first) and classes.tsv
  (number, label, score) for that image; of a model with metadata metadata.json.

Beside them is fits.bin: images of several sizes, fitted into networks of several sizes. For each of them seven
integers, the pixels, then the floats. The integers are height and width of the image; height, width and channels of the
network; 1 if an image of the network's size is cropped, too; 1 if there are more. The lowest byte of a number is first.

And there is reference_inputs.bin: for each of some sets of inputs the number of channels of the normalization, the
sample's number and how many inputs, and of each input its type (0 float32, 1 uint8, 2 int8) and elements, as integers;
then means and standard deviations in double precision, then the inputs.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mobile_bnn.runtime import (
    Interpreter,
    Normalization,
    operator_name,
    pack,
    read_metadata,
    read_model,
    with_reference,
)
from mobile_bnn.runtime.images import fit
from mobile_bnn.runtime.reference_inputs import TYPES, reference_input

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 3
_TALL, _WIDE = 61, 47  # of the image: of no network's size
_FITS = (  # height and width of the image; height, width and channels of the network; whether all are cropped
    *((28, 28, 28, 28, 1, False), (28, 28, 28, 28, 1, True), (8, 8, 28, 28, 3, False), (100, 37, 32, 32, 3, False)),
    *((37, 100, 32, 32, 1, True), (1, 1, 5, 7, 3, False), (3, 200, 16, 24, 3, False), (480, 640, 224, 224, 3, False)),
    *((13, 11, 12, 10, 1, False), (2, 3, 64, 48, 3, True)),
)

_IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
_INPUTS = (  # mean and standard deviation; the sample; type and elements of each input
    (*_IMAGENET, 0, ((np.float32, 150_528),)),
    (*_IMAGENET, 1, ((np.float32, 100), (np.uint8, 70), (np.int8, 31), (np.float32, 7))),
    ([0.1], [1e-3], 2, ((np.int8, 784), (np.float32, 784))),
    ([127.5, -3.0], [1e30, 3.0], 2**31 - 1, ((np.float32, 1000), (np.uint8, 1003))),  # the counter overflows
)


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
    (folder / "fits.bin").write_bytes(b"".join(_fits()))
    (folder / "reference_inputs.bin").write_bytes(b"".join(_reference_inputs()))
    return written


def write_case(case: Path, model: bytes) -> None:
    """Writes one case into a folder that is there."""
    if metadata := read_metadata(model):
        model = with_reference(model, metadata)
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


def _fits() -> Iterator[bytes]:
    generator = np.random.default_rng(2)
    for number, (rows, columns, height, width, channels, crop_all) in enumerate(_FITS):
        image = generator.integers(0, 256, (rows, columns, 3), np.uint8)
        more = number + 1 < len(_FITS)
        yield np.array([rows, columns, height, width, channels, crop_all, more], "<i4").tobytes()
        yield _argb(image)
        yield fit(image, height, width, channels, crop_all=crop_all).astype("<f4").tobytes()


def _reference_inputs() -> Iterator[bytes]:
    for mean, std, sample, inputs in _INPUTS:
        details = [{"shape": np.array([1, elements]), "dtype": dtype} for dtype, elements in inputs]
        kinds = [(TYPES.index(dtype), elements) for dtype, elements in inputs]
        yield np.array([len(mean), sample, len(inputs), *np.ravel(kinds)], "<i4").tobytes()
        yield np.array([mean, std], "<f8").tobytes()
        for values in reference_input(sample, details, Normalization(mean=mean, std=std)):  # type: ignore[arg-type]
            yield values.astype(values.dtype.newbyteorder("<")).tobytes()


def _argb(image: npt.NDArray[np.uint8]) -> bytes:
    """Opaque pixels as Android's bitmaps have them."""
    red, green, blue = (image[..., channel].astype(np.uint32) for channel in range(3))
    return ((0xFF << 24) | (red << 16) | (green << 8) | blue).astype("<u4").tobytes()


def _write_classes(case: Path, interpreter: Interpreter) -> None:
    image = np.random.default_rng(1).integers(0, 256, (_TALL, _WIDE, 3), np.uint8)
    (case / "image.argb").write_bytes(np.array([_TALL, _WIDE], "<u4").tobytes() + _argb(image))
    classes = interpreter.classify(image, top=int(np.prod(interpreter.output_details[0]["shape"])))
    lines = [f"{each.index}\t{each.label}\t{each.score!r}\n" for each in classes]
    (case / "classes.tsv").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/android/cases.py FOLDER")
    for written_case in write_cases(Path(sys.argv[1])):
        print(written_case)
