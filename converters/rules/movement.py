"""Movement of data behind a sign comes in front of it, so that the sign stands before the convolution.

A sign with thresholds is computed from x - t, per channel, and then is the same function everywhere. Such a function
does not care about places: move(sign(x - t)) = sign(move(x - t)), for whatever moves values without changing them, and
for several tensors that are joined if their signs have the same two values.
"""

import numpy as np

from mobile_bnn.converters.graph import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.activations import step_function
from mobile_bnn.converters.rules.copies import copied
from mobile_bnn.converters.rules.signs import Signs, signs_of

_PLACE = {"SPLIT": 1}  # of the data among the inputs, where it is not the first
KINDS = frozenset(
    {"RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "CONCATENATION", "SPLIT", "SPLIT_V", "SLICE", "STRIDED_SLICE"}
    | {"SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "GATHER", "REVERSE_V2"}
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
    found = [_signs(graph, tensor) for tensor in data]
    parts = [signs for signs in found if isinstance(signs, Signs)]
    if len(parts) < len(found):
        return next(reason for reason in found if isinstance(reason, str))
    if any((part.middle, part.half) != (parts[0].middle, parts[0].half) for part in parts):
        return "what it joins has other values in each part"
    arguments = list[Tensor | None]()
    for part in parts:
        argument, new = part.argument()
        graph.insert_before(operator, *new)
        arguments.append(argument)
    inputs = [*operator.inputs[:place], *arguments, *operator.inputs[place + len(data) :]]
    outputs = [Tensor.of(tensor.name, tensor.shape, np.float32) for tensor in operator.outputs]
    graph.insert_before(operator, copied(operator, inputs, outputs))
    for old, moved in zip(operator.outputs, outputs, strict=True):
        graph.insert_before(operator, *_values(moved, old, parts[0]))
    graph.operators.remove(operator)
    return None


def _signs(graph: Graph, tensor: Tensor | None) -> Signs | str:
    steps = "it moves a constant" if tensor is None or tensor.content is not None else step_function(graph, tensor)
    return steps if isinstance(steps, str) else signs_of(steps)


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
