"""Where a rule puts new operators: before the one that it rewrites. What is there already is used again."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.typing import Array

RESHAPES = frozenset({"RESHAPE", "EXPAND_DIMS", "SQUEEZE"})


@dataclass(frozen=True)
class Rewriter:
    """A place in a graph.

    Attributes:
        graph: is changed.
        operator: before which new operators stand.
    """

    graph: Graph
    operator: Operator

    def add(self, operator: Operator) -> Tensor:
        """Puts an operator of one output there, unless one before it computes the same. Returns the output."""
        for other in self._before(operator):
            if _same(operator, other):
                return other.output
        self.graph.insert_before(self.operator, operator)
        return operator.output

    def _before(self, operator: Operator) -> Iterator[Operator]:
        """The operators that may compute the same: those that read its input, or any if it reads constants only."""
        computed = next((tensor for tensor in operator.inputs if tensor is not None and tensor.content is None), None)
        others = self.graph.operators if computed is None else self.graph.consumers(computed)
        return takewhile(lambda other: self.graph.rank(other) < self.graph.rank(self.operator), others)

    def add_all(self, operators: Iterable[Operator], result: Tensor) -> Tensor:
        """Puts operators there that compute a tensor, and returns it or the one that was there already."""
        found: dict[Tensor, Tensor] = {}
        for operator in operators:
            inputs = [tensor if tensor is None else found.get(tensor, tensor) for tensor in operator.inputs]
            found[operator.output] = self.add(operator.between(inputs, operator.outputs))
        return found.get(result, result)

    def elementwise(self, op_type: str, tensor: Tensor, operand: Array | Tensor, activation: int = 0) -> Tensor:
        """ADD, SUB or MUL of a tensor and another one or a constant."""
        name = f"{tensor.name}/{op_type.lower()}"
        options = getattr(schema, f"{op_type.capitalize()}OptionsT")()
        options.fusedActivationFunction = activation
        if not isinstance(operand, Tensor):
            operand = Tensor.constant(f"{name}/operand", np.asarray(operand, np.float32))
        output = Tensor.of(name, tensor.shape, np.float32)
        return self.add(Operator.builtin(op_type, [tensor, operand], [output], options))

    def reshape(self, tensor: Tensor, shape: Iterable[int]) -> Tensor:
        """A tensor in another shape, whose first dimension is left open in the file: it is the batch."""
        shape = tuple(shape)
        if shape == tensor.shape:
            return tensor
        wanted = Tensor.constant(f"{tensor.name}/shape", np.array([-1, *shape[1:]], np.int32))
        output = Tensor.of(f"{tensor.name}/reshape", shape, tensor.dtype)
        return self.add(Operator.builtin("RESHAPE", [tensor, wanted], [output]))

    def pad(self, tensor: Tensor, before: Iterable[int], after: Iterable[int], value: float) -> Tensor:
        """A map [N, H, W, C] with pixels of a value around it; each pair is for height and width."""
        amounts = np.array([(0, 0), *zip(before, after, strict=True), (0, 0)], np.int32)
        constants = [Tensor.constant("padding", amounts), Tensor.constant("value", np.float32(value).reshape(()))]
        shape = np.add(tensor.shape, amounts.sum(1))
        output = Tensor.of(f"{tensor.name}/padded", shape, np.float32)
        return self.add(Operator.builtin("PADV2", [tensor, *constants], [output], schema.PadV2OptionsT()))

    def first_channels(self, tensor: Tensor, channels: int) -> Tensor:
        """The first channels of a map [N, H, W, C]."""
        return self.slice(tensor, (0, 0, 0, 0), (*tensor.shape[:3], channels))

    def slice(self, tensor: Tensor, begin: Iterable[int], shape: tuple[int, ...]) -> Tensor:
        """A part of a map [N, H, W, C] that has all of its batch."""
        if shape == tensor.shape:
            return tensor
        size = [-1 if part == whole else part for part, whole in zip(shape, tensor.shape, strict=True)]
        bounds = [
            Tensor.constant(name, np.array([*values], np.int32)) for name, values in (("begin", begin), ("size", size))
        ]
        output = Tensor.of(f"{tensor.name}/first", shape, np.float32)
        return self.add(Operator.builtin("SLICE", [tensor, *bounds], [output], schema.SliceOptionsT()))

    def quantize(self, tensor: Tensor) -> Tensor:
        """The packed signs of a tensor."""
        shape = (*tensor.shape[:-1], (tensor.shape[-1] + 31) // 32)
        words = Tensor.of(f"{tensor.name}/signs", shape, np.int32)
        return self.add(Operator.custom("LceQuantize", [tensor], [words]))

    def bconv(
        self, words: Tensor, constants: Mapping[str, Array], output: Tensor, options: Mapping[str, int]
    ) -> Operator:
        """A binary convolution to float with constants `filter`, `multiplier` and `bias`; every layer has its own."""
        # Of several operators that became one, the last is the convolution: TensorFlow joins their names.
        layer = output.name.rpartition(";")[2]
        inputs = [Tensor.constant(f"{layer}/{name}", values) for name, values in constants.items()]
        bconv = Operator.custom("LceBconv2d", [words, *inputs, None], [output], options)
        self.graph.insert_before(self.operator, bconv)
        return bconv

    def finish(self, result: Tensor) -> None:
        """Lets a tensor take the place of the operator's output, and removes the operator."""
        self.graph.remove(self.operator)
        self.graph.replace(self.operator.output, result)


def has_fixed_size(tensor: Tensor) -> bool:
    """Whether every dimension but the first is fixed."""
    signature = tensor.table.shapeSignature
    return signature is None or all(size >= 0 for size in signature[1:])


def has_open_batch(graph: Graph) -> bool:
    """Whether a graph takes batches of any size."""
    signatures = [tensor.table.shapeSignature for tensor in graph.inputs]
    return any(signature is not None and len(signature) > 0 and signature[0] < 0 for signature in signatures)


def _same(one: Operator, other: Operator) -> bool:
    """Whether two operators of one output compute the same."""
    if one.op_type != other.op_type or len(one.inputs) != len(other.inputs) or len(other.outputs) != 1:
        return False
    inputs = zip(one.inputs, other.inputs, strict=True)
    if one.output.shape != other.output.shape or not all(_equal(left, right) for left, right in inputs):
        return False
    if one.options is None or other.options is None:
        return one.options is other.options and one.custom_options == other.custom_options
    return bool(vars(one.options) == vars(other.options))


def _equal(left: Tensor | None, right: Tensor | None) -> bool:
    """Whether two inputs are the same tensor or equal constants."""
    if left is right:
        return True
    if left is None or right is None or left.content is None or right.content is None:
        return False
    alike = left.table.type == right.table.type and left.shape == right.shape
    return alike and np.array_equal(left.content, right.content)
