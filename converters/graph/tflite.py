"""Reads a .tflite file as editable graphs, and writes such graphs as a file."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Signature, Tensor
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.heap import trim_heap
from mobile_bnn.runtime.describe import constant, operator_name
from mobile_bnn.runtime.flatbuffer import pack, read_model, write_streamed
from mobile_bnn.typing import FlatbufferObject


@dataclass
class TfliteModel:
    """A .tflite file that can be changed.

    Attributes:
        graphs: its subgraphs; the first is the one that runs.
        metadata: names and bytes.
        table: the schema's table of version and description.
    """

    graphs: list[Graph]
    metadata: list[tuple[Any, npt.NDArray[np.uint8] | None]] = field(repr=False)
    table: FlatbufferObject = field(repr=False)

    @classmethod
    def read(cls, source: Path | str | bytes) -> "TfliteModel":
        """Reads a file.

        Raises:
            UsageError: there is no such file.
            MobileBnnError: the file is truncated, malformed, over 2 GB, or not a .tflite.
        """
        model = read_model(source)
        tensors = [[_read_tensor(model, table) for table in subgraph.tensors] for subgraph in model.subgraphs]
        graphs = [_read_graph(model, subgraph, own) for subgraph, own in zip(model.subgraphs, tensors, strict=True)]
        for table in model.signatureDefs or []:
            (number,) = _in_range([table.subgraphIndex], graphs)
            graphs[number].signatures.append(_read_signature(table, tensors[number]))
        metadata = [(entry.name, model.buffers[entry.buffer].data) for entry in model.metadata]
        return cls(graphs, metadata, model)

    @classmethod
    def of(cls, graph: Graph, *called: Graph) -> "TfliteModel":
        """A model of one graph, and of the subgraphs that its operators call, from number 1 on."""
        table = schema.ModelT()
        table.version, table.description = 3, ""
        return cls([graph, *called], [], table)

    def copy(self) -> "TfliteModel":
        """An equal model that can be changed without this one; the bytes of constants are shared, not copied."""
        return TfliteModel([graph.copy() for graph in self.graphs], list(self.metadata), self.table)

    def write(self) -> bytes:
        """The file's bytes. Equal constants are one tensor, and those of equal bytes share a buffer.

        Unused tensors are left out.
        """
        return pack(self._tables())

    def write_mapped(self, file: IO[bytes], sharing: Iterable[Graph] = ()) -> None:
        """Writes the file with its large constants after the tables, and keeps these in the file alone.

        Args:
            file: new and empty; it may be removed afterwards.
            sharing: graphs with the same constants, which from now on are mapped from the file, instead of in memory.

        Raises:
            OSError: it cannot be written.
        """
        tables = self._tables()
        numbers = {_place(tensor): tensor.table.buffer for graph in self.graphs for tensor in graph.tensors()}
        places = write_streamed(tables, file)
        file.flush()
        if not places:
            return
        mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
        for tensor in (tensor for graph in sharing for tensor in graph.tensors()):
            if (number := numbers.get(_place(tensor))) in places:
                start, size = places[number]
                tensor.content = np.frombuffer(mapped, np.uint8, size, start)
        trim_heap(sum(size for _, size in places.values()))

    def _tables(self) -> FlatbufferObject:
        """The schema's tables of the whole file."""
        writer = _Writer()
        numbers: dict[int, int] = {}
        model = schema.ModelT()
        model.version, model.description = self.table.version, self.table.description
        model.subgraphs = [writer.graph(graph, numbers) for graph in self.graphs]
        model.operatorCodes = writer.codes
        model.signatureDefs = [
            _write_signature(signature, number, numbers)
            for number, graph in enumerate(self.graphs)
            for signature in graph.signatures
        ]
        model.metadata = [_metadata(name, writer.buffer(content)) for name, content in self.metadata]
        model.buffers = writer.buffers
        return model


def _place(tensor: Tensor) -> tuple[int, int] | None:
    """Where a constant's bytes are in memory, which a view shares with what it is a view of."""
    return None if tensor.content is None else (tensor.content.ctypes.data, tensor.content.size)


def _read_tensor(model: FlatbufferObject, table: FlatbufferObject) -> Tensor:
    if table.quantization is not None and _says_nothing(table.quantization):
        table.quantization = None
    return Tensor(table, constant(model, table))


def _says_nothing(quantization: FlatbufferObject) -> bool:
    """Whether it is the empty table that TensorFlow's converter gives every float tensor."""
    vectors = (quantization.scale, quantization.zeroPoint, quantization.min, quantization.max)
    return quantization.details is None and all(vector is None or len(vector) == 0 for vector in vectors)


def _read_graph(model: FlatbufferObject, subgraph: FlatbufferObject, tensors: list[Tensor]) -> Graph:
    def at(index: int) -> Tensor | None:
        return None if index < 0 else tensors[index]

    operators = [
        Operator(
            operator_name(model, table),
            [at(index) for index in table.inputs],
            [tensors[index] for index in table.outputs],
            model.operatorCodes[table.opcodeIndex],
            table,
            [tensors[index] for index in _in_range(table.intermediates, tensors)],
        )
        for table in subgraph.operators
    ]
    inputs, outputs = [tensors[i] for i in subgraph.inputs], [tensors[i] for i in subgraph.outputs]
    return Graph(subgraph.name, inputs, outputs, operators)


def _in_range(indices: Any, items: list[Any]) -> list[int]:
    numbers = [] if indices is None else [int(index) for index in indices]
    if any(not 0 <= number < len(items) for number in numbers):
        raise MobileBnnError("the .tflite file is malformed", why=f"it refers to one of {numbers}, of {len(items)}")
    return numbers


def _read_signature(table: FlatbufferObject, tensors: list[Tensor]) -> Signature:
    def named(maps: Any) -> dict[Any, Tensor]:
        maps = maps or []
        indices = _in_range([entry.tensorIndex for entry in maps], tensors)
        return {entry.name: tensors[index] for entry, index in zip(maps, indices, strict=True)}

    return Signature(table.signatureKey, named(table.inputs), named(table.outputs))


def _write_signature(signature: Signature, subgraph: int, numbers: dict[int, int]) -> FlatbufferObject:
    def maps(tensors: dict[Any, Tensor]) -> list[Any]:
        entries = []
        for name, tensor in tensors.items():
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = name, numbers[id(tensor)]
            entries.append(entry)
        return entries

    table = schema.SignatureDefT()
    table.signatureKey, table.subgraphIndex = signature.key, subgraph
    table.inputs, table.outputs = maps(signature.inputs), maps(signature.outputs)
    return table


def _metadata(name: Any, buffer: int) -> FlatbufferObject:
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, buffer
    return entry


def _kind_of_constant(tensor: Tensor) -> FlatbufferObject:
    """Equal for constants that are the same in everything but their names."""
    table = tensor.table
    if table.quantization is not None or table.sparsity is not None or table.isVariable:
        return id(tensor)
    return table.buffer, tensor.shape, table.type


class _Writer:
    """Numbers buffers, operator codes and tensors while graphs become the schema's tables."""

    def __init__(self) -> None:
        self.buffers = [schema.BufferT()]  # the first is the empty one, of everything that is computed
        self.codes: list[Any] = []
        self._buffer_of: dict[bytes, int] = {}
        self._code_of: dict[Any, int] = {}

    def buffer(self, content: npt.NDArray[np.uint8] | None) -> int:
        if content is None or len(content) == 0:
            return 0
        content = np.asarray(content, np.uint8)
        key = sha256(content.data if content.flags.c_contiguous else content.tobytes()).digest()
        if key not in self._buffer_of:
            self._buffer_of[key] = len(self.buffers)
            buffer = schema.BufferT()
            buffer.data = content
            self.buffers.append(buffer)
        return self._buffer_of[key]

    def code(self, code: Any) -> int:
        key = (code.builtinCode, code.deprecatedBuiltinCode, code.customCode, code.version)
        if key not in self._code_of:
            self._code_of[key] = len(self.codes)
            self.codes.append(code)
        return self._code_of[key]

    def graph(self, graph: Graph, numbers: dict[int, int]) -> FlatbufferObject:
        table = schema.SubGraphT()
        table.name, table.tensors = graph.name, []
        constants: dict[Any, int] = {}
        for tensor in graph.tensors():
            tensor.table.buffer = self.buffer(tensor.content)
            number = len(table.tensors)
            if tensor.content is not None and tensor not in graph.outputs:
                number = constants.setdefault(_kind_of_constant(tensor), number)
            numbers[id(tensor)] = number
            if number == len(table.tensors):
                table.tensors.append(tensor.table)
        table.inputs = [numbers[id(tensor)] for tensor in graph.inputs]
        table.outputs = [numbers[id(tensor)] for tensor in graph.outputs]
        table.operators = [self._operator(operator, numbers) for operator in graph.operators]
        return table

    def _operator(self, operator: Operator, numbers: dict[int, int]) -> FlatbufferObject:
        table = operator.table
        table.opcodeIndex = self.code(operator.code)
        table.inputs = [-1 if tensor is None else numbers[id(tensor)] for tensor in operator.inputs]
        table.outputs = [numbers[id(tensor)] for tensor in operator.outputs]
        if operator.intermediates:
            table.intermediates = [numbers[id(tensor)] for tensor in operator.intermediates]
        return table
