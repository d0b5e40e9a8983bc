"""A traced function as a graph of constants, in a fraction of the time that TensorFlow's own freezing takes.

TensorFlow copies the graph three times for what it might hold: functions, control flow, tables. A Keras model mostly
reads its variables and does nothing else with them; then each read becomes a constant.
"""

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor, TfFunction


def frozen(function: TfFunction) -> TfFunction | None:
    """The graph of a concrete function with the values of its variables in it.

    Returns:
        A GraphDef whose placeholders are the function's own inputs; None if it calls functions, or does more with a
        variable than read it.
    """
    graph = function.graph.as_graph_def()
    if graph.library.function:
        return None
    captured = {inner.op.name: outer for outer, inner in function.graph.captures}
    variables = {id(variable.handle): variable for variable in function.graph.variables}
    result = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in graph.node:
        source = captured.get(node.name)
        if source is not None and source.dtype == tf.resource:
            continue  # its reads have the value
        if source is not None:
            result.node.append(_constant(node.name, source))
        elif node.op == "ReadVariableOp" and id(captured.get(node.input[0])) in variables:
            result.node.append(_constant(node.name, variables[id(captured[node.input[0]])]))
        elif any(captured[name].dtype == tf.resource for name in node.input if name in captured):
            return None
        else:
            result.node.append(node)
    return result


def _constant(name: str, value: KerasTensor) -> KerasTensor:
    values = value.numpy()
    node = tf.compat.v1.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = tf.as_dtype(values.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    return node
