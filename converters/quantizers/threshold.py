"""Where the signs that an LceQuantize packs change: its input as a function of a tensor before it."""

import numpy as np

from mobile_bnn.converters.graph.model import Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import Cone
from mobile_bnn.converters.quantizers.signs import Signs, signs_of
from mobile_bnn.converters.quantizers.steps import steps_of
from mobile_bnn.converters.refusals import NoMatch, RefusalCode


def sign_threshold(cone: Cone) -> Signs:
    """The signs of a cone's output as signs of its source.

    Raises:
        NoMatch: they are not: it is not a step function, or never changes its sign.
    """
    condition = Tensor.of("not negative", cone.output.shape, np.bool_)
    zero = Tensor.constant("zero", np.zeros((), np.float32))
    sign = Operator.builtin("GREATER_EQUAL", [cone.output, zero], [condition])
    steps = steps_of(Cone(cone.source, condition, [*cone.operators, sign]))
    if steps.steps == 0:
        raise NoMatch(RefusalCode.NOT_A_STEP, "its sign never changes")
    return signs_of(steps)
