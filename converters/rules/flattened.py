"""A dense layer between two RESHAPEs that flatten all dimensions but the last, and restore them.

    [..., K] -> RESHAPE [rows, K] -> dense [rows, N] -> RESHAPE [..., N]

With an open batch these shapes are computed while the model runs. FULLY_CONNECTED with `keep_num_dims` does the same
without them if only the first dimension is open: the number of elements leaves nothing else to be it, and the rest must
be what the file says.
"""

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import has_fixed_size


def unflattened(graph: Graph, operator: Operator, inputs: int, outputs: int) -> tuple[Tensor, Tensor] | None:
    """The tensors before and after the RESHAPEs around a product with `outputs` rows of `inputs` values, if any."""
    before, after = graph.producer(operator.input(0)), graph.consumers(operator.output)
    if before is None or before.op_type != "RESHAPE" or [other.op_type for other in after] != ["RESHAPE"]:
        return None
    source, output = before.input(0), after[0].output
    if operator.output in graph.outputs or source.shape[-1:] != (inputs,):
        return None
    same = output.shape == (*source.shape[:-1], outputs)
    return (source, output) if same and has_fixed_size(source) and has_fixed_size(output) else None
