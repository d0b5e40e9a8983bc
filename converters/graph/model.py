"""One editable view of a .tflite file: operators and tensors as objects that point at each other.

Indices exist in the file only. Reading replaces them by references and writing numbers what is still in use, so a
rewrite never has to keep a table in order. Everything that rewrites do not touch (quantization, sparsity, options,
metadata, further subgraphs) stays what it was.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from mobile_bnn.converters.graph.def_use import DefUse, Notes
from mobile_bnn.converters.graph.operator import Operator
from mobile_bnn.converters.graph.operator_order import OperatorOrder
from mobile_bnn.converters.graph.tensor import Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

__all__ = ["CALLING", "Graph", "Operator", "Signature", "Tensor"]


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


class Graph:
    """A subgraph: its operators in an order in which they can run, and who computes and reads each tensor.

    Attributes:
        name: in the file.
        inputs: tensors.
        outputs: tensors.
        signatures: names for both.
    """

    def __init__(
        self,
        name: Any,
        inputs: Iterable[Tensor],
        outputs: Iterable[Tensor],
        operators: Iterable[Operator] = (),
        signatures: Iterable[Signature] = (),
    ) -> None:
        self.name, self.inputs, self.outputs, self.signatures = name, list(inputs), list(outputs), list(signatures)
        self._order = OperatorOrder(operators)
        self._uses = DefUse(self._order)
        self._heirs = WeakKeyDictionary[Operator, Operator]()  # of those that somebody still knows

    def __repr__(self) -> str:
        return f"Graph({self.name!r}, {self.inputs} -> {self.outputs})"

    @property
    def operators(self) -> Sequence[Operator]:
        """The operators; to be changed by the methods below only."""
        return self._order

    def copy(self) -> "Graph":
        """An equal graph of tensors and operators of its own; the bytes of constants are shared."""
        copies: dict[Tensor, Tensor] = {}

        def own(tensor: Tensor) -> Tensor:
            if tensor not in copies:
                copies[tensor] = tensor.copy()
            return copies[tensor]

        return Graph(
            self.name,
            [own(tensor) for tensor in self.inputs],
            [own(tensor) for tensor in self.outputs],
            [operator.copy(own) for operator in self.operators],
            [signature.copy(own) for signature in self.signatures],
        )

    def observed(self) -> AbstractContextManager[Notes]:
        """Notes down which tensors are asked about, and which change, while the context is open."""
        return self._uses.observed()

    def rank(self, operator: Operator) -> float:
        """A number that rises along the operators."""
        return self._order.rank(operator)

    def producer(self, tensor: Tensor) -> Operator | None:
        """The operator that computes a tensor; None for inputs and constants."""
        return self._uses.producer(tensor)

    def consumers(self, tensor: Tensor) -> list[Operator]:
        """The operators that read a tensor, each once, in their order."""
        return sorted(self._uses.readers(tensor), key=self._order.rank)

    def only_reader(self, tensor: Tensor) -> Operator:
        """The operator that alone reads a tensor.

        Raises:
            NoMatch: others read it, too, or nobody does.
        """
        readers = self.consumers(tensor)
        if tensor in self.outputs:
            raise NoMatch(RefusalCode.SHARED_RESULT, f"{self._result(tensor)} is an output of the graph")
        if len(readers) != 1:
            raise NoMatch(RefusalCode.SHARED_RESULT, f"{len(readers)} operators read {self._result(tensor)}")
        return readers[0]

    def check_unshared(self, tensors: Iterable[Tensor], readers: Collection[Operator]) -> None:
        """Checks that nobody else reads some tensors.

        Raises:
            NoMatch: an operator that is not among `readers` reads one, or it is an output of the graph.
        """
        for tensor in tensors:
            if tensor in self.outputs:
                raise NoMatch(RefusalCode.SHARED_RESULT, f"{self._result(tensor)} is an output of the graph")
            for reader in self.consumers(tensor):
                if reader not in readers:
                    raise NoMatch(RefusalCode.SHARED_RESULT, f"{reader.op_type}, too, reads {self._result(tensor)}")

    def _result(self, tensor: Tensor) -> str:
        producer = self.producer(tensor)
        return tensor.name if producer is None else f"the result of {producer.op_type}"

    def replace(self, old: Tensor, new: Tensor) -> None:
        """Lets every reader of one tensor, the graph's outputs and its signatures have another."""
        for operator in self.consumers(old):
            self.set_inputs(operator, [new if tensor is old else tensor for tensor in operator.inputs])
        self.outputs = [new if tensor is old else tensor for tensor in self.outputs]
        for signature in self.signatures:
            outputs = signature.outputs.items()
            signature.outputs = {name: new if tensor is old else tensor for name, tensor in outputs}
        self._uses.touch(old, new)

    def set_inputs(self, operator: Operator, inputs: Iterable[Tensor | None]) -> None:
        """Lets an operator read other tensors."""
        self._uses.unlink(operator)
        operator.rewire(inputs, operator.outputs)
        self._uses.link(operator)

    def set_outputs(self, operator: Operator, outputs: Iterable[Tensor]) -> None:
        """Lets an operator compute other tensors."""
        self._uses.unlink(operator)
        operator.rewire(operator.inputs, outputs)
        self._uses.link(operator)

    def insert_before(self, operator: Operator, *new: Operator) -> None:
        """Puts operators directly before one, which thereby may read what they compute."""
        self._order.put_before(operator, new)
        for each in new:
            self._uses.link(each)

    def insert_after(self, operator: Operator, *new: Operator) -> None:
        """Puts operators directly after one, which they may read from."""
        self._order.put_after(operator, new)
        for each in new:
            self._uses.link(each)

    def append(self, *new: Operator) -> None:
        """Puts operators after all others."""
        self._order.put_last(new)
        for each in new:
            self._uses.link(each)

    def remove(self, *operators: Operator) -> None:
        """Removes operators."""
        for operator in operators:
            self._order.take_out(operator)
            self._uses.unlink(operator)

    def substitute(self, old: Operator, new: Operator) -> None:
        """Puts an operator in the place of another one."""
        self._order.put_before(old, [new])
        self.remove(old)
        self._uses.link(new)
        self._heirs[old] = new

    def heir(self, operator: Operator) -> Operator:
        """The operator that stands in the place of another one by now, or that one itself."""
        while operator in self._heirs:
            operator = self._heirs[operator]
        return operator

    def remove_unread(self, operator: Operator) -> None:
        """Removes an operator whose results nobody uses, and those before it that only it used."""
        left = [operator]
        while left:
            last = left.pop()
            used = any(tensor in self.outputs or self._uses.readers(tensor) for tensor in last.outputs)
            if last in self.operators and not used and not _has_effects(last):
                self.remove(last)
                producers = [self.producer(tensor) for tensor in last.inputs if tensor is not None]
                left += [producer for producer in producers if producer is not None]

    def remove_dead(self) -> None:
        """Removes operators whose results nobody uses. What writes variables or calls subgraphs stays."""
        used = set(self.outputs)
        for operator in reversed(list(self.operators)):
            if _has_effects(operator) or not used.isdisjoint(operator.outputs):
                used.update(tensor for tensor in operator.inputs if tensor is not None)
            else:
                self.remove(operator)

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


def _has_effects(operator: Operator) -> bool:
    stateful = any(tensor is not None and tensor.table.isVariable for tensor in operator.inputs)
    return stateful or not operator.outputs or operator.op_type in CALLING


# Operators that call subgraphs, or write what others read.
CALLING = frozenset({"CALL", "CALL_ONCE", "IF", "WHILE", "ASSIGN_VARIABLE", "STABLEHLO_COMPOSITE", "STABLEHLO_WHILE"})
