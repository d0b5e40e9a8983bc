"""Keeps why rules did not apply: for each rule and operator, the last refusal."""

from dataclasses import dataclass, field

from mobile_bnn.converters.graph.model import Operator
from mobile_bnn.converters.refusals import Refusal


@dataclass(frozen=True)
class Traced:
    """A rule that did not apply.

    Attributes:
        rule: its name.
        operator: that it started from.
        refusal: why.
    """

    rule: str
    operator: Operator
    refusal: Refusal


@dataclass
class Trace:
    """Every refusal of the rules, until the rule applies there after all."""

    _refusals: dict[Operator, dict[str, Refusal]] = field(default_factory=dict)

    def refused(self, rule: str, operator: Operator, refusal: Refusal) -> None:
        """Notes that a rule did not apply."""
        self._refusals.setdefault(operator, {})[rule] = refusal

    def applied(self, rule: str, operator: Operator) -> None:
        """Forgets what is no longer true."""
        self._refusals.get(operator, {}).pop(rule, None)

    def refusal(self, rule: str, operator: Operator) -> Refusal | None:
        """Why a rule did not apply to an operator; None if it did or was not tried."""
        return self._refusals.get(operator, {}).get(rule)

    def of(self, operator: Operator) -> list[Traced]:
        """The refusals that start from an operator, in the order in which the rules were tried first."""
        return [Traced(rule, operator, refusal) for rule, refusal in self._refusals.get(operator, {}).items()]
