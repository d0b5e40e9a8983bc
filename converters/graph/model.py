"""One editable view of a .tflite file: operators and tensors as objects that point at each other.

Indices exist in the file only. Reading replaces them by references and writing numbers what is still in use, so a
rewrite never has to keep a table in order. Everything that rewrites do not touch (quantization, sparsity, options,
metadata, further subgraphs) stays what it was.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy, deepcopy
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.runtime.describe import tensor_name, tensor_type
from mobile_bnn.typing import Array

_DTYPES: dict[int, np.dtype[Any]] = {
    schema.TensorType.FLOAT32: np.dtype(np.float32),
    schema.TensorType.FLOAT16: np.dtype(np.float16),
    schema.TensorType.FLOAT64: np.dtype(np.float64),
    schema.TensorType.INT8: np.dtype(np.int8),
    schema.TensorType.UINT8: np.dtype(np.uint8),
    schema.TensorType.INT16: np.dtype(np.int16),
    schema.TensorType.INT32: np.dtype(np.int32),
    schema.TensorType.INT64: np.dtype(np.int64),
    schema.TensorType.BOOL: np.dtype(np.bool_),
}
_TYPES = {dtype: number for number, dtype in _DTYPES.items()}


@dataclass(eq=False)
class Tensor:
    """A tensor of a graph.

    Attributes:
        table: the schema's table, whose `buffer` means nothing here.
        content: a constant's bytes, uint8 (bytes,), or None for a tensor that is computed.
    """

    table: Any
    content: npt.NDArray[np.uint8] | None = None

    def __repr__(self) -> str:
        kind = "Tensor" if self.content is None else "Constant"
        return f"{kind}({self.name!r}, {list(self.shape)} of {tensor_type(self.table)})"

    @classmethod
    def of(cls, name: str, shape: Iterable[int], dtype: npt.DTypeLike) -> "Tensor":
        """A new tensor that an operator computes."""
        table = schema.TensorT()
        table.name, table.shape, table.type = name, [int(size) for size in shape], _TYPES[np.dtype(dtype)]
        return cls(table)

    @classmethod
    def constant(cls, name: str, values: Array) -> "Tensor":
        """A new constant."""
        tensor = cls.of(name, values.shape, values.dtype)
        tensor.set_values(values)
        return tensor

    def copy(self) -> "Tensor":
        """An equal tensor; a constant's bytes, which nobody writes into, are the same ones."""
        return Tensor(copy(self.table), self.content)

    def set_values(self, values: Array) -> None:
        """Makes this tensor a constant of that shape and type."""
        self.table.shape, self.table.type = list(values.shape), _TYPES[values.dtype]
        self.table.shapeSignature = None
        self.content = np.ascontiguousarray(values).reshape(-1).view(np.uint8)

    @property
    def name(self) -> str:
        """The name in the file."""
        return tensor_name(self.table)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in the file, 1 where a dimension is dynamic."""
        return tuple(self.table.shape)

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """The element type, None for one that NumPy has not (int4, strings, resources)."""
        return _DTYPES.get(self.table.type)

    @property
    def values(self) -> Array | None:
        """A constant's values in the tensor's shape, read-only; None if it is computed or NumPy lacks its type.

        Raises:
            MobileBnnError: the constant has not the bytes of its shape.
        """
        if self.content is None or self.dtype is None or self.table.sparsity is not None:
            return None
        if self.content.size != int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize:
            raise MobileBnnError(
                f"constant {self.name or 'without a name'} has {self.content.size} bytes",
                why=f"its shape {list(self.shape)} of {tensor_type(self.table)} needs other ones",
            )
        # A file's buffers are aligned to 16 bytes unless it was written carelessly: then this is a copy.
        content = np.require(self.content, requirements=["C", "A"])
        values = np.frombuffer(content.data, self.dtype).reshape(self.shape)
        values.flags.writeable = False
        return values


@dataclass(eq=False)
class Operator:
    """An operator of a graph.

    Attributes:
        kind: its builtin name, such as CONV_2D, or its custom code, such as LceBconv2d.
        inputs: tensors, None for an optional one that was left out.
        outputs: tensors.
        code: the schema's table of kind and version.
        table: the schema's table of options, whose indices mean nothing here.
        intermediates: tensors that the operator keeps between its own steps.
        meaning: what the rule that made it knows of its input, and a file does not tell.
    """

    kind: str
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    code: Any = field(repr=False)
    table: Any = field(default_factory=schema.OperatorT, repr=False)
    intermediates: list[Tensor] = field(default_factory=list, repr=False)
    meaning: Any = field(default=None, repr=False)

    @classmethod
    def builtin(
        cls, kind: str, inputs: list[Tensor | None], outputs: list[Tensor], options: Any = None, version: int = 1
    ) -> "Operator":
        """A new operator of TFLite's own; `options` is the schema's object, such as `AddOptionsT`."""
        code = schema.OperatorCodeT()
        code.builtinCode, code.version = getattr(schema.BuiltinOperator, kind), version
        code.deprecatedBuiltinCode = min(code.builtinCode, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
        operator = cls(kind, list(inputs), list(outputs), code)
        if options is not None:
            operator.table.builtinOptions = options
            operator.table.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        return operator

    @classmethod
    def custom(
        cls, kind: str, inputs: list[Tensor | None], outputs: list[Tensor], options: Mapping[str, int] | None = None
    ) -> "Operator":
        """A new custom operator with options in a flexbuffer map, none if it takes none."""
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode, code.version = kind, 1
        operator = cls(kind, list(inputs), list(outputs), code)
        if options is not None:
            operator.table.customOptions = np.frombuffer(_flexbuffer(tuple(options.items())), np.uint8)
        return operator

    def copy(self, own: Callable[[Tensor], Tensor] = lambda tensor: tensor) -> "Operator":
        """An equal operator with options of its own, which may be changed; `own` gives it its tensors."""
        return Operator(
            self.kind,
            [None if tensor is None else own(tensor) for tensor in self.inputs],
            [own(tensor) for tensor in self.outputs],
            self.code,
            deepcopy(self.table),
            [own(tensor) for tensor in self.intermediates],
            self.meaning,
        )

    @property
    def options(self) -> Any:
        """The builtin options, None if there are none."""
        return self.table.builtinOptions

    @cached_property
    def custom_options(self) -> dict[str, Any]:
        """A custom operator's options; to be read only.

        Raises:
            MobileBnnError: they are no flexbuffer map.
        """
        content = self.table.customOptions
        try:
            options = flexbuffers.Loads(bytes(bytearray(content))) if content is not None and len(content) else {}
        except Exception as error:  # the reader raises whatever offsets that lead nowhere make of it
            raise MobileBnnError(f"the options of {self.kind} are no flexbuffer", why=first_line(error)) from error
        if not isinstance(options, dict):
            raise MobileBnnError(f"the options of {self.kind} are no flexbuffer map")
        return options

    @property
    def output(self) -> Tensor:
        """The only output of an operator that has one."""
        (output,) = self.outputs
        return output


@dataclass
class Signature:
    """Names for the inputs and outputs of a graph."""

    key: Any
    inputs: dict[Any, Tensor]
    outputs: dict[Any, Tensor]

    def copy(self, own: Callable[[Tensor], Tensor]) -> "Signature":
        """The same names for other tensors."""
        inputs, outputs = ({name: own(t) for name, t in named.items()} for named in (self.inputs, self.outputs))
        return Signature(self.key, inputs, outputs)


@dataclass(eq=False)
class Graph:
    """A subgraph: its operators in an order in which they can run."""

    name: Any
    inputs: list[Tensor]
    outputs: list[Tensor]
    operators: list[Operator] = field(repr=False)
    signatures: list[Signature] = field(default_factory=list, repr=False)

    def copy(self) -> "Graph":
        """An equal graph of tensors and operators of its own; the bytes of constants are shared."""
        copies: dict[int, Tensor] = {}

        def own(tensor: Tensor) -> Tensor:
            if id(tensor) not in copies:
                copies[id(tensor)] = tensor.copy()
            return copies[id(tensor)]

        return Graph(
            self.name,
            [own(tensor) for tensor in self.inputs],
            [own(tensor) for tensor in self.outputs],
            [operator.copy(own) for operator in self.operators],
            [signature.copy(own) for signature in self.signatures],
        )

    def producer(self, tensor: Tensor) -> Operator | None:
        """The operator that computes a tensor; None for inputs and constants."""
        return next((operator for operator in self.operators if tensor in operator.outputs), None)

    def consumers(self, tensor: Tensor) -> list[Operator]:
        """The operators that read a tensor, each once."""
        return [operator for operator in self.operators if tensor in operator.inputs]

    def replace(self, old: Tensor, new: Tensor) -> None:
        """Lets every reader of one tensor, the graph's outputs and its signatures have another."""
        for operator in self.operators:
            operator.inputs = [new if tensor is old else tensor for tensor in operator.inputs]
        self.outputs = [new if tensor is old else tensor for tensor in self.outputs]
        for signature in self.signatures:
            outputs = signature.outputs.items()
            signature.outputs = {name: new if tensor is old else tensor for name, tensor in outputs}

    def insert_before(self, operator: Operator, *new: Operator) -> None:
        """Puts operators in front of one, which thereby may read what they compute."""
        at = self.operators.index(operator)
        self.operators[at:at] = new

    def remove_dead(self) -> None:
        """Removes operators whose results nobody uses. What writes variables or calls subgraphs stays."""
        used = set(map(id, self.outputs))
        alive = []
        for operator in reversed(self.operators):
            if _has_effects(operator) or any(id(tensor) in used for tensor in operator.outputs):
                alive.append(operator)
                used |= {id(tensor) for tensor in operator.inputs if tensor is not None}
        self.operators = alive[::-1]

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor in use, once, in the order of first use."""
        seen = {}
        for tensor in self.inputs:
            seen[id(tensor)] = tensor
        for operator in self.operators:
            for used in (*operator.inputs, *operator.intermediates, *operator.outputs):
                if used is not None:
                    seen.setdefault(id(used), used)
        for tensor in self.outputs:
            seen.setdefault(id(tensor), tensor)
        yield from seen.values()


@cache
def _flexbuffer(options: tuple[tuple[str, int], ...]) -> bytes:
    """A map of options. They are few, and packing is slow."""
    return bytes(flexbuffers.Dumps(dict(options)))


def _has_effects(operator: Operator) -> bool:
    stateful = any(tensor is not None and tensor.table.isVariable for tensor in operator.inputs)
    return stateful or not operator.outputs or operator.kind in _CALLING


_CALLING = {"CALL", "CALL_ONCE", "IF", "WHILE", "ASSIGN_VARIABLE", "STABLEHLO_COMPOSITE", "STABLEHLO_WHILE"}
