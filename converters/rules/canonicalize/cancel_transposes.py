"""Two TRANSPOSEs that undo each other go, also if element-wise operators stand between them.

    back(f(there(x), c)) = f(x, back(c))         for constants c of any shape that fits,

and so for operators of several tensors if all of them come from such a TRANSPOSE. PyTorch's exporters write them around
everything that its programs do to maps [N, C, H, W].
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ELEMENTWISE
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

ROOTS = frozenset({"TRANSPOSE"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Removes a TRANSPOSE that undoes those before it.

    Raises:
        NoMatch: it does not undo one.
    """
    data, order = root.input(0), root.constant(1)
    if data.content is not None:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it transposes a constant")
    inner, tensors = _between(graph, data, order)
    for step in inner:
        output = Tensor.of(step.output.name, np.array(step.output.shape)[order], step.output.dtype)
        inputs = [
            tensors.get(tensor) or _transposed(tensor, order) if tensor is not None else None for tensor in step.inputs
        ]
        graph.insert_before(root, step.between(inputs, [output]))
        tensors[step.output] = output
    graph.remove(root)
    graph.replace(root.output, tensors[data])


def _between(graph: Graph, data: Tensor, order: Array) -> tuple[list[Operator], dict[Tensor, Tensor]]:
    """Element-wise operators up to opposite TRANSPOSEs, in their order, and what those TRANSPOSEs read."""
    open_tensors, inner, tensors = [data], list[Operator](), dict[Tensor, Tensor]()
    seen = set[Tensor]()
    while open_tensors:
        tensor = open_tensors.pop()
        if tensor.content is not None and tensor.values is None:
            raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "an operand before it has a type that NumPy lacks")
        if tensor in seen or tensor.content is not None:
            continue
        seen.add(tensor)
        producer = graph.producer(tensor)
        if producer is None:
            raise NoMatch(RefusalCode.PATTERN_ABSENT, "it transposes an input of the graph")
        if producer.op_type == "TRANSPOSE":
            if not np.array_equal(producer.constant(1), np.argsort(order)):
                raise NoMatch(RefusalCode.PATTERN_ABSENT, "the TRANSPOSE before it is not its opposite")
            tensors[tensor] = producer.input(0)
        elif producer.op_type in ELEMENTWISE and producer.output.shape == data.shape:
            inner.append(producer)
            open_tensors += [source for source in producer.inputs if source is not None]
        else:
            raise NoMatch(RefusalCode.PATTERN_ABSENT, f"{producer.op_type} before it is not a TRANSPOSE")
    return sorted(inner, key=graph.rank), tensors


def _transposed(constant: Tensor, order: Array) -> Tensor:
    """A constant operand for transposed tensors."""
    values = constant.values
    assert values is not None  # _between saw it
    if values.size == 1:
        return constant
    full = values.reshape((1,) * (len(order) - values.ndim) + values.shape)
    return Tensor.constant(constant.name, full.transpose(order))
