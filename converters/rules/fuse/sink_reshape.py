"""A RESHAPE that leaves the channels alone moves after element-wise operators, and meets other RESHAPEs there.

    f(reshape(x), c) = reshape(f(x, c))          for constants c of one element or one per channel.

A dense layer is a binary convolution and a RESHAPE; what follows, such as a batch norm, shall stand directly after the
convolution, to move into it. Two RESHAPEs in a row are the second; one that changes nothing is none.
"""

from math import prod

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import RESHAPES, Rewriter, has_fixed_size
from mobile_bnn.converters.quantizers.elementwise import ELEMENTWISE
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"RESHAPE"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Moves a RESHAPE after the operator that reads it, or makes one of two.

    Raises:
        NoMatch: what reads it is not element-wise, or not alone.
    """
    data = root.input(0)
    if not has_fixed_size(data) or not has_fixed_size(root.output):
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "a size is open besides the batch")
    before = graph.producer(data)
    if data.shape == root.output.shape and root.output not in graph.outputs:
        graph.remove(root)
        graph.replace(root.output, data)
    elif before is not None and before.op_type in RESHAPES:
        graph.set_inputs(root, [before.inputs[0], *root.inputs[1:]])
        graph.remove_unread(before)
    else:
        _move(graph, root, data)


def _move(graph: Graph, operator: Operator, data: Tensor) -> None:
    reader = graph.only_reader(operator.output)
    if reader.op_type not in ELEMENTWISE or len(reader.outputs) > 1 or reader.output.shape != operator.output.shape:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, f"{reader.op_type} after it is not element-wise")
    channels = data.shape[-1:]
    if operator.output.shape[-1:] != channels:
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "it changes the channels")
    constants = [tensor for tensor in reader.inputs if tensor is not None and tensor is not operator.output]
    if any(constant.values is None or not _per_channel(constant, channels) for constant in constants):
        text = f"{reader.op_type} after it has operands that are not constants of a channel"
        raise NoMatch(RefusalCode.OPERAND_NOT_PER_CHANNEL, text)
    inputs = [data if tensor is operator.output else _flat(tensor) for tensor in reader.inputs]
    moved = Tensor.of(reader.output.name, data.shape, reader.output.dtype)
    rewriter = Rewriter(graph, reader)
    rewriter.finish(rewriter.reshape(rewriter.add(reader.between(inputs, [moved])), reader.output.shape))
    graph.remove(operator)


def _per_channel(constant: Tensor, channels: tuple[int, ...]) -> bool:
    """Whether a constant has one element, or one for each channel."""
    return prod(constant.shape) == 1 or (constant.shape[-1:] == channels and prod(constant.shape[:-1]) == 1)


def _flat(constant: Tensor | None) -> Tensor | None:
    if constant is None or constant.values is None:
        return constant
    return Tensor.constant(constant.name, constant.values.reshape(() if constant.values.size == 1 else (-1,)))
