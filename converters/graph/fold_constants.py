"""Operators between constants are evaluated: a kernel that is transposed in the file is a constant again."""

from collections.abc import Iterable

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from mobile_bnn.converters.graph.model import CALLING, Graph, Operator, Tensor
from mobile_bnn.converters.graph.subgraph_constants import sink_constants
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.typing import Array

# Of no use to fold, or with results that are no function of their inputs.
_KEPT = CALLING | {"RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL", "VAR_HANDLE", "READ_VARIABLE"}


def fold_model(model: TfliteModel) -> None:
    """Evaluates what is constant in every subgraph, with what constants the subgraphs are given, and removes the rest.

    Where a loop is given what has been evaluated before, that is in the loop then, too.
    """
    for graph in model.graphs:
        fold_constants(graph)
    sink_constants(model.graphs)
    for graph in model.graphs:
        fold_constants(graph)
        graph.remove_dead()


def fold_constants(graph: Graph) -> None:
    """Evaluates every operator whose inputs are all constants, in LiteRT's own kernels."""
    for operator in list(graph.operators):
        inputs = [tensor for tensor in operator.inputs if tensor is not None]
        if not inputs or any(tensor.content is None for tensor in inputs) or operator.op_type in _KEPT:
            continue
        if any(tensor.dtype is None for tensor in operator.outputs) or operator.op_type.startswith("Lce"):
            continue
        _fold(operator)
        graph.remove(operator)


def _fold(operator: Operator) -> None:
    """Turns an operator's outputs into constants, named after what they are made of if that has a name."""
    for tensor, values in zip(operator.outputs, evaluate(operator), strict=True):
        tensor.set_values(values)
        source = operator.inputs[0]
        if operator.op_type in ("TRANSPOSE", "RESHAPE") and source is not None:
            tensor.table.name = source.table.name


def evaluate(operator: Operator) -> Iterable[Array]:
    """The outputs of an operator of constants, as LiteRT's own kernel computes them."""
    if operator.op_type == "TRANSPOSE":  # of kernels that LiteRT would copy several times
        source, order = (tensor.values for tensor in operator.inputs if tensor is not None)
        return [np.transpose(source, order)] if source is not None and order is not None else []
    # A runtime takes a graph without inputs, but not one whose outputs are constants: one operator at a time.
    own = operator.between(operator.inputs, [Tensor(tensor.table) for tensor in operator.outputs])
    graph = Graph("fold", [], own.outputs, [own])
    interpreter = Interpreter(
        model_content=TfliteModel.of(graph).write(),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
