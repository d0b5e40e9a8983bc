"""Proves that a subgraph is monotone, channel by channel, from the direction of each of its operators.

IEEE arithmetic rounds monotonically: if x <= y then fl(x + c) <= fl(y + c), and so for the other operators here. What
is computed by approximation (TANH, LOGISTIC) proves nothing.
"""

from collections.abc import Callable

import numpy as np

from mobile_bnn.converters.graph.model import Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph
from mobile_bnn.converters.quantizers.value_sets import value_set_within
from mobile_bnn.typing import Array

# A direction is +1 (never falls), -1 (never rises), 0 (constant), per channel, or None where nothing is known.
Monotonicity = Array | None


def monotonicity(subgraph: ElementwiseSubgraph) -> Monotonicity:
    """Whether a subgraph's output rises (+1), falls (-1) or stays (0) as its source rises: int8 [channels], or None."""
    channels = subgraph.channels
    known: dict[Tensor, Monotonicity] = {subgraph.source: np.ones(channels, np.int8)}
    for operator in subgraph.operators:
        inputs = [direction_of(tensor, known, channels) for tensor in operator.inputs]
        if operator.op_type in ("SELECT", "SELECT_V2"):
            known[operator.output] = _choice(operator, inputs, subgraph)
        else:
            known[operator.output] = RULES.get(operator.op_type, _unknown)(operator, inputs)
    return known[subgraph.output]


def direction_of(tensor: Tensor | None, known: dict[Tensor, Monotonicity], channels: int) -> Monotonicity:
    """Of an operand: constants stay the same."""
    if tensor is None:
        return None
    return np.zeros(channels, np.int8) if tensor.content is not None else known[tensor]


def _signs(values: Array) -> Array:
    signs: Array = np.sign(values).astype(np.int8)
    return signs


def _unknown(operator: Operator, inputs: list[Monotonicity]) -> Monotonicity:
    return None


def _same(operator: Operator, inputs: list[Monotonicity]) -> Monotonicity:
    return inputs[0]


def _opposite(operator: Operator, inputs: list[Monotonicity]) -> Monotonicity:
    return None if inputs[0] is None else -inputs[0]


def _together(operator: Operator, inputs: list[Monotonicity]) -> Monotonicity:
    """Of operators that rise with each input: known where the inputs do not pull apart."""
    return all_together(inputs)


def _against(operator: Operator, inputs: list[Monotonicity]) -> Monotonicity:
    """Of operators that rise with the first input and fall with the second."""
    left, right = inputs
    return None if right is None else _together(operator, [left, -right])


def _against_swapped(operator: Operator, inputs: list[Monotonicity]) -> Monotonicity:
    return _against(operator, inputs[::-1])


def _scaled(operator: Operator, inputs: list[Monotonicity]) -> Monotonicity:
    """A product with a constant, or a quotient by one, rounded down or not."""
    constants = [tensor.values if tensor is not None else None for tensor in operator.inputs]
    for value, scale in ((0, 1), (1, 0)) if operator.op_type == "MUL" else ((0, 1),):
        factor, moved = constants[scale], inputs[value]
        if factor is not None and moved is not None:
            if not np.isfinite(factor).all() or (operator.op_type != "MUL" and (factor == 0).any()):
                return None
            return _signs(moved * np.sign(factor).reshape(-1))
    return None


def _slope(operator: Operator, inputs: list[Monotonicity]) -> Monotonicity:
    """PRELU: falls nowhere if no slope is negative."""
    slopes = operator.inputs[1].values if operator.inputs[1] is not None else None
    return inputs[0] if slopes is not None and (slopes >= 0).all() else None


def _leaky(operator: Operator, inputs: list[Monotonicity]) -> Monotonicity:
    return inputs[0] if operator.options is not None and operator.options.alpha >= 0 else None


def _choice(operator: Operator, inputs: list[Monotonicity], subgraph: ElementwiseSubgraph) -> Monotonicity:
    """SELECT: rises with the condition where the first is the greater one, and with what it selects from.

    Of the two that are compared it selects the greater or the lesser one: MAXIMUM or MINIMUM, however it is spelled.
    """
    if _selects_what_it_compares(operator, subgraph):
        return all_together(inputs[1:])
    first, second = (_bounds(tensor, subgraph) for tensor in operator.inputs[1:])
    if inputs[0] is None or first is None or second is None:
        return None
    above, below = first[0] >= second[1], first[1] <= second[0]
    if not (above | below).all():
        return None
    sense = np.where(above, 1, -1) * ~(above & below)
    return all_together([_signs(inputs[0] * sense), *inputs[1:]])


def _selects_what_it_compares(operator: Operator, subgraph: ElementwiseSubgraph) -> bool:
    condition, *selected = operator.inputs
    compared = next((other for other in subgraph.operators if other.output is condition), None)
    if compared is None or compared.op_type not in ("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"):
        return False
    return any(
        all(_equal(*pair) for pair in zip(compared.inputs, order, strict=True)) for order in (selected, selected[::-1])
    )


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    """Whether two operands are one tensor, or constants of one value for each channel."""
    if one is None or other is None or one is other:
        return one is other
    if one.values is None or other.values is None:
        return False
    left, right = one.values.reshape(-1), other.values.reshape(-1)
    return (left.size == right.size or 1 in (left.size, right.size)) and bool((left == right).all())


def _bounds(tensor: Tensor | None, subgraph: ElementwiseSubgraph) -> tuple[Array, Array] | None:
    """The least and the greatest value of each channel, or of all."""
    if tensor is None:
        return None
    if tensor.values is not None:
        exact = tensor.values.astype(np.float64).reshape(-1)
        return exact, exact
    values = value_set_within(subgraph.operators, tensor)
    return None if values is None else (values[:1].astype(np.float64), values[-1:].astype(np.float64))


def all_together(directions: list[Monotonicity]) -> Monotonicity:
    """Of what rises with each of several; None where they pull apart."""
    known = [each for each in directions if each is not None]
    rises, falls = (np.any([(each * sense > 0) for each in known], 0) for sense in (1, -1))
    return None if len(known) < len(directions) or (rises & falls).any() else rises.astype(np.int8) - falls


RULES: dict[str, Callable[[Operator, list[Monotonicity]], Monotonicity]] = {
    **dict.fromkeys(("SIGN", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "ROUND", "FLOOR", "CEIL", "CAST"), _same),
    **dict.fromkeys(("NEG", "LOGICAL_NOT"), _opposite),
    **dict.fromkeys(("ADD", "MAXIMUM", "MINIMUM", "LOGICAL_AND", "LOGICAL_OR"), _together),
    **dict.fromkeys(("SUB", "GREATER", "GREATER_EQUAL"), _against),
    **dict.fromkeys(("LESS", "LESS_EQUAL"), _against_swapped),
    **dict.fromkeys(("MUL", "DIV", "FLOOR_DIV"), _scaled),
    "PRELU": _slope,
    "LEAKY_RELU": _leaky,
}
