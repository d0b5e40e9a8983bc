"""Opens an untrusted .tflite file, and writes one back with its buffers aligned as TFLite demands."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import flatbuffers
import numpy as np
from ai_edge_litert.schema_py_generated import Model, ModelT

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.runtime.operator_needs import unmet_need
from mobile_bnn.runtime.optional_inputs import ABSENT
from mobile_bnn.typing import FlatbufferObject

IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16  # the schema's force_align of Buffer.data
SMALLEST_TABLE = 4  # bytes: every table of a flatbuffer starts with its own offset to a vtable
LARGEST = 2**31 - 1  # bytes: what offsets inside a flatbuffer can span
_COUNT = 4  # bytes: a vector's length, before its elements
_LARGE = 1 << 16  # bytes: of constants that are not copied once more where they need not be
_ELSEWHERE = 2  # an offset that is none yet: 0 and 1 say that there is none
_SMALL = 1024  # bytes: shapes and options have less; of larger vectors, which are constants, no copy is made


def read_model(source: Path | str | bytes) -> ModelT:
    """Reads a .tflite file into the schema's object tree. Constants are views of the bytes, not copies.

    Constants that a file keeps after its flatbuffer, as ai-edge-quantizer writes them, are buffers like all others.

    Every index in the tree is checked, so callers may follow them: an operator's code, its input and output tensors
    (-1 is an input that is absent, where the operator may lack it), a tensor's buffer, a subgraph's inputs and outputs,
    a metadata entry's buffer. No list is None, and no tensor's shape holds a negative number. Each tensor has one
    source, before all its readers: the input, a constant, or one operator.

    Args:
        source: a path, or the file's bytes.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: the file is empty, truncated, malformed, not a .tflite, or over 2 GB.
    """
    name = "the flatbuffer" if isinstance(source, bytes) else str(source)
    flatbuffer = read_flatbuffer(source)
    if not flatbuffer:
        raise MobileBnnError(f"{name} is empty", cure="Make the file anew")
    if flatbuffer[4:8] != IDENTIFIER:
        raise MobileBnnError(f"{name} is not a .tflite file", why="it does not carry the identifier TFL3")
    try:
        _check_table_count(flatbuffer)
        model = _unpacked(flatbuffer)
        _fill_in(model)
        _bring_in(model, flatbuffer)
        _check(model)
    except MobileBnnError:
        raise
    except Exception as error:  # ours are ValueErrors, but what they look at may be of any type
        raise MobileBnnError(f"{name} is truncated or malformed", why=first_line(error), cure="Make it anew") from error
    return model


def _unpacked(flatbuffer: bytes) -> ModelT:
    try:
        return ModelT.InitFromPackedBuf(flatbuffer)
    except Exception as error:  # whatever struct, NumPy or Python's own types raise
        raise ValueError("an offset in it leads nowhere") from error


def pack(model: ModelT) -> bytes:
    """Writes the object tree as a .tflite file's bytes, every buffer's data aligned to 16 bytes.

    Raises:
        MobileBnnError: an operator has options that this schema version cannot write.
    """
    return bytes(_packed(model))


def write_streamed(model: ModelT, stream: IO[bytes]) -> dict[int, tuple[int, int]]:
    """Writes the object tree with its large constants after the tables, straight from where they are.

    Args:
        model: its large buffers are left without their data.
        stream: at its start.

    Returns:
        By the numbers of these buffers, where their data are in the stream, and how many bytes.

    Raises:
        MobileBnnError: an operator has options that this schema version cannot write.
        OSError: the stream cannot be written.
    """
    contents = {
        number: buffer.data
        for number, buffer in enumerate(model.buffers)
        if buffer.data is not None and len(buffer.data) >= _LARGE
    }
    for number, content in contents.items():
        buffer = model.buffers[number]
        buffer.data, buffer.offset, buffer.size = None, _ELSEWHERE, len(content)
    end = len(_packed(model))  # as it will be: an offset has 8 bytes, whatever it says
    places = {}
    for number, content in contents.items():
        start = end + -end % BUFFER_ALIGNMENT
        places[number], end = (start, len(content)), start + len(content)
        model.buffers[number].offset = start
    stream.write(_packed(model))
    for number, (start, _) in places.items():
        stream.write(bytes(start - stream.tell()))
        stream.write(contents[number])
    return places


def _packed(model: ModelT) -> memoryview:
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            if _has_unknown_options(operator):
                raise MobileBnnError(
                    "the model cannot be written again",
                    why="an operator has options that are newer than the installed schema",
                    cure="pip install --upgrade ai-edge-litert",
                )
    constants = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
    builder = _Builder(min(constants + (1 << 16), flatbuffers.Builder.MAX_BUFFER_SIZE))
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return memoryview(builder.Bytes)[builder.Head() :]


class _Builder(flatbuffers.Builder):  # type: ignore[misc]  # flatbuffers ships no types
    """Aligns every vector of bytes, and writes small vectors of numbers that are equal once, such as shapes.

    The generated code passes no alignment, and it cannot tell buffers from others.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[int, bytes], int] = {}
        self._begun: tuple[int, int, int] | None = None  # where, bytes, alignment

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:  # noqa: N802, N803 - flatbuffers' names
        """Starts a vector of `numElems` elements of `elemSize` bytes."""
        alignment = BUFFER_ALIGNMENT if elemSize == 1 else alignment
        size = elemSize * numElems
        self._begun = (self.Offset(), size, alignment) if size <= _SMALL else None
        return super().StartVector(elemSize, numElems, alignment)

    def PrependUOffsetTRelative(self, off: int) -> None:  # noqa: N802
        """Adds an offset to a vector, whose bytes then mean something else at another place."""
        self._begun = None
        super().PrependUOffsetTRelative(off)

    def EndVector(self) -> int:  # noqa: N802
        """Ends a vector, which is taken back if there is an equal one."""
        end = int(super().EndVector())
        if self._begun is None:
            return end
        (start, size, alignment), self._begun = self._begun, None
        content = bytes(self.Bytes[self.head : self.head + _COUNT + size])
        written = self._written.setdefault((alignment, content), end)
        if written != end:
            self.head += end - start
        return written


def read_flatbuffer(source: Path | str | bytes) -> bytes:
    """The bytes of a .tflite file, unchecked; bytes as they are.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: it cannot be read, or is over 2 GB.
    """
    if isinstance(source, bytes):
        return source
    path = Path(source)
    if not path.is_file():
        raise UsageError(f"there is no .tflite file {path}")
    if path.stat().st_size > LARGEST:
        raise MobileBnnError(f"{path} is over 2 GB", why="a .tflite of that size cannot be written again")
    try:
        return path.read_bytes()
    except OSError as error:
        raise MobileBnnError(f"cannot read {path}", why=first_line(error)) from error


def _has_unknown_options(operator: FlatbufferObject) -> bool:
    return bool(
        (operator.builtinOptionsType and operator.builtinOptions is None)
        or (operator.builtinOptions2Type and operator.builtinOptions2 is None)
    )


def _check_table_count(flatbuffer: bytes) -> None:
    """Refuses a file whose vectors promise more tables than fit into it: reading them could take for ever."""
    model = Model.GetRootAs(flatbuffer)
    limit = len(flatbuffer) // SMALLEST_TABLE
    tables = model.OperatorCodesLength() + model.BuffersLength() + model.MetadataLength() + model.SignatureDefsLength()
    for index in range(min(model.SubgraphsLength(), limit)):
        subgraph = model.Subgraphs(index)
        tables += 1 + subgraph.TensorsLength() + subgraph.OperatorsLength()
        if tables > limit:
            break
    if tables > limit or model.SubgraphsLength() > limit:
        raise ValueError("it promises more tensors and operators than fit into its length")


def _fill_in(model: ModelT) -> None:
    """Replaces the absent vectors that a reader walks through by empty ones."""
    for name in ("operatorCodes", "subgraphs", "buffers", "metadata"):
        setattr(model, name, list(getattr(model, name) or []))
    for subgraph in model.subgraphs:
        for name in ("tensors", "operators"):
            setattr(subgraph, name, list(getattr(subgraph, name) or []))
        for item in (subgraph, *subgraph.operators):
            item.inputs, item.outputs = _plain(item.inputs), _plain(item.outputs)
        for tensor in subgraph.tensors:
            tensor.shape = _plain(tensor.shape)


def _bring_in(model: ModelT, flatbuffer: bytes) -> None:
    """Makes views of the constants that lie after the tables, by offset and size (0 and 1 stand for none)."""
    for buffer in model.buffers:
        if buffer.offset > 1:
            if buffer.offset + buffer.size > len(flatbuffer):
                raise ValueError(f"a constant of {buffer.size} bytes at {buffer.offset} ends after the file")
            buffer.data = np.frombuffer(flatbuffer, np.uint8, buffer.size, buffer.offset)
        buffer.offset = buffer.size = 0


def _plain(numbers: Iterable[int] | None) -> list[int]:
    return [] if numbers is None else [int(number) for number in numbers]


def _check(model: ModelT) -> None:
    if not model.subgraphs:
        raise ValueError("it holds no subgraph")
    for entry in model.metadata:
        _check_indices("metadata buffer", [entry.buffer], len(model.buffers))
    for subgraph in model.subgraphs:
        _check_subgraph(model, subgraph)


def _check_subgraph(model: ModelT, subgraph: FlatbufferObject) -> None:
    tensors = len(subgraph.tensors)
    _check_indices("input tensor", subgraph.inputs, tensors)
    _check_indices("output tensor", subgraph.outputs, tensors)
    for tensor in subgraph.tensors:
        _check_indices("buffer", [tensor.buffer], len(model.buffers))
        if any(size < 0 for size in tensor.shape):
            raise ValueError(f"a tensor's shape is {tensor.shape}")
    for operator in subgraph.operators:
        _check_indices("operator code", [operator.opcodeIndex], len(model.operatorCodes))
        _check_indices("operator input", operator.inputs, tensors, lowest=ABSENT)
        _check_indices("operator output", operator.outputs, tensors)
        need = unmet_need(model.operatorCodes[operator.opcodeIndex], operator, subgraph.tensors)
        if need is not None:
            raise ValueError(need)
        if operator.largeCustomOptionsOffset > 1:
            raise MobileBnnError("the .tflite file keeps options of operators after the flatbuffer")
    _check_order(model, subgraph)


def _check_order(model: ModelT, subgraph: FlatbufferObject) -> None:
    """Every tensor has one writer, before its readers: runtimes take that for granted, and write out of bounds."""
    # What no operator may write: the inputs, constants, and later on what one has written.
    fixed = set(subgraph.inputs)
    for index, tensor in enumerate(subgraph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data) > 0:
            fixed.add(index)
    later = {index for operator in subgraph.operators for index in operator.outputs} - fixed
    for operator in subgraph.operators:
        for index in operator.inputs:
            if index in later:
                raise ValueError(f"an operator reads tensor {index} before another writes it")
        for index in operator.outputs:
            if index in fixed:
                raise ValueError(f"an operator writes tensor {index}, which has its content already")
            fixed.add(index)
            later.discard(index)


def _check_indices(what: str, indices: Iterable[int], count: int, lowest: int = 0) -> None:
    for index in indices:
        if not lowest <= index < count:
            raise ValueError(f"{what} {index} is out of range: there are {count}")
