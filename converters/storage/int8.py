"""Full int8: what stayed float computes in int8, with ranges seen on samples.

ai-edge-quantizer knows nothing of LCE's operators and cannot run them, so the graph is cut at them: what is left is a
float graph, whose further inputs are what binary operators compute, and whose further outputs are what they read. Its
ranges come from what the whole model computes. Then both are joined again, and meet without a float in between:

    LceQuantize(DEQUANTIZE(q)) is LceQuantize(q), since scale * (q - zero point) < 0 exactly if q < zero point
    QUANTIZE(LceBconv2d) is an LceBconv2d with an int8 output, which rounds once instead of twice
    QUANTIZE(DEQUANTIZE(q)) of q's scale and zero point is q
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.storage.edge_quantizer import EdgeQuantizer, make_names_unique
from mobile_bnn.converters.storage.samples import batches
from mobile_bnn.converters.verification.input_order import in_graph_order
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import Array

ValueType = Literal["float32", "int8"]

_Ranges = dict[str, tuple[float, float]]

_PADDING_SAME, _PAD_VALUE_ZERO = 0, 0  # of LCE's options


def quantize_int8(
    model: TfliteModel,
    samples: Sequence[Array],
    input_type: ValueType = "float32",
    output_type: ValueType = "float32",
) -> TfliteModel:
    """Lets the float operators of a model compute in int8 where ai-edge-quantizer has a form for them.

    A metadata record stays as it is: `runtime.with_reference` gives it the outputs of the new file.

    Args:
        model: with or without LCE's operators; is not changed.
        samples: float32 [N, ...] for each input of the model in the order of its signature: some hundred like those
            that it will see.
        input_type: of the new model's float inputs.
        output_type: of the new model's float outputs.

    Raises:
        UsageError: the samples do not fit the inputs.
        MobileBnnError: the model has several subgraphs, or numbers that are not finite; ai-edge-quantizer is not
            installed or refuses the model.
    """
    if len(model.graphs) != 1:
        raise MobileBnnError(
            "a model with loops or branches cannot become int8",
            why="it has several subgraphs",
            cure="--float-weights int8 (float_weights='int8' in Python) stores its float weights in int8 at least",
        )
    joined = model.copy()
    make_names_unique(joined)
    (graph,) = joined.graphs
    ranges = _observe(joined, samples)
    _quantize_float_part(graph, ranges)
    if input_type == "int8":
        _make_inputs_int8(graph, ranges)
    if output_type == "int8":
        _make_outputs_int8(graph, ranges)
    for operator in list(graph.operators):
        _meet(graph, operator)
    graph.remove_dead()
    return joined


@dataclass(frozen=True)
class _Cut:
    """The float operators of a graph.

    Attributes:
        operators: those that may become int8.
        inputs: what they read that none of them computes.
        outputs: what they compute that is read elsewhere.
    """

    operators: list[Operator]
    inputs: list[Tensor]
    outputs: list[Tensor]


def _cut(graph: Graph) -> _Cut:
    inside = [operator for operator in graph.operators if _is_float(graph, operator)]
    made = {id(tensor) for operator in inside for tensor in operator.outputs}
    read = {id(t): t for operator in inside for t in operator.inputs if t is not None and t.content is None}
    elsewhere = {id(t) for operator in graph.operators if operator not in inside for t in operator.inputs}
    elsewhere |= {id(tensor) for tensor in graph.outputs}
    return _Cut(
        inside,
        [tensor for key, tensor in read.items() if key not in made],
        [tensor for operator in inside for tensor in operator.outputs if id(tensor) in elsewhere],
    )


def _is_float(graph: Graph, operator: Operator) -> bool:
    """Whether it may become int8.

    A filter that is stored in bits stays what the float kernels expand it to; a product of signs stays one. An
    infinity, which the conversion adds before a sign that is always the same, has no form in int8.
    """
    if operator.code.builtinCode == schema.BuiltinOperator.CUSTOM:
        return False
    if any(tensor is not None and _holds_infinity(tensor) for tensor in operator.inputs):
        return False
    makers = [None if tensor is None else graph.producer(tensor) for tensor in operator.inputs]
    if any(_is_packed(maker) for maker in makers):
        return False
    if operator.op_type == "BATCH_MATMUL" and all(m is not None and m.op_type == "LceDequantize" for m in makers):
        return False
    return any(tensor.dtype == np.float32 for tensor in operator.outputs)


def _is_packed(operator: Operator | None) -> bool:
    if operator is None or operator.op_type != "LceDequantize":
        return False
    return operator.inputs[0] is not None and operator.inputs[0].content is not None


def _holds_infinity(tensor: Tensor) -> bool:
    if tensor.dtype != np.float32 or tensor.content is None:
        return False
    values = tensor.values
    return values is not None and bool(np.isinf(values).any())


def _observe(model: TfliteModel, samples: Sequence[Array]) -> _Ranges:
    """Runs the model on one batch of its own size after the other; the range of every float tensor by name."""
    (graph,) = model.graphs
    finite = (each for each in graph.operators if not any(t is not None and _holds_infinity(t) for t in each.inputs))
    floats = [t for operator in finite for t in operator.outputs if t.dtype == np.float32]
    floats += [tensor for tensor in graph.inputs if tensor.dtype == np.float32]
    ranges = dict.fromkeys((tensor.name for tensor in floats), (0.0, 0.0))
    watched = Graph(graph.name, graph.inputs, floats, graph.operators)
    with Interpreter(TfliteModel([watched], [], model.table).write()) as interpreter:
        for batch in batches(interpreter, in_graph_order(graph, samples)):
            computed = interpreter.predict(batch)
            for tensor, values in zip(floats, computed if isinstance(computed, list) else [computed], strict=True):
                if not np.isfinite(values).all():
                    raise MobileBnnError("the model cannot become int8", why=f"{tensor.name} is not finite on a sample")
                low, high = ranges[tensor.name]
                ranges[tensor.name] = min(low, float(values.min())), max(high, float(values.max()))
    return ranges


def _quantize_float_part(graph: Graph, ranges: _Ranges) -> None:
    cut = _cut(graph)
    if not cut.operators:
        return
    quantizer = EdgeQuantizer(TfliteModel.of(Graph("main", cut.inputs, cut.outputs, cut.operators)))
    (quantized,) = quantizer.quantize_int8(ranges).graphs
    _join(graph, cut, quantized)


def _join(graph: Graph, cut: _Cut, quantized: Graph) -> None:
    """Puts the quantized operators in the place of the float ones."""
    originals = {id(own): tensor for own, tensor in zip(quantized.inputs, cut.inputs, strict=True)}
    for operator in quantized.operators:
        inputs = [tensor if tensor is None else originals.get(id(tensor), tensor) for tensor in operator.inputs]
        quantized.set_inputs(operator, inputs)
    graph.remove(*cut.operators)
    graph.append(*quantized.operators)
    for old, new in zip(cut.outputs, quantized.outputs, strict=True):
        graph.replace(old, new)
    ordered = _ordered(list(graph.operators))
    graph.remove(*ordered)
    graph.append(*ordered)


def _ordered(operators: list[Operator]) -> list[Operator]:
    """The operators in an order in which each comes after those that it reads from."""
    waiting = {id(tensor) for operator in operators for tensor in operator.outputs}
    done: list[Operator] = []
    while operators:
        ready = [operator for operator in operators if not any(id(tensor) in waiting for tensor in operator.inputs)]
        waiting -= {id(tensor) for operator in ready for tensor in operator.outputs}
        operators = [operator for operator in operators if operator not in ready]
        done += ready
    return done


def _int8(like: Tensor, ranges: _Ranges) -> Tensor:
    """An int8 tensor into which a float one fits."""
    low, high = ranges[like.name]
    scale = np.float32((high - low) / 255 or 1)
    quantization = schema.QuantizationParametersT()
    quantization.scale = np.array([scale], np.float32)
    quantization.zeroPoint = np.array([np.clip(round(-128 - low / scale), -128, 127)], np.int64)
    tensor = Tensor.of(f"{like.name}_int8", like.shape, np.int8)
    tensor.table.shapeSignature, tensor.table.quantization = like.table.shapeSignature, quantization
    return tensor


def _make_inputs_int8(graph: Graph, ranges: _Ranges) -> None:
    """A float input becomes what a DEQUANTIZE of the new one computes."""
    for old in [tensor for tensor in graph.inputs if tensor.dtype == np.float32]:
        new = _int8(old, ranges)
        # What quantizes it already knows best.
        for reader in graph.consumers(old):
            if reader.op_type == "QUANTIZE":
                new.table.quantization = reader.output.table.quantization
        graph.inputs = [new if tensor is old else tensor for tensor in graph.inputs]
        for signature in graph.signatures:
            signature.inputs = {name: new if tensor is old else tensor for name, tensor in signature.inputs.items()}
        graph.insert_before(
            graph.operators[0], Operator.builtin("DEQUANTIZE", [new], [old], schema.DequantizeOptionsT())
        )


def _make_outputs_int8(graph: Graph, ranges: _Ranges) -> None:
    for old in [tensor for tensor in graph.outputs if tensor.dtype == np.float32]:
        producer = graph.producer(old)
        new = None if producer is None else _dequantized(producer)
        if new is None:
            new = _int8(old, ranges)
            graph.append(Operator.builtin("QUANTIZE", [old], [new], schema.QuantizeOptionsT()))
        graph.outputs = [new if tensor is old else tensor for tensor in graph.outputs]
        for signature in graph.signatures:
            signature.outputs = {name: new if tensor is old else tensor for name, tensor in signature.outputs.items()}


def _meet(graph: Graph, operator: Operator) -> None:
    """Removes DEQUANTIZE/QUANTIZE pairs between int8 operators."""
    source = None if not operator.inputs or operator.inputs[0] is None else graph.producer(operator.inputs[0])
    if source is None:
        return
    before = _dequantized(source)
    if operator.op_type == "LceQuantize" and before is not None:
        graph.set_inputs(operator, [before])
    elif operator.op_type == "QUANTIZE" and before is not None and _equal(before, operator.output):
        graph.replace(operator.output, before)
    elif operator.op_type == "QUANTIZE" and source.op_type == "LceBconv2d":
        _make_convolution_int8(graph, source)


def _dequantized(operator: Operator) -> Tensor | None:
    """What a DEQUANTIZE reads, if that is int8."""
    source = operator.inputs[0] if operator.op_type == "DEQUANTIZE" else None
    return source if source is not None and source.dtype == np.int8 else None


def _make_convolution_int8(graph: Graph, convolution: Operator) -> None:
    """Where all that read it want the same int8. LCE's fast kernels have no int8 output with zeros around the map."""
    options, old = convolution.custom_options, convolution.output
    readers = graph.consumers(old)
    alike = all(reader.op_type == "QUANTIZE" and _equal(reader.output, readers[0].output) for reader in readers)
    zeros = options["padding"] == _PADDING_SAME and options["pad_values"] == _PAD_VALUE_ZERO
    if not alike or zeros or old in graph.outputs:
        return
    new = readers[0].output
    graph.set_outputs(convolution, [new])
    for reader in readers:
        graph.remove(reader)
        graph.replace(reader.output, new)


def _equal(left: Tensor, right: Tensor) -> bool:
    """Whether the same int8 stands for the same number in both."""
    a, b = left.table.quantization, right.table.quantization
    same = np.array_equal(a.scale, b.scale) and np.array_equal(a.zeroPoint, b.zeroPoint)
    return left.dtype == right.dtype == np.int8 and bool(same)
