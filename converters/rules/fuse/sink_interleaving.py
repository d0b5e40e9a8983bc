"""What interleaves or crops the outputs of binary convolutions comes after element-wise operators instead of before.

A transposed convolution is binary convolutions, joined by CONCATENATION, interleaved by DEPTH_TO_SPACE and cropped by
SLICE, none of which changes a number. An element-wise operator f with a constant c for each channel does to every
element what it did before, if each channel of what is interleaved gets the constant of the channel that it becomes:

    f(DEPTH_TO_SPACE(x), c) = DEPTH_TO_SPACE(f(x, (c, c, ..., c)))
    f(CONCATENATION(x, y), (c, d)) = CONCATENATION(f(x, c), f(y, d))
    f(SLICE(x), c) = SLICE(f(x, c))

So batch norms, activations and thresholds meet the convolutions, and a sign after them is packed before it is moved.
"""

from collections.abc import Sequence

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.binarize.border_map import holder

_WITH_CONSTANT = frozenset({"MUL", "ADD", "SUB", "DIV", "PRELU", "MINIMUM", "MAXIMUM"})
_MOVERS = frozenset({"CONCATENATION", "DEPTH_TO_SPACE", "SLICE"})
ROOTS = _WITH_CONSTANT | {"RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU"}


def rewrite(graph: Graph, root: Operator) -> None:
    """Moves an element-wise operator before what moves the outputs of binary convolutions.

    Raises:
        NoMatch: none stands before it, others read it, or a constant varies within a channel.
    """
    computed = [tensor for tensor in root.inputs if tensor is not None and tensor.content is None]
    mover = graph.producer(computed[0]) if len(computed) == 1 else None
    if mover is None or mover.op_type not in _MOVERS:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it does not read interleaved results")
    _check_binary(graph, mover)
    graph.only_reader(mover.output)
    if root.output.dtype != np.float32 or root.output.shape != mover.output.shape:
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "its result has another type or shape than it reads")
    place = root.inputs.index(mover.output)
    operands = [_operands(mover, tensor) for tensor in root.inputs if tensor is not None and tensor.content is not None]
    results = list[Tensor]()
    for number, part in enumerate(_parts(mover)):
        constants = [operand[number] for operand in operands]
        result = Tensor.of(f"{root.output.name}/part", part.shape, np.float32)
        inputs = [*constants[:place], part, *constants[place:]]
        graph.insert_before(mover, root.between(inputs, [result]))
        results.append(result)
    moved = mover.between([*results, *mover.inputs[len(results) :]], [root.output])
    graph.remove(root)
    graph.substitute(mover, moved)


def _parts(mover: Operator) -> list[Tensor]:
    """What is moved."""
    parts = mover.inputs if mover.op_type == "CONCATENATION" else mover.inputs[:1]
    return [part for part in parts if part is not None]


def _check_binary(graph: Graph, mover: Operator) -> None:
    """Checks that all that is moved comes from binary convolutions, and keeps its channels together.

    Raises:
        NoMatch: it does not.
    """
    last = len(mover.output.shape) - 1
    if mover.op_type == "CONCATENATION" and (mover.options.fusedActivationFunction or mover.options.axis != last):
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "CONCATENATION before it does not just join channels")
    if mover.op_type == "SLICE" and mover.output.shape[last] != mover.input(0).shape[last]:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "SLICE before it cuts channels off")
    for tensor in _parts(mover):
        if not _is_binary(graph, tensor):
            text = f"{mover.op_type} before it does not move the results of binary convolutions alone"
            raise NoMatch(RefusalCode.PATTERN_ABSENT, text)


def _is_binary(graph: Graph, tensor: Tensor) -> bool:
    """Whether a tensor is a binary convolution's result, with element-wise operators of constants or others' after it.

    Sums of many convolutions count as well, so the walk goes over each operator once.
    """
    left, seen = [tensor], set[Operator]()
    while left:
        part = left.pop()
        producer = graph.producer(part)
        if producer is None or producer.op_type not in _MOVERS | ROOTS | {"LceBconv2d"}:
            return False
        if producer.op_type == "LceBconv2d" or producer in seen:
            continue
        seen.add(producer)
        places = [place for place, each in enumerate(producer.inputs) if each is not None and each.content is None]
        left += [producer.input(place) for place in places if holder(graph, producer, place) is None]
    return True


def _operands(mover: Operator, constant: Tensor) -> Sequence[Tensor]:
    """A constant of an operator after it for each of what it moves.

    Raises:
        NoMatch: it varies within a channel.
    """
    values, channels, parts = constant.values, mover.output.shape[-1], _parts(mover)
    if values is None or values.dtype != np.float32:
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "its constant is not float32")
    if values.size == 1:
        return [constant] * len(parts)
    if values.size != channels or values.shape[-1] != channels:
        raise NoMatch(RefusalCode.OPERAND_NOT_PER_CHANNEL, "its constant varies within a channel")
    if mover.op_type == "SLICE":
        return [constant]
    if mover.op_type == "DEPTH_TO_SPACE":
        repeated = parts[0].shape[-1] // channels
        tiled = np.tile(values, [1] * (values.ndim - 1) + [repeated])
        return [Tensor.constant(constant.name, tiled)]
    ends = np.cumsum([part.shape[-1] for part in parts])
    return [Tensor.constant(constant.name, cut) for cut in np.split(values, ends[:-1], axis=-1)]
