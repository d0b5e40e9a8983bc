"""Runs the rules over a float graph, and keeps what each linear operator asked for, what it got, and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from mobile_bnn.converters.graph import Graph, Operator
from mobile_bnn.converters.quantizers.activations import step_function
from mobile_bnn.converters.quantizers.weights import binary_weights
from mobile_bnn.converters.rules import binary_convolution, packed_weights


class Rule(Protocol):
    """A module of rules/.

    Attributes:
        KINDS: of the operators that it looks at.
    """

    KINDS: frozenset[str]

    def apply(self, graph: Graph, operator: Operator) -> str | None:
        """Rewrites the graph around an operator, or says why it does not."""


# What brings linear operators into the form that binary rules know.
PREPARE: Sequence[Rule] = ()
# From a linear operator to LceBconv2d.
BINARY: Sequence[Rule] = (binary_convolution,)
# What moves into an LceBconv2d, or between LceBconv2d and LceQuantize.
BEHIND: Sequence[Rule] = ()
# What makes a layer smaller that stays float.
SMALLER: Sequence[Rule] = (packed_weights,)

LINEAR = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV", "CONV_3D"})


@dataclass(frozen=True)
class Layer:
    """A linear operator of the float graph.

    Attributes:
        name: of its weights if a Keras layer gave them one, else of its output.
        kind: of operator.
        asked: whether it has quantized weights and a quantized input, or a Keras layer whose kernel has a quantizer.
        reason: why it stayed float; empty if it is binary.
        float_bytes: of its weights in float32.
    """

    name: str
    kind: str
    asked: bool
    reason: str
    float_bytes: int

    @property
    def binary(self) -> bool:
        """Whether it was rewritten."""
        return not self.reason


def lower(graph: Graph, quantized: Collection[str] = ()) -> list[Layer]:
    """Makes everything binary that can be.

    Args:
        graph: is changed.
        quantized: names of weights that a Keras layer quantizes.

    Returns:
        Every linear operator, in the order of the graph.
    """
    _repeat(graph, PREPARE)
    layers = [_lower_one(graph, operator, quantized) for operator in list(graph.operators) if operator.kind in LINEAR]
    graph.remove_dead()
    _repeat(graph, BEHIND)
    _repeat(graph, SMALLER)
    graph.remove_dead()
    return layers


def _repeat(graph: Graph, rules: Sequence[Rule]) -> None:
    """Applies rules until none of them does anything."""
    changed = True
    while changed:
        changed = False
        for rule in rules:
            for operator in list(graph.operators):
                if operator.kind in rule.KINDS and operator in graph.operators:
                    changed |= rule.apply(graph, operator) is None


def _lower_one(graph: Graph, operator: Operator, quantized: Collection[str]) -> Layer:
    weights = operator.inputs[1]
    assert weights is not None
    named = weights.name in quantized
    name, size = weights.name if named else operator.output.name, 0 if weights.content is None else weights.content.size
    asked = named or _asks(graph, operator)
    return Layer(name, operator.kind, asked, _try_rules(graph, operator), size)


def _asks(graph: Graph, operator: Operator) -> bool:
    """Whether an operator of nobody's Keras layer stands between a quantizer and quantized weights."""
    data, weights = operator.inputs[:2]
    values = None if weights is None else weights.values
    if values is None or data is None or isinstance(binary_weights(values), str):
        return False
    return not isinstance(step_function(graph, data), str)


def _try_rules(graph: Graph, operator: Operator) -> str:
    reasons = []
    for rule in BINARY:
        if operator.kind in rule.KINDS:
            reason = rule.apply(graph, operator)
            if reason is None:
                return ""
            if reason not in reasons:
                reasons.append(reason)
    return "; ".join(reasons) or f"there is no binary {operator.kind}"
