"""Applies rules until none of them does anything, or says which ones do not come to an end.

An operator on which a rule failed is tried again only when something changed that the rule had looked at: the graph
notes which tensors a match asks about, and which ones a rewrite changes. So a long chain takes a number of matches in
proportion to its length, however many rounds it takes.

Nothing but their algebra keeps two rules that move data from undoing each other for ever, so the number of rewrites is
bounded by the size of the graph that they began with. Rules that come to an end take a fraction of that: among the
families of the conversion matrix and the nets of the zoo, at most one rewrite for each operator.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from mobile_bnn.converters.graph.def_use import Notes
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch
from mobile_bnn.converters.rules.rule import Rule, name_of
from mobile_bnn.converters.rules.trace import Trace
from mobile_bnn.errors import MobileBnnError

_REWRITES_PER_OPERATOR = 5
_REWRITES_AT_LEAST = 100


def apply_until_stable(graph: Graph, rules: Sequence[Rule], trace: Trace | None = None) -> int:
    """Applies rules to every operator that they start from, until none of them does anything.

    Args:
        graph: is changed.
        rules: in the order in which they are tried.
        trace: is told why rules did not apply.

    Returns:
        How many rewrites that took.

    Raises:
        MobileBnnError: they do not come to an end; those that still rewrite something are named.
    """
    with graph.observed() as notes:
        run = _Run(graph, rules, notes, Trace() if trace is None else trace)
        while run.waits:
            run.round()
    return len(run.fired)


def rewrite_limit(graph: Graph) -> int:
    """From how many rewrites of a graph on they are taken for ones without end."""
    return _REWRITES_AT_LEAST + _REWRITES_PER_OPERATOR * len(graph.operators)


class _Run:
    """The matches that are still to be tried, and those that failed, by the tensors that they asked about."""

    def __init__(self, graph: Graph, rules: Sequence[Rule], notes: Notes, trace: Trace) -> None:
        self._graph, self._rules, self._notes, self._trace = graph, rules, notes, trace
        self._limit = rewrite_limit(graph)
        self._waiting: list[set[Operator]] = [set() for _ in rules]
        self._failed: defaultdict[Tensor, set[tuple[int, Operator]]] = defaultdict(set)
        self.fired: list[str] = []
        self._visit(graph.operators)

    @property
    def waits(self) -> bool:
        """Whether there is a match to try."""
        return any(self._waiting)

    def round(self) -> None:
        """Tries each rule on each operator that waits for it, in the order of the graph."""
        for number, waiting in enumerate(self._waiting):
            here = [root for root in waiting if root in self._graph.operators]
            for root in sorted(here, key=self._graph.rank):
                if root in self._graph.operators:
                    self._try(number, root)
            waiting.difference_update(root for root in list(waiting) if root not in self._graph.operators)

    def _try(self, number: int, root: Operator) -> None:
        rule = self._rules[number]
        self._waiting[number].discard(root)
        self._notes.asked.clear()
        self._notes.changed.clear()
        try:
            rule.rewrite(self._graph, root)
        except NoMatch as reason:
            self._trace.refused(name_of(rule), root, reason.refusal)
            for tensor in self._notes.asked.union(_tensors(root)):
                self._failed[tensor].add((number, root))
            return
        self._trace.applied(name_of(rule), root)
        self.fired.append(name_of(rule))
        if len(self.fired) >= self._limit:
            raise _no_end(self.fired)
        self._revisit(root)

    def _revisit(self, root: Operator) -> None:
        """Lets wait what a rewrite may have made possible."""
        self._visit([root])
        for tensor in list(self._notes.changed):
            producer = self._graph.producer(tensor)
            self._visit(
                self._graph.consumers(tensor) if producer is None else [producer, *self._graph.consumers(tensor)]
            )
            for number, operator in self._failed.pop(tensor, ()):
                self._waiting[number].add(operator)

    def _visit(self, operators: Iterable[Operator]) -> None:
        for operator in operators:
            for waiting, rule in zip(self._waiting, self._rules, strict=True):
                if operator.op_type in rule.ROOTS:
                    waiting.add(operator)


def _tensors(operator: Operator) -> list[Tensor]:
    return [*operator.outputs, *(tensor for tensor in operator.inputs if tensor is not None)]


def _no_end(fired: Sequence[str]) -> MobileBnnError:
    names = sorted(set(fired[len(fired) // 2 :]))
    return MobileBnnError(
        "the converter's rules do not come to an end on this model",
        why=f"after {len(fired)} rewrites these still fire: {', '.join(names)}",
        cure="This is a fault of mobile_bnn: please report it with the model",
    )
