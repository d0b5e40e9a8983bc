"""What a rule is: a module of this package that rewrites the operators around one of its types, or raises NoMatch."""

from typing import Protocol

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.quantizers.encoding import Plane


class Rule(Protocol):
    """A module of rules/.

    Attributes:
        ROOTS: the types of the operators that it starts from.
    """

    ROOTS: frozenset[str]

    def rewrite(self, graph: Graph, root: Operator) -> None:
        """Rewrites the graph around an operator.

        Raises:
            NoMatch: it does not apply there; the graph is as it was.
        """


class BinaryRule(Protocol):
    """A rule that makes a linear operator binary.

    Attributes:
        ROOTS: the types of the operators that it starts from.
    """

    ROOTS: frozenset[str]

    def rewrite(self, graph: Graph, root: Operator) -> "list[tuple[Operator, Plane]]":
        """Rewrites a linear operator.

        Returns:
            The LceBconv2d that stand for it, each with the sign of the input that it reads.

        Raises:
            NoMatch: it stays float; the graph is as it was.
        """


def name_of(rule: Rule | BinaryRule) -> str:
    """Of its module, or of whatever stands for one."""
    return str(getattr(rule, "__name__", type(rule).__name__)).rpartition(".")[2]
