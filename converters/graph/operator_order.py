"""The operators of a graph in an order in which they can run: a sequence that finds, inserts and removes quickly."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from mobile_bnn.converters.graph.operator import Operator


class OperatorOrder(Sequence["Operator"]):
    """A list of operators, each once, that knows the rank of each: a number that rises along the list."""

    def __init__(self, operators: Iterable["Operator"] = ()) -> None:
        self._list = list(operators)
        self._rank: dict[Operator, float] = {}
        self._number()

    def _number(self) -> None:
        self._rank = {operator: float(rank) for rank, operator in enumerate(self._list)}

    @overload
    def __getitem__(self, index: int) -> "Operator": ...
    @overload
    def __getitem__(self, index: slice) -> "list[Operator]": ...
    def __getitem__(self, index: int | slice) -> "Operator | list[Operator]":
        return self._list[index]

    def __len__(self) -> int:
        return len(self._list)

    def __iter__(self) -> "Iterator[Operator]":
        return iter(self._list)

    def __contains__(self, operator: object) -> bool:
        return operator in self._rank

    def __repr__(self) -> str:
        return f"OperatorOrder({self._list!r})"

    def rank(self, operator: "Operator") -> float:
        """Less than that of each later operator.

        Raises:
            KeyError: the operator is not in the list.
        """
        return self._rank[operator]

    def put_before(self, operator: "Operator", new: "Sequence[Operator]") -> None:
        """Inserts operators directly before one of the list."""
        self._put(self._at(operator), new)

    def put_after(self, operator: "Operator", new: "Sequence[Operator]") -> None:
        """Inserts operators directly after one of the list."""
        self._put(self._at(operator) + 1, new)

    def put_last(self, new: "Sequence[Operator]") -> None:
        """Appends operators."""
        self._put(len(self._list), new)

    def _put(self, at: int, new: "Sequence[Operator]") -> None:
        low = self._rank[self._list[at - 1]] if at else None
        high = self._rank[self._list[at]] if at < len(self._list) else None
        width = len(new) + 1
        low = (0.0 if high is None else high - width) if low is None else low
        high = low + width if high is None else high
        ranks = [low + (high - low) * number / width for number in range(1, width)]
        self._list[at:at] = new
        if len({low, *ranks, high}) < len(new) + 2:  # no float is left between the two
            self._number()
        else:
            self._rank.update(zip(new, ranks, strict=True))

    def take_out(self, operator: "Operator") -> None:
        """Removes an operator.

        Raises:
            KeyError: the operator is not in the list.
        """
        del self._list[self._at(operator)]
        del self._rank[operator]

    def _at(self, operator: "Operator") -> int:
        return bisect_left(self._list, self._rank[operator], key=self._rank.__getitem__)
