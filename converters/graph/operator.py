"""An operator of a graph: its type, its options and the tensors that it stands between."""

from collections.abc import Callable, Iterable, Mapping
from copy import copy, deepcopy
from functools import cache, cached_property

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from mobile_bnn.converters.graph.tensor import Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.typing import Array, FlatbufferObject, JsonObject


class Operator:
    """An operator of a graph, whose tensors are changed by the graph's methods only.

    Attributes:
        op_type: its builtin name, such as CONV_2D, or its custom code, such as LceBconv2d.
        code: the schema's table of type and version.
        table: the schema's table of options, whose indices mean nothing here.
        intermediates: tensors that the operator keeps between its own steps.
    """

    def __init__(
        self,
        op_type: str,
        inputs: Iterable[Tensor | None],
        outputs: Iterable[Tensor],
        code: FlatbufferObject,
        table: FlatbufferObject = None,
        intermediates: Iterable[Tensor] = (),
    ) -> None:
        self.op_type, self.code = op_type, code
        self.table = schema.OperatorT() if table is None else table
        self.intermediates = list(intermediates)
        self._inputs, self._outputs = tuple(inputs), tuple(outputs)

    def __repr__(self) -> str:
        return f"Operator({self.op_type}, {list(self.inputs)} -> {list(self.outputs)})"

    @classmethod
    def builtin(
        cls,
        op_type: str,
        inputs: Iterable[Tensor | None],
        outputs: Iterable[Tensor],
        options: FlatbufferObject = None,
        version: int = 1,
    ) -> "Operator":
        """A new operator of TFLite's own; `options` is the schema's object, such as `AddOptionsT`."""
        code = schema.OperatorCodeT()
        code.builtinCode, code.version = getattr(schema.BuiltinOperator, op_type), version
        code.deprecatedBuiltinCode = min(code.builtinCode, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
        operator = cls(op_type, inputs, outputs, code)
        if options is not None:
            operator.table.builtinOptions = options
            operator.table.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        return operator

    @classmethod
    def custom(
        cls,
        op_type: str,
        inputs: Iterable[Tensor | None],
        outputs: Iterable[Tensor],
        options: Mapping[str, int] | None = None,
    ) -> "Operator":
        """A new custom operator with options in a flexbuffer map, none if it takes none."""
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode, code.version = op_type, 1
        operator = cls(op_type, inputs, outputs, code)
        if options is not None:
            operator.table.customOptions = np.frombuffer(_flexbuffer(tuple(options.items())), np.uint8)
        return operator

    def copy(self, own: Callable[[Tensor], Tensor] = lambda tensor: tensor) -> "Operator":
        """An equal operator with options of its own, which may be changed; `own` gives it its tensors."""
        return Operator(
            self.op_type,
            [None if tensor is None else own(tensor) for tensor in self.inputs],
            [own(tensor) for tensor in self.outputs],
            self.code,
            deepcopy(self.table),
            [own(tensor) for tensor in self.intermediates],
        )

    def between(self, inputs: Iterable[Tensor | None], outputs: Iterable[Tensor]) -> "Operator":
        """An operator of the same type and options between other tensors."""
        return Operator(self.op_type, inputs, outputs, self.code, copy(self.table), self.intermediates)

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The tensors that it reads, None for an optional one that was left out."""
        return self._inputs

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The tensors that it computes."""
        return self._outputs

    def rewire(self, inputs: Iterable[Tensor | None], outputs: Iterable[Tensor]) -> None:
        """Lets it stand between other tensors. Of an operator in a graph, only the graph may call this."""
        self._inputs, self._outputs = tuple(inputs), tuple(outputs)

    def input(self, number: int) -> Tensor:
        """An input that must be there.

        Raises:
            NoMatch: the operator has no such input.
        """
        tensor = self.inputs[number] if number < len(self.inputs) else None
        if tensor is None:
            raise NoMatch(RefusalCode.OPERAND_MISSING, f"{self.op_type} has no input {number}")
        return tensor

    def constant(self, number: int) -> Array:
        """The values of an input that must be a constant.

        Raises:
            NoMatch: the operator has no such input, or it is computed, or NumPy lacks its type.
        """
        values = self.input(number).values
        if values is None:
            raise NoMatch(RefusalCode.OPERAND_NOT_CONSTANT, f"input {number} of {self.op_type} is not a constant")
        return values

    @property
    def options(self) -> FlatbufferObject:
        """The builtin options, None if there are none."""
        return self.table.builtinOptions

    @cached_property
    def custom_options(self) -> JsonObject:
        """A custom operator's options; to be read only.

        Raises:
            MobileBnnError: they are not a flexbuffer map.
        """
        content = self.table.customOptions
        try:
            options = flexbuffers.Loads(bytes(bytearray(content))) if content is not None and len(content) else {}
        except Exception as error:  # the reader raises whatever offsets that lead nowhere make of it
            raise MobileBnnError(
                f"the options of {self.op_type} are not a flexbuffer", why=first_line(error)
            ) from error
        if not isinstance(options, dict):
            raise MobileBnnError(f"the options of {self.op_type} are not a flexbuffer map")
        return options

    @property
    def output(self) -> Tensor:
        """The only output of an operator that has one."""
        (output,) = self.outputs
        return output


@cache
def _flexbuffer(options: tuple[tuple[str, int], ...]) -> bytes:
    """A map of options. They are few, and packing is slow."""
    return bytes(flexbuffers.Dumps(dict(options)))
