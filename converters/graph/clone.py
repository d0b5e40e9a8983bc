"""An element-wise subgraph once more, from another source."""

from mobile_bnn.converters.graph.model import Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph


def clone_subgraph(subgraph: ElementwiseSubgraph, source: Tensor) -> tuple[Tensor, list[Operator]]:
    """A subgraph's output and operators for another source. Constants per channel keep its channels what they are."""
    tensors, operators = {subgraph.source: source}, list[Operator]()
    for operator in subgraph.operators:
        output = Tensor.of(operator.output.name, source.shape, operator.output.dtype)
        inputs = [tensor if tensor is None else tensors.get(tensor, tensor) for tensor in operator.inputs]
        operators.append(operator.between(inputs, [output]))
        tensors[operator.output] = output
    return tensors[subgraph.output], operators
