"""Applies rules until none of them does anything, or says which ones do not come to an end.

Rules that move data have each other's results before them, so nothing but their algebra keeps two of them from undoing
each other for ever. The number of rewrites is bounded by the size of the graph that they began with: among the families
of the conversion matrix and the nets of the zoo, the most that it took is one rewrite for each operator.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from mobile_bnn.converters.graph import Graph, Operator
from mobile_bnn.errors import MobileBnnError

# Far from what any graph takes, and reached within seconds.
_REWRITES_PER_OPERATOR = 10
_REWRITES_AT_LEAST = 200


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
    limit = _REWRITES_AT_LEAST + _REWRITES_PER_OPERATOR * len(graph.operators)
    latest: deque[str] = deque(maxlen=len(graph.operators) + 1)
    rewrites, changed = 0, True
    while changed:
        changed = False
        for rule in rules:
            for operator in list(graph.operators):
                if operator.kind not in rule.KINDS or operator not in graph.operators:
                    continue
                if rule.apply(graph, operator) is not None:
                    continue
                changed = True
                rewrites += 1
                latest.append(_name(rule))
                if rewrites == limit:
                    raise _no_end(latest, limit)
    return rewrites


def _name(rule: Rule) -> str:
    """Of its module, or of whatever stands for one."""
    return str(getattr(rule, "__name__", type(rule).__name__)).rpartition(".")[2]


def _no_end(latest: Sequence[str], limit: int) -> MobileBnnError:
    firing = ", ".join(sorted(set(latest)))
    return MobileBnnError(
        "the converter's rules do not come to an end on this model",
        why=f"after {limit} rewrites these still undo each other: {firing}",
        cure="Please report it, with the model or what mbnn lint says of a smaller one",
    )
