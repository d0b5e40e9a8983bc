"""Operators once more, between other tensors."""

from copy import copy

from mobile_bnn.converters.graph.model import Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import Cone


def copied(operator: Operator, inputs: list[Tensor | None], outputs: list[Tensor]) -> Operator:
    """An operator of the same kind and options between other tensors."""
    return Operator(operator.kind, inputs, outputs, operator.code, copy(operator.table))


def copied_cone(cone: Cone, source: Tensor) -> tuple[Tensor, list[Operator]]:
    """A cone's output and operators for another source. Constants per channel keep its channels what they are."""
    tensors, operators = {id(cone.source): source}, list[Operator]()
    for operator in cone.operators:
        output = Tensor.of(operator.output.name, source.shape, operator.output.dtype)
        inputs = [tensor if tensor is None else tensors.get(id(tensor), tensor) for tensor in operator.inputs]
        operators.append(copied(operator, inputs, [output]))
        tensors[id(operator.output)] = output
    return tensors[id(cone.output)], operators
