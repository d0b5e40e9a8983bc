"""A constant map of few different rows and columns is stored as those, and assembled when the file runs.

What padding lacks differs at the border only: a map of 56x56x128 has four different pixels for a filter of 3x3 and a
stride of 2. Two GATHERs repeat them. For batches of any size the map stays whole: our delegate expects of a computed
map that it has the batch's size.
"""

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Rewriter, has_open_batch
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

_LEAST = 4  # times that the map must be larger than what is stored: two operators more are no gain for less


def put(rewriter: Rewriter, name: str, values: Array) -> Tensor:
    """A constant map, float32 [1, H, W, C], as it is or put together."""
    stored = Tensor.constant(f"{name}/map", values)
    if has_open_batch(rewriter.graph):
        return stored
    rows, row_of = np.unique(values, axis=1, return_inverse=True)
    pixels, column_of = np.unique(rows, axis=2, return_inverse=True)
    if pixels.nbytes * _LEAST > values.nbytes:
        return stored
    stored.set_values(pixels)
    return _gather(rewriter, _gather(rewriter, stored, column_of, 2), row_of, 1)


def holder(graph: Graph, reader: Operator, place: int) -> tuple[Operator, int] | None:
    """Which operator holds, as which of its inputs, the constant that an input is or is put together of.

    Returns:
        The reader and the place themselves for a constant; None if it is computed.

    Raises:
        NoMatch: it is put together for others, too.
    """
    while (tensor := reader.inputs[place]) is not None and tensor.content is None:
        gather = graph.producer(tensor)
        if gather is None or gather.op_type != "GATHER":
            return None
        graph.only_reader(tensor)
        reader, place = gather, 0
    return reader, place


def held_values(graph: Graph, reader: Operator, place: int) -> tuple[Array, list[Operator]]:
    """The constant that an input is or is put together of, and the operators that put it together.

    Raises:
        NoMatch: it is neither, or is put together for others, too.
    """
    tensor = reader.input(place)
    if tensor.content is not None:
        return reader.constant(place), []
    gather = graph.producer(tensor)
    if gather is None or gather.op_type != "GATHER":
        raise NoMatch(RefusalCode.OPERAND_NOT_CONSTANT, f"input {place} of {reader.op_type} is not a constant")
    graph.only_reader(tensor)
    values, gathers = held_values(graph, gather, 0)
    return np.take(values, gather.constant(1), axis=gather.options.axis), [*gathers, gather]


def _gather(rewriter: Rewriter, tensor: Tensor, index: npt.NDArray[np.intp], axis: int) -> Tensor:
    options = schema.GatherOptionsT()
    options.axis = axis
    places = Tensor.constant(f"{tensor.name}/places", index.reshape(-1).astype(np.int32))
    shape = [*tensor.shape[:axis], len(index.reshape(-1)), *tensor.shape[axis + 1 :]]
    output = Tensor.of(f"{tensor.name}/gather", shape, np.float32)
    return rewriter.add(Operator.builtin("GATHER", [tensor, places], [output], options))
