"""A RESHAPE that leaves the channels alone moves behind element-wise operators, and meets other RESHAPEs there.

    f(reshape(x), c) = reshape(f(x, c))          for constants c of one element or one per channel.

A dense layer is a binary convolution and a RESHAPE; what follows, such as a batch norm, shall stand right behind the
convolution, to move into it. Two RESHAPEs in a row are the second; one that changes nothing is none.
"""

from math import prod

from mobile_bnn.converters.graph.clone import copied
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import RESHAPES, Site, has_fixed_size
from mobile_bnn.converters.quantizers.elementwise import ELEMENTWISE
from mobile_bnn.converters.rules.bconv import only_reader

KINDS = frozenset({"RESHAPE"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Moves a RESHAPE behind the operator that reads it, or makes one of two.

    Returns:
        None if it did, else why not.
    """
    data = operator.inputs[0]
    if data is None or not has_fixed_size(data) or not has_fixed_size(operator.output):
        return "a size is open besides the batch"
    if data.shape == operator.output.shape and operator.output not in graph.outputs:
        graph.operators.remove(operator)
        graph.replace(operator.output, data)
        return None
    before = graph.producer(data)
    if before is not None and before.kind in RESHAPES:
        operator.inputs[0] = before.inputs[0]
        graph.remove_dead()
        return None
    return _move(graph, operator, data)


def _move(graph: Graph, operator: Operator, data: Tensor) -> str | None:
    reader = only_reader(graph, operator.output)
    if isinstance(reader, str):
        return reader
    if reader.kind not in ELEMENTWISE or len(reader.outputs) > 1 or reader.output.shape != operator.output.shape:
        return f"{reader.kind} behind it is not element-wise"
    channels = data.shape[-1:]
    if operator.output.shape[-1:] != channels:
        return "it changes the channels"
    constants = [tensor for tensor in reader.inputs if tensor is not None and tensor is not operator.output]
    if any(constant.values is None or not _per_channel(constant, channels) for constant in constants):
        return f"{reader.kind} behind it has operands that are no constants of a channel"
    inputs = [data if tensor is operator.output else _flat(tensor) for tensor in reader.inputs]
    moved = Tensor.of(reader.output.name, data.shape, reader.output.dtype)
    site = Site(graph, reader)
    site.finish(site.reshape(site.add(copied(reader, inputs, [moved])), reader.output.shape))
    graph.operators.remove(operator)
    return None


def _per_channel(constant: Tensor, channels: tuple[int, ...]) -> bool:
    """Whether a constant has one element, or one for each channel."""
    return prod(constant.shape) == 1 or (constant.shape[-1:] == channels and prod(constant.shape[:-1]) == 1)


def _flat(constant: Tensor | None) -> Tensor | None:
    if constant is None or constant.values is None:
        return constant
    return Tensor.constant(constant.name, constant.values.reshape(() if constant.values.size == 1 else (-1,)))
