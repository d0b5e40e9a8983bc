"""Reference outputs of a file: recorded in its metadata where it is made, and compared where it runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.runtime.interpreter import Interpreter
from mobile_bnn.runtime.library import library_path
from mobile_bnn.runtime.metadata import MOST_REFERENCE_BYTES, ModelMetadata, Normalization, Reference, with_metadata
from mobile_bnn.runtime.reference_inputs import TYPES, reference_input
from mobile_bnn.typing import Array, LiteRTInterpreter, TensorDetail

_SAMPLES = 2  # as many as have room, at most


@dataclass(frozen=True)
class ReferenceCheck:
    """What a file computes here, beside the reference outputs that it records.

    Attributes:
        samples: inferences that were compared.
        equal: whether every bit is the same.
        largest_difference: largest absolute difference of an output's elements; infinite where only one of them is a
            number.
        agreement: share of the outputs, of all samples, whose largest element is at the same place, 0 to 1.
    """

    samples: int
    equal: bool
    largest_difference: float
    agreement: float

    @property
    def line(self) -> str:
        """The comparison in a few words."""
        if self.equal:
            return "every bit as recorded"
        same = f"the same largest element in {self.agreement:.0%} of the outputs"
        return f"not the recorded bits: they differ by up to {self.largest_difference:.3g}, {same}"


def with_reference(flatbuffer: bytes, metadata: ModelMetadata) -> bytes:
    """The same .tflite file with this record inside, and in that the outputs that the file gives here, on one thread.

    A file has none whose inputs are of other types than `reference_inputs.TYPES` or of open sizes, whose outputs need
    more than 64 KiB for one sample, whose inferences do not repeat, or which does not run here.

    Args:
        flatbuffer: the file's bytes.
        metadata: its record; a reference in it is replaced.

    Raises:
        MobileBnnError: `flatbuffer` is malformed, a string of the record cannot be written as JSON, or the native
            library is not installed.
    """
    library_path()  # without it no binary file runs, and that says nothing about this one
    reference = _recorded(flatbuffer, metadata.normalization)
    return with_metadata(flatbuffer, metadata.model_copy(update={"reference": reference}))


def check_reference(
    model: Path | str | bytes, *, num_threads: int = 1, isa: str | None = None
) -> ReferenceCheck | None:
    """Compares what a file computes here with the reference outputs in its metadata; None if it has none.

    Args:
        model: a path, or the file's bytes.
        num_threads: as `Interpreter` takes it.
        isa: as `Interpreter` takes it.

    Raises:
        UsageError: there is no such file, or an option that the library does not know.
        MobileBnnError: the file or its record is malformed, the runtime refuses it, or the reference does not fit
            its inputs and outputs.
    """
    with Interpreter(model, num_threads=num_threads, isa=isa) as opened:
        if opened.metadata is None or opened.metadata.reference is None:
            return None
        reference, normalization = opened.metadata.reference, opened.metadata.normalization
        interpreter = opened.interpreter
        ends = interpreter.get_output_details()
        sizes = [_bytes(end) for end in ends]
        if not _can_be_fed(interpreter.get_input_details()) or not _fits(reference, sizes):
            raise _stranger()
        computed = [_run(interpreter, sample, normalization) for sample in range(reference.samples)]
    if any([output.nbytes for output in outputs] != sizes for outputs in computed):
        raise _stranger()  # the file tells other sizes than it computes
    pairs = []
    for number, content in enumerate(reference.contents()):
        dtype = np.dtype(ends[number]["dtype"]).newbyteorder("<")
        expected = np.frombuffer(content, dtype).reshape(reference.samples, -1)
        pairs += [(computed[sample][number].ravel(), expected[sample]) for sample in range(reference.samples)]
    return ReferenceCheck(
        samples=reference.samples,
        equal=all(_same_bits(ours, theirs) for ours, theirs in pairs),
        largest_difference=max(_difference(ours, theirs) for ours, theirs in pairs),
        agreement=float(np.mean([ours.argmax() == theirs.argmax() for ours, theirs in pairs])),
    )


def _recorded(flatbuffer: bytes, normalization: Normalization) -> Reference | None:
    try:
        with Interpreter(flatbuffer, num_threads=1) as opened:
            interpreter = opened.interpreter
            details, ends = interpreter.get_input_details(), interpreter.get_output_details()
            sizes = [_bytes(end) for end in ends]
            samples = min(_SAMPLES, MOST_REFERENCE_BYTES // max(1, sum(sizes)))
            if samples == 0 or 0 in sizes or not _can_be_fed(details) or _is_open(details):
                return None
            given = [reference_input(0, details, normalization)]
            if not all(np.isfinite(values).all() for values in given[0]):
                return None
            found = [_run(interpreter, sample, normalization) for sample in range(samples)]
            again = _run(interpreter, 0, normalization)
    except MobileBnnError:  # the runtime refuses it
        return None
    if any([output.nbytes for output in outputs] != sizes for outputs in found):
        return None  # sizes that hang on the input
    if not all(map(_same_bits, found[0], again)):
        return None  # a state, or random numbers
    return Reference.of([b"".join(map(_little_endian, outputs)) for outputs in zip(*found, strict=True)], samples)


def _run(interpreter: LiteRTInterpreter, sample: int, normalization: Normalization) -> list[Array]:
    """The outputs of one sample, in the order of the graph."""
    details = interpreter.get_input_details()
    try:
        for detail, values in zip(details, reference_input(sample, details, normalization), strict=True):
            interpreter.set_tensor(detail["index"], values)
        interpreter.invoke()
        return [interpreter.get_tensor(end["index"]) for end in interpreter.get_output_details()]
    except (RuntimeError, ValueError) as error:
        raise MobileBnnError("the model cannot run on its reference inputs", why=first_line(error)) from error


def _fits(reference: Reference, sizes: Sequence[int]) -> bool:
    """Whether a reference has outputs of these bytes a sample."""
    return [len(content) for content in reference.contents()] == [size * reference.samples for size in sizes]


def _stranger() -> MobileBnnError:
    return MobileBnnError(
        "the reference outputs cannot be compared",
        why="those in the file's metadata are of other types or sizes than the file's",
        cure="Convert the model anew",
    )


def _can_be_fed(details: Sequence[TensorDetail]) -> bool:
    return bool(details) and all(detail["dtype"] in TYPES and detail["shape"].all() for detail in details)


def _is_open(details: Sequence[TensorDetail]) -> bool:
    """Whether a file leaves a size open, other than the batch."""
    return any((np.asarray(detail["shape_signature"])[1:] < 0).any() for detail in details)


def _bytes(end: TensorDetail) -> int:
    dtype = np.dtype(end["dtype"])
    return int(np.prod(end["shape"], dtype=np.int64)) * dtype.itemsize if dtype.kind in "fiub" else 0


def _little_endian(values: Array) -> bytes:
    return values.astype(values.dtype.newbyteorder("<")).tobytes()


def _same_bits(ours: Array, theirs: Array) -> bool:
    return _little_endian(ours) == _little_endian(theirs)


def _difference(ours: Array, theirs: Array) -> float:
    if _same_bits(ours, theirs):
        return 0.0
    ours, theirs = (values.astype(np.float64) for values in (ours, theirs))
    with np.errstate(invalid="ignore"):  # infinity less infinity
        difference = np.abs(ours - theirs)
    alike = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return float(np.where(alike, 0.0, np.where(np.isnan(difference), np.inf, difference)).max())
