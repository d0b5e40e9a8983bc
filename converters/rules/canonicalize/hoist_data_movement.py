"""Movement of data after a sign comes before it, so that the sign stands directly before the convolution.

A sign with thresholds is computed from x - t, per channel, and then is the same function everywhere. Such a function
does not care about places: move(sign(x - t)) = sign(move(x - t)), for whatever moves values without changing them, and
for several tensors that are joined if their signs have the same two values. A quantizer of more steps is moved if it is
the same for all channels.
"""

import numpy as np

from mobile_bnn.converters.graph.clone import clone_subgraph
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.steps import StepFunction, step_function
from mobile_bnn.converters.quantizers.threshold import Threshold, threshold_of
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

_PLACE = {"SPLIT": 1}  # of the data among the inputs, where it is not the first
_MOST_DIMENSIONS = 4
ROOTS = frozenset(
    {"RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "CONCATENATION", "SPLIT", "SPLIT_V", "SLICE", "STRIDED_SLICE"}
    | {"SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "GATHER", "REVERSE_V2", "RESIZE_NEAREST_NEIGHBOR"}
)


def rewrite(graph: Graph, root: Operator) -> None:
    """Moves signs before an operator that moves data after it.

    Raises:
        NoMatch: what it moves is not quantized, or differs in its parts.
    """
    place = _PLACE.get(root.op_type, 0)
    data = root.inputs if root.op_type == "CONCATENATION" else root.inputs[place : place + 1]
    if root.op_type == "CONCATENATION" and root.options.fusedActivationFunction:
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "it has a fused activation")
    if any(tensor.dtype not in (np.float32, np.bool_) for tensor in root.outputs):
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "it moves neither floats nor bools")
    if any(len(tensor.shape) > _MOST_DIMENSIONS for tensor in root.outputs):
        text = "LCE's runtime ends its process where it selects in five dimensions"
        raise NoMatch(RefusalCode.LCE_LIMIT, text)
    quantizers = [_quantizer(graph, tensor) for tensor in data]
    if all(steps.steps == 1 for steps in quantizers):
        _move_signs(graph, root, place, quantizers)
    elif len(quantizers) > 1:
        raise NoMatch(RefusalCode.INPUT_CHANNELS_DIFFER, "it joins what has more than two values")
    else:
        _move_subgraph(graph, root, place, quantizers[0])


def _quantizer(graph: Graph, tensor: Tensor | None) -> StepFunction:
    if tensor is None or tensor.content is not None:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it moves a constant")
    return step_function(graph, tensor)


def _move_signs(graph: Graph, operator: Operator, place: int, quantizers: list[StepFunction]) -> None:
    parts = [threshold_of(steps) for steps in quantizers]
    if any((part.middle, part.half) != (parts[0].middle, parts[0].half) for part in parts):
        raise NoMatch(RefusalCode.INPUT_CHANNELS_DIFFER, "what it joins has other values in each part")
    arguments = list[Tensor]()
    for part in parts:
        argument, new = part.argument()
        graph.insert_before(operator, *new)
        arguments.append(argument)
    for old, moved in _moved(graph, operator, place, arguments):
        graph.insert_before(operator, *_values(moved, old, parts[0]))
    graph.remove(operator)


def _move_subgraph(graph: Graph, operator: Operator, place: int, steps: StepFunction) -> None:
    """Of a quantizer of any number of steps that treats all channels alike."""
    constants = [
        t for inner in steps.subgraph.operators for t in inner.inputs if t is not None and t.content is not None
    ]
    if any(np.prod(tensor.shape) != 1 for tensor in constants):
        text = "it moves what has more than two values and a threshold for each channel"
        raise NoMatch(RefusalCode.OPERAND_NOT_PER_CHANNEL, text)
    for old, moved in _moved(graph, operator, place, [steps.subgraph.source]):
        output, new = clone_subgraph(steps.subgraph, moved)
        graph.insert_before(operator, *new)
        graph.replace(old, output)
    graph.remove(operator)


def _moved(graph: Graph, operator: Operator, place: int, data: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Lets a copy of an operator move other data before it: pairs of its outputs and the copy's."""
    outputs = [Tensor.of(tensor.name, tensor.shape, np.float32) for tensor in operator.outputs]
    inputs = [*operator.inputs[:place], *data, *operator.inputs[place + len(data) :]]
    graph.insert_before(operator, operator.between(inputs, outputs))
    return list(zip(operator.outputs, outputs, strict=True))


def _values(argument: Tensor, output: Tensor, signs: Threshold) -> list[Operator]:
    """The operators that give one of two values for a sign."""
    if output.dtype == np.bool_:
        return [
            Operator.builtin("GREATER_EQUAL", [argument, Tensor.constant("zero", np.float32(0).reshape(()))], [output])
        ]
    negative = Tensor.of(f"{output.name}/negative", output.shape, np.bool_)
    zero, low, high = (
        Tensor.constant("value", np.array(value, np.float32))
        for value in (0, signs.middle - signs.half, signs.middle + signs.half)
    )
    return [
        Operator.builtin("LESS", [argument, zero], [negative]),
        Operator.builtin("SELECT_V2", [negative, low, high], [output]),
    ]
