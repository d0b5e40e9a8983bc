"""What stands between a binary convolution and a sign becomes a threshold of its sum.

Multiplier, bias and the element-wise operators behind them are evaluated, by the runtime's own kernels, for every sum
that there can be. Where each channel's sign changes once at most, the sum alone decides it:

    sum >= t   =>  +1, else -1    where it rises
    -sum >= t  =>  +1, else -1    where it falls: the filter of that channel is turned around

LceBconv2d then writes bits by the threshold of its accumulator, (terms - sum) / 2. Where the padding is 0, LCE's kernels
write floats only: sum - t + 1/2 has the same sign, and is exact.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.converters.graph import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.cone import Cone, cones
from mobile_bnn.converters.rules.bconv import (
    clamped,
    line,
    pads_with_zeros,
    replaced,
    sums,
    turned,
)

Array = npt.NDArray[Any]

KINDS = frozenset({"LceQuantize"})
_AT_ONCE = 1 << 20  # values that are evaluated together


def apply(graph: Graph, operator: Operator) -> str | None:
    """Gives an LceBconv2d in front of an LceQuantize, and of element-wise operators before that, a threshold.

    Returns:
        None if it did, else why not.
    """
    (data,) = operator.inputs
    assert data is not None
    found = _find(graph, data)
    if isinstance(found, str):
        return found
    bconv, cone = found
    parameters = line(bconv)
    if parameters is None:
        return "the binary convolution in front of it writes no floats"
    zeros = pads_with_zeros(bconv)
    if zeros and cone is None:
        return "LCE's kernels write floats only where the padding is 0"
    inside = [] if cone is None else cone.operators
    for tensor in (bconv.output, *(inner.output for inner in inside)):
        others = [reader for reader in graph.consumers(tensor) if reader not in (operator, *inside)]
        if others or tensor in graph.outputs:
            return "the binary convolution's result is used by others, too"
    negative = _negative(bconv, *parameters, cone)
    changes = (negative[1:] != negative[:-1]).sum(0)
    if changes.max() > 1:
        return f"channel {int(changes.argmax())} changes its sign more than once"
    falls = negative[-1] & ~negative[0]
    below = negative.sum(0)  # sums, of the turned filter where it falls
    for inner in inside:
        graph.operators.remove(inner)
    if zeros:
        middle = len(negative) // 2
        sign = Tensor.constant("multiplier", np.where(falls, -1, 1).astype(np.float32))
        shift = Tensor.constant("bias", (middle - below + 0.5).astype(np.float32))
        replaced(graph, bconv, data, [bconv.inputs[1], sign, shift, None])
    else:
        graph.operators.remove(operator)
        threshold = Tensor.constant("threshold", (len(negative) - 1 - below).astype(np.int32))
        inputs = [turned(bconv, falls), None, None, threshold]
        replaced(graph, bconv, operator.output, inputs, fused_activation_function=0)
    return None


def _find(graph: Graph, data: Tensor) -> tuple[Operator, Cone | None] | str:
    """The binary convolution that a tensor is made of, with what is done to its result."""
    producer = graph.producer(data)
    if producer is not None and producer.kind == "LceBconv2d":
        return producer, None
    for cone in cones(graph, data):
        producer = graph.producer(cone.source)
        if producer is not None and producer.kind == "LceBconv2d":
            return producer, cone
    return "its input is no function of one binary convolution's result"


def _negative(bconv: Operator, multiplier: Array, bias: Array, cone: Cone | None) -> Array:
    """Whether each sum is below zero in the end: bool [sums, O]."""
    evaluate = None if cone is None else cone.evaluator()
    results = clamped(bconv, sums(bconv))
    at_once = max(1, _AT_ONCE // len(multiplier))
    negative = []
    for start in range(0, len(results), at_once):
        values = (results[start : start + at_once, None] * multiplier + bias).astype(np.float32)
        negative.append((values if evaluate is None else evaluate(values)) < 0)
    return np.concatenate(negative)
