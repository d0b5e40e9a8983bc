"""Why rules did not apply near a layer: "why was this batch norm not fused?"."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mobile_bnn.converters.explanations import EXPLANATIONS, Explanation
from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.lowering import LINEAR, Layer
from mobile_bnn.converters.module_names import module_name
from mobile_bnn.converters.refusals import RefusalCode
from mobile_bnn.converters.rules.trace import Traced
from mobile_bnn.converters.source import Source
from mobile_bnn.names import look_up, unknown


@dataclass(frozen=True)
class Unapplied:
    """A rule that did not apply.

    Attributes:
        rule: its name.
        op_type: of the operator that it started from.
        computes: the name of the tensor that this operator computes, or of its module.
        code: of the reason, whatever its text says.
        why: the reason.
    """

    rule: str
    op_type: str
    computes: str
    code: RefusalCode
    why: str


def trace(model: Any, layer: str) -> list[Unapplied]:
    """Lowers a copy of a model in memory, and tells which rules did not apply near a layer.

    Args:
        model: what `lint` takes.
        layer: the name of a linear operator, as `lint` has it.

    Returns:
        For each operator of the layer, and each around it up to the next linear operators and joins, the rules that
        start from such an operator and did not rewrite it.

    Raises:
        UsageError: there is nothing at that path, or no such layer.
        MobileBnnError: the model cannot be read or exported.
    """
    lowered, lowering = Source.of(model).lower()
    if layer not in (names := {each.name for each in lowering.every_layer}):
        raise unknown("layer", layer, names)
    rows = []
    for graph, part in zip(lowered.graphs, lowering.every, strict=True):
        layers = [each for each in part.layers if each.name == layer]
        near = dict.fromkeys(operator for each in layers for operator in _near(graph, each))
        rows += [_row(each) for operator in near for each in part.trace.of(operator)]
    return rows


def _row(traced: Traced) -> Unapplied:
    operator, refusal = traced.operator, traced.refusal
    return Unapplied(traced.rule, operator.op_type, module_name(operator.outputs[0].name), refusal.code, refusal.text)


def explain(code: str) -> Explanation:
    """What a refusal code means, why that stands in the way, and the cure.

    Raises:
        UsageError: there is no such code.
    """
    return look_up("refusal code", code, {each.value: told for each, told in EXPLANATIONS.items()})


def _near(graph: Graph, layer: Layer) -> list[Operator]:
    """A layer's operators, and what stands around them up to the next linear operators and joins, in their order."""
    own = [each for each in (layer.operator, *map(graph.heir, layer.binary_operators)) if each in graph.operators]
    before = _reached(own, lambda operator: _producers(graph, operator))
    after = _reached(own, lambda operator: _readers(graph, operator))
    found = sorted({*before, *own, *after}, key=graph.rank)
    return found if layer.operator in found else [layer.operator, *found]


def _reached(own: list[Operator], following: Callable[[Operator], list[Operator]]) -> set[Operator]:
    """What follows some operators in a direction, linear ones excluded; joins end the walk."""
    found, left = set[Operator](), [other for operator in own for other in following(operator)]
    while left:
        operator = left.pop()
        if operator not in found and operator.op_type not in (*LINEAR, "LceBconv2d"):
            found.add(operator)
            left += [] if _is_join(operator) else following(operator)
    return found


def _producers(graph: Graph, operator: Operator) -> list[Operator]:
    producers = [graph.producer(tensor) for tensor in operator.inputs if tensor is not None]
    return [producer for producer in producers if producer is not None]


def _readers(graph: Graph, operator: Operator) -> list[Operator]:
    return [reader for tensor in operator.outputs for reader in graph.consumers(tensor)]


def _is_join(operator: Operator) -> bool:
    """Whether it reads several tensors that are computed: on the other side another branch begins."""
    return len({tensor for tensor in operator.inputs if tensor is not None and tensor.content is None}) > 1
