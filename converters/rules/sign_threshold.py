"""Where the signs that an LceQuantize packs change: its input as a function of a tensor before it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.converters.graph import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.activations import steps_of
from mobile_bnn.converters.quantizers.cone import Cone
from mobile_bnn.converters.rules.signs import Signs, signs_of

Array = npt.NDArray[Any]

_TINY = np.finfo(np.float32).tiny


def sign_threshold(cone: Cone) -> Signs | str:
    """The signs of a cone's output as signs of its source, or why they are none."""
    condition = Tensor.of("not negative", cone.output.shape, np.bool_)
    zero = Tensor.constant("zero", np.zeros((), np.float32))
    sign = Operator.builtin("GREATER_EQUAL", [cone.output, zero], [condition])
    steps = steps_of(Cone(cone.source, condition, [*cone.operators, sign]))
    if isinstance(steps, str):
        return steps
    if steps.steps == 0:
        return "its sign never changes"
    found = signs_of(steps)
    if isinstance(found, str):
        return found
    return Signs(found.source, found.middle, found.half, found.factor, without_subnormals(found.shift))


def without_subnormals(shift: Array) -> Array:
    """Shifts that tell the same signs of all normal numbers and 0: a product's underflow makes subnormal ones."""
    small = np.abs(shift) < _TINY
    return np.where(small, np.where(shift < 0, -_TINY, np.float32(0)), shift).astype(np.float32)


def used_elsewhere(graph: Graph, cone: Cone, reader: Operator) -> bool:
    """Whether a cone's results are read by others than the cone itself and one operator behind it."""
    own = (reader, *cone.operators)
    tensors = [operator.output for operator in cone.operators]
    return any(
        tensor in graph.outputs or any(other not in own for other in graph.consumers(tensor)) for tensor in tensors
    )
