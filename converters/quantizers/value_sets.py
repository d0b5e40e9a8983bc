"""Proves that a tensor takes few values, whatever function of its inputs it is.

Sets of values are propagated through operators: a comparison gives false or true of anything, SIGN -1, 0 or 1, a
constant its own values; an element-wise operator whose inputs have few values gives what LiteRT's own kernel makes of
every combination of them; and what only moves values adds those that it pads with. Combinations that never meet make
a set larger than need be, never smaller. A set with a value that is no finite number proves nothing. What arithmetic
alone does not prove, a step function may: the caller is asked for its levels where something moves them.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from mobile_bnn.converters.graph.fold_constants import evaluate
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ELEMENTWISE
from mobile_bnn.typing import Array

# The distinct values of a tensor, rising, in its own type, or None if nothing is known.
ValueSet = Array | None
Levels = Callable[[Tensor], ValueSet]

MAX_VALUES = 16  # of quantizers of up to 4 bits
_MAX_COMBINATIONS = 4096
# Without a scale and a zero point: what is read in the file is the value.
_PLAIN = frozenset(map(np.dtype, (np.float32, np.bool_, np.int32, np.int64)))
# Computed by approximation: another kernel may give neighbours of these values.
_APPROXIMATED = frozenset({"TANH", "LOGISTIC", "HARD_SWISH"})
_EXACT = ELEMENTWISE - _APPROXIMATED
# Outputs hold values of the first input only, up to a fused activation.
_MOVING = frozenset(
    {
        "BATCH_TO_SPACE_ND",
        "BROADCAST_TO",
        "DEPTH_TO_SPACE",
        "EXPAND_DIMS",
        "GATHER",
        "MAX_POOL_2D",
        "MIRROR_PAD",
        "REDUCE_MAX",
    }
    | {
        "REDUCE_MIN",
        "RESHAPE",
        "RESIZE_NEAREST_NEIGHBOR",
        "REVERSE_V2",
        "SLICE",
        "SPACE_TO_DEPTH",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TILE",
    }
    | {"TRANSPOSE", "UNPACK"}
)
_PADDING = frozenset({"PAD", "PADV2", "SPACE_TO_BATCH_ND"})
_JOINING = frozenset({"CONCATENATION", "PACK"})
_KNOWN = _EXACT | _MOVING | _PADDING | _JOINING | {"SPLIT"}


def value_set(graph: Graph, tensor: Tensor, levels: Levels | None = None) -> ValueSet:
    """The values that a tensor can take, at most MAX_VALUES; None if that few are not proved.

    Args:
        graph: of the tensor.
        tensor: any.
        levels: gives the values of step functions; None if these shall not be asked for.
    """
    above = _Above(graph, tensor)
    search = _Search(levels or (lambda _: None))
    search.walk(above.operators(stop_early=levels is None))
    return search.of_tensor(tensor)


class _Above:
    """The operators that values come through to a tensor, the nearest first."""

    def __init__(self, graph: Graph, tensor: Tensor) -> None:
        self._graph, self._tensor = graph, tensor
        self._found = set[Operator]()
        self._readers: dict[Tensor, list[Operator]] = {}
        self._unknown = set[Tensor]()

    def operators(self, stop_early: bool) -> list[Operator]:
        """They, in an order in which they can run.

        Args:
            stop_early: whether to leave out what is above tensors of which nothing will be known anyway, and all if
                the last one is such. In a residual network the walk would else lead through all blocks before.
        """
        left = deque([self._tensor])
        while left and self._tensor not in self._unknown:
            tensor = left.popleft()
            if stop_early and self._tells_nothing(tensor):
                continue
            operator = self._graph.producer(tensor)
            if operator is None or operator.op_type not in _KNOWN:
                if stop_early and (tensor.content is None or few_values(tensor.values) is None):
                    self._spread(tensor)
            elif operator not in self._found:
                self._found.add(operator)
                for each in operator.inputs:
                    if each is not None and each.dtype != np.bool_:
                        self._readers.setdefault(each, []).append(operator)
                        left.append(each)
                if not self._unknown.isdisjoint(each for each in operator.inputs if each is not None):
                    self._spread_through(operator)
        return [] if self._tensor in self._unknown else sorted(self._found, key=self._graph.rank)

    def _tells_nothing(self, tensor: Tensor) -> bool:
        """Whether it comes to the last tensor only through others of which nothing will be known."""
        if not self._unknown:
            return False
        seen, left = {tensor}, [tensor]
        while left:
            last = left.pop()
            if last is self._tensor:
                return False
            after = {output for reader in self._readers.get(last, ()) for output in reader.outputs}
            new = after - seen - self._unknown
            seen |= new
            left += new
        return True

    def _spread(self, tensor: Tensor) -> None:
        """Notes that nothing is known of a tensor, nor of what is computed from it."""
        if tensor not in self._unknown:
            self._unknown.add(tensor)
            for reader in self._readers.get(tensor, ()):
                self._spread_through(reader)

    def _spread_through(self, operator: Operator) -> None:
        if operator.op_type in _EXACT - {"SIGN"}:
            for output in operator.outputs:
                self._spread(output)


def few_values(values: ValueSet) -> ValueSet:
    """The distinct ones of some values, rising, if they are few and numbers."""
    if values is None or values.dtype not in _PLAIN or not np.isfinite(values).all():
        return None
    distinct = np.unique(values)
    return distinct if 0 < len(distinct) <= MAX_VALUES else None


def value_set_within(operators: Iterable[Operator], tensor: Tensor) -> ValueSet:
    """The same, if nothing is known of what is before some operators."""
    search = _Search(lambda _: None)
    search.walk(operators)
    return search.of_tensor(tensor)


@dataclass
class _Search:
    """What is known of the tensors so far."""

    levels: Levels
    known: dict[Tensor, ValueSet] = field(default_factory=dict)

    def walk(self, operators: Iterable[Operator]) -> None:
        """Goes through operators in an order in which they can run."""
        for operator in operators:
            values = self._of_operator(operator)
            self.known.update((output, values) for output in operator.outputs)

    def of_tensor(self, tensor: Tensor | None) -> ValueSet:
        if tensor is None:
            return None
        if tensor.content is not None:
            return few_values(tensor.values)
        return np.array([False, True]) if tensor.dtype == np.bool_ else self.known.get(tensor)

    def _of_moved(self, tensor: Tensor | None) -> ValueSet:
        """Also of a step function, which is not asked for in the middle of element-wise operators."""
        values = self.of_tensor(tensor)
        if values is None and tensor is not None and tensor.dtype == np.float32:
            values = self.known[tensor] = self.levels(tensor)
        return values

    def _of_operator(self, operator: Operator) -> ValueSet:
        if operator.op_type in _EXACT:
            return _of_elementwise(operator, [self.of_tensor(tensor) for tensor in operator.inputs])
        if operator.op_type == "SPLIT":  # its first input is the axis
            return self._of_moved(operator.inputs[1])
        if operator.op_type in _JOINING:
            return _activated(operator, _union([self._of_moved(tensor) for tensor in operator.inputs]))
        values = self._of_moved(operator.inputs[0])
        return (
            _union([values, self._padding(operator)]) if operator.op_type in _PADDING else _activated(operator, values)
        )

    def _padding(self, operator: Operator) -> ValueSet:
        return self.of_tensor(operator.inputs[2]) if operator.op_type == "PADV2" else np.zeros(1, operator.output.dtype)


def _of_elementwise(operator: Operator, inputs: list[ValueSet]) -> ValueSet:
    if operator.op_type == "SIGN" and inputs[0] is None and operator.output.dtype == np.float32:
        return np.array([-1, 0, 1], np.float32)
    sets = [values for values in inputs if values is not None]
    if len(sets) < len(inputs) or np.prod([len(values) for values in sets]) > _MAX_COMBINATIONS:
        return None
    return _kernel(operator, sets)


def _kernel(operator: Operator, sets: list[Array]) -> ValueSet:
    """What an element-wise operator makes of every combination of values."""
    columns = zip(*product(*sets), strict=True)
    inputs: list[Tensor | None] = [
        Tensor.constant("values", np.array(column, values.dtype)) for column, values in zip(columns, sets, strict=True)
    ]
    return few_values(next(iter(evaluate(operator.between(inputs, operator.outputs)))))


def _activated(operator: Operator, values: ValueSet) -> ValueSet:
    """Values after the activation that is fused into an operator that moves them."""
    activation = getattr(operator.options, "fusedActivationFunction", 0)
    return values if activation == 0 else None


def _union(sets: list[ValueSet]) -> ValueSet:
    known = [values for values in sets if values is not None]
    return few_values(np.concatenate(known)) if known and len(known) == len(sets) else None
