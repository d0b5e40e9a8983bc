"""Operators once more, between other tensors."""

from copy import copy

from mobile_bnn.converters.graph import Operator, Tensor


def copied(operator: Operator, inputs: list[Tensor | None], outputs: list[Tensor]) -> Operator:
    """An operator of the same kind and options between other tensors."""
    return Operator(operator.kind, inputs, outputs, operator.code, copy(operator.table))
