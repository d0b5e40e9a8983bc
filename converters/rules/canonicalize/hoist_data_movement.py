"""Movement of data behind a sign comes in front of it, so that the sign stands before the convolution.

A sign with thresholds is computed from x - t, per channel, and then is the same function everywhere. Such a function
does not care about places: move(sign(x - t)) = sign(move(x - t)), for whatever moves values without changing them, and
for several tensors that are joined if their signs have the same two values. A quantizer of more steps is moved if it is
the same for all channels.
"""

import numpy as np

from mobile_bnn.converters.graph.clone import copied, copied_cone
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.signs import Signs, signs_of
from mobile_bnn.converters.quantizers.steps import StepFunction, step_function

_PLACE = {"SPLIT": 1}  # of the data among the inputs, where it is not the first
_MOST_DIMENSIONS = 4
KINDS = frozenset(
    {"RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "CONCATENATION", "SPLIT", "SPLIT_V", "SLICE", "STRIDED_SLICE"}
    | {"SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "GATHER", "REVERSE_V2", "RESIZE_NEAREST_NEIGHBOR"}
)


def apply(graph: Graph, operator: Operator) -> str | None:
    """Moves signs in front of an operator that moves data behind it.

    Returns:
        None if it did, else why not.
    """
    place = _PLACE.get(operator.kind, 0)
    data = operator.inputs if operator.kind == "CONCATENATION" else operator.inputs[place : place + 1]
    if operator.kind == "CONCATENATION" and operator.options.fusedActivationFunction:
        return "it has a fused activation"
    if any(tensor.dtype not in (np.float32, np.bool_) for tensor in operator.outputs):
        return "it moves neither floats nor bools"
    if any(len(tensor.shape) > _MOST_DIMENSIONS for tensor in operator.outputs):
        return "LCE's runtime ends its process where it selects in five dimensions"
    quantizers = []
    for tensor in data:
        steps = "it moves a constant" if tensor is None or tensor.content is not None else step_function(graph, tensor)
        if isinstance(steps, str):
            return steps
        quantizers.append(steps)
    if all(steps.steps == 1 for steps in quantizers):
        return _move_signs(graph, operator, place, quantizers)
    if len(quantizers) > 1:
        return "it joins what has more than two values"
    return _move_cone(graph, operator, place, quantizers[0])


def _move_signs(graph: Graph, operator: Operator, place: int, quantizers: list[StepFunction]) -> str | None:
    arguments = list[Tensor]()
    parts = list[Signs]()
    for steps in quantizers:
        part = signs_of(steps)
        if isinstance(part, str):
            return part
        parts.append(part)
    if any((part.middle, part.half) != (parts[0].middle, parts[0].half) for part in parts):
        return "what it joins has other values in each part"
    for part in parts:
        argument, new = part.argument()
        graph.insert_before(operator, *new)
        arguments.append(argument)
    for old, moved in _moved(graph, operator, place, arguments):
        graph.insert_before(operator, *_values(moved, old, parts[0]))
    graph.operators.remove(operator)
    return None


def _move_cone(graph: Graph, operator: Operator, place: int, steps: StepFunction) -> str | None:
    """Of a quantizer of any number of steps that treats all channels alike."""
    constants = [t for inner in steps.cone.operators for t in inner.inputs if t is not None and t.content is not None]
    if any(np.prod(tensor.shape) != 1 for tensor in constants):
        return "it moves what has more than two values and a threshold for each channel"
    for old, moved in _moved(graph, operator, place, [steps.cone.source]):
        output, new = copied_cone(steps.cone, moved)
        graph.insert_before(operator, *new)
        graph.replace(old, output)
    graph.operators.remove(operator)
    return None


def _moved(graph: Graph, operator: Operator, place: int, data: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Lets a copy of an operator move other data in front of it: pairs of its outputs and the copy's."""
    outputs = [Tensor.of(tensor.name, tensor.shape, np.float32) for tensor in operator.outputs]
    inputs = [*operator.inputs[:place], *data, *operator.inputs[place + len(data) :]]
    graph.insert_before(operator, copied(operator, inputs, outputs))
    return list(zip(operator.outputs, outputs, strict=True))


def _values(argument: Tensor, output: Tensor, signs: Signs) -> list[Operator]:
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
