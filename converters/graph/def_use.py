"""Which operator computes each tensor of a graph and which operators read it, kept while the graph changes.

Whoever rewrites a graph can have it noted which tensors were asked about, and which ones changed their producer or a
reader. A match that failed would fail again until one of the tensors changes that it asked about.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mobile_bnn.converters.graph.operator import Operator
    from mobile_bnn.converters.graph.tensor import Tensor


@dataclass
class Notes:
    """What happens to a graph while it is observed.

    Attributes:
        asked: tensors whose producer or readers somebody wanted to know.
        changed: tensors that another operator computes or reads than before.
    """

    asked: "set[Tensor]" = field(default_factory=set)
    changed: "set[Tensor]" = field(default_factory=set)


class DefUse:
    """The producer and the readers of every tensor."""

    def __init__(self, operators: "Iterable[Operator]") -> None:
        self._producer: dict[Tensor, Operator] = {}
        self._readers: dict[Tensor, dict[Operator, None]] = {}
        self._notes: Notes | None = None
        for operator in reversed(list(operators)):  # of several producers, in a broken file, the first counts
            self.link(operator)

    @contextmanager
    def observed(self) -> Iterator[Notes]:
        """Notes down what happens inside."""
        self._notes = notes = Notes()
        try:
            yield notes
        finally:
            self._notes = None

    def producer(self, tensor: "Tensor") -> "Operator | None":
        """The operator that computes a tensor."""
        if self._notes is not None:
            self._notes.asked.add(tensor)
        return self._producer.get(tensor)

    def readers(self, tensor: "Tensor") -> "list[Operator]":
        """The operators that read a tensor, each once, in any order."""
        if self._notes is not None:
            self._notes.asked.add(tensor)
        return list(self._readers.get(tensor, ()))

    def link(self, operator: "Operator") -> None:
        """Enters an operator."""
        for tensor in operator.outputs:
            self._producer[tensor] = operator
        for tensor in _read(operator):
            self._readers.setdefault(tensor, {})[operator] = None
        self.touch(*operator.outputs, *_read(operator))

    def unlink(self, operator: "Operator") -> None:
        """Takes an operator out."""
        for tensor in operator.outputs:
            if self._producer.get(tensor) is operator:
                del self._producer[tensor]
        for tensor in dict.fromkeys(_read(operator)):
            readers = self._readers[tensor]
            del readers[operator]
            if not readers:
                del self._readers[tensor]
        self.touch(*operator.outputs, *_read(operator))

    def touch(self, *tensors: "Tensor") -> None:
        """Notes that tensors changed."""
        if self._notes is not None:
            self._notes.changed.update(tensors)


def _read(operator: "Operator") -> "list[Tensor]":
    return [tensor for tensor in operator.inputs if tensor is not None]
