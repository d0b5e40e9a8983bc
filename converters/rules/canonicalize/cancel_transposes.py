"""Two TRANSPOSEs that undo each other go, also if element-wise operators stand between them.

    back(f(there(x), c)) = f(x, back(c))         for constants c of any shape that fits,

and so for operators of several tensors if all of them come from such a TRANSPOSE. PyTorch's exporters write them around
everything that its programs do to maps [N, C, H, W].
"""

import numpy as np

from mobile_bnn.converters.graph.clone import copied
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ELEMENTWISE
from mobile_bnn.typing import Array

KINDS = frozenset({"TRANSPOSE"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Removes a TRANSPOSE that undoes those in front of it.

    Returns:
        None if it did, else why not.
    """
    data, order = operator.inputs
    if data is None or order is None or order.values is None or data.content is not None:
        return "it moves a constant, or in an order that is computed"
    found = _between(graph, data, order.values)
    if isinstance(found, str):
        return found
    inner, tensors = found
    for step in inner:
        output = Tensor.of(step.output.name, np.array(step.output.shape)[order.values], step.output.dtype)
        inputs = [
            tensors.get(id(tensor)) or _turned(tensor, order.values) if tensor is not None else None
            for tensor in step.inputs
        ]
        graph.insert_before(operator, copied(step, inputs, [output]))
        tensors[id(step.output)] = output
    graph.operators.remove(operator)
    graph.replace(operator.output, tensors[id(data)])
    return None


def _between(graph: Graph, data: Tensor, order: Array) -> tuple[list[Operator], dict[int, Tensor]] | str:
    """Element-wise operators up to opposite TRANSPOSEs, in their order, and what those TRANSPOSEs turn."""
    open_tensors, inner, tensors = [data], list[Operator](), dict[int, Tensor]()
    seen = set()
    while open_tensors:
        tensor = open_tensors.pop()
        if tensor.content is not None and tensor.values is None:
            return "an operand in front of it has a type that NumPy lacks"
        if id(tensor) in seen or tensor.content is not None:
            continue
        seen.add(id(tensor))
        producer = graph.producer(tensor)
        if producer is None:
            return "what it turns is an input of the graph"
        if producer.kind == "TRANSPOSE":
            first = producer.inputs[1]
            if first is None or first.values is None or not np.array_equal(first.values, np.argsort(order)):
                return "the TRANSPOSE in front of it is not its opposite"
            assert producer.inputs[0] is not None
            tensors[id(tensor)] = producer.inputs[0]
        elif producer.kind in ELEMENTWISE and producer.output.shape == data.shape:
            inner.append(producer)
            open_tensors += [source for source in producer.inputs if source is not None]
        else:
            return f"{producer.kind} in front of it is no TRANSPOSE"
    return sorted(inner, key=graph.operators.index), tensors


def _turned(constant: Tensor, order: Array) -> Tensor:
    """A constant operand for turned tensors."""
    values = constant.values
    assert values is not None
    if values.size == 1:
        return constant
    full = values.reshape((1,) * (len(order) - values.ndim) + values.shape)
    return Tensor.constant(constant.name, full.transpose(order))
