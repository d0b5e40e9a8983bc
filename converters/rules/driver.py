"""Applies rules until none of them does anything, or says which ones do not come to an end.

Nothing but their algebra keeps two rules that move data from undoing each other for ever. So a graph may come back to
a structure that it had only a few times, and the number of rewrites is bounded by the size of the graph that they began
with. Rules that come to an end take a fraction of that: among the families of the conversion matrix and the nets of the
zoo, at most one rewrite for each operator.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.errors import MobileBnnError

_REWRITES_PER_OPERATOR = 5
_REWRITES_AT_LEAST = 100
_RETURNS = 10


class Rule(Protocol):
    """A module of rules/.

    Attributes:
        KINDS: of the operators that it looks at.
    """

    KINDS: frozenset[str]

    def apply(self, graph: Graph, operator: Operator) -> str | None:
        """Rewrites the graph around an operator, or says why it does not."""


def apply_until_stable(graph: Graph, rules: Sequence[Rule]) -> int:
    """Applies rules to every operator that they look at, until none of them does anything.

    Args:
        graph: is changed.
        rules: in the order in which they are tried.

    Returns:
        How many rewrites that took.

    Raises:
        MobileBnnError: they do not come to an end; those that still rewrote something are named.
    """
    limit, rewrites = rewrite_limit(graph), 0
    passes: list[list[str]] = []
    structures: Counter[int] = Counter()
    while fired := _pass(graph, rules):
        rewrites += len(fired)
        passes.append(fired)
        structures[structure := _structure(graph)] += 1
        if structures[structure] == _RETURNS or rewrites >= limit:
            raise _no_end(passes[len(passes) // 2 :], rewrites)
    return rewrites


def rewrite_limit(graph: Graph) -> int:
    """From how many rewrites of a graph on they are taken for ones without end."""
    return _REWRITES_AT_LEAST + _REWRITES_PER_OPERATOR * len(graph.operators)


def _pass(graph: Graph, rules: Sequence[Rule]) -> list[str]:
    """Tries each rule on each operator once; returns the names of those that did something, as often as they did."""
    fired = []
    for rule in rules:
        for operator in list(graph.operators):
            here = operator.kind in rule.KINDS and operator in graph.operators
            if here and rule.apply(graph, operator) is None:
                fired.append(_name(rule))
    return fired


def _structure(graph: Graph) -> int:
    """Equal for graphs whose operators are of the same kinds and shapes and read from each other in the same way."""
    numbers: dict[int, int] = {}

    def of(tensor: Tensor | None) -> object:
        return None if tensor is None else (numbers.setdefault(id(tensor), len(numbers)), tensor.shape)

    return hash(tuple((each.kind, *map(of, each.inputs), *map(of, each.outputs)) for each in graph.operators))


def _name(rule: Rule) -> str:
    """Of its module, or of whatever stands for one."""
    return str(getattr(rule, "__name__", type(rule).__name__)).rpartition(".")[2]


def _no_end(late: Sequence[Sequence[str]], rewrites: int) -> MobileBnnError:
    names = sorted({name for fired in late for name in fired})
    return MobileBnnError(
        "the converter's rules do not come to an end on this model",
        why=f"after {rewrites} rewrites these still undo each other: {', '.join(names)}",
        cure="This is a fault of mobile_bnn: please report it with the model",
    )
