"""Where the signs that an LceQuantize packs change: its input as a function of a tensor before it."""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import Cone
from mobile_bnn.converters.quantizers.signs import Signs, signs_of
from mobile_bnn.converters.quantizers.steps import steps_of


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
    return signs_of(steps)


def used_elsewhere(graph: Graph, cone: Cone, reader: Operator) -> bool:
    """Whether a cone's results are read by others than the cone itself and one operator behind it."""
    own = (reader, *cone.operators)
    tensors = [operator.output for operator in cone.operators]
    return any(
        tensor in graph.outputs or any(other not in own for other in graph.consumers(tensor)) for tensor in tensors
    )
