"""Applies one rule to one operator, and sees that a rule that does not apply leaves the graph as it was."""

from typing import Any

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.refusals import NoMatch


def attempt(rule: Any, graph: Graph, root: Operator) -> str | None:
    """What a rule says to an operator, None if it rewrote it."""
    before = _state(graph)
    try:
        rule.rewrite(graph, root)
    except NoMatch as reason:
        text = str(reason)
    else:
        return None
    assert _state(graph) == before, f"{rule.__name__} changed the graph and refused: {text}"
    return text


def _state(graph: Graph) -> tuple[bytes, list[Operator]]:
    """The file, and which operators it consists of."""
    return TfliteModel.of(graph.copy()).write(), list(graph.operators)
