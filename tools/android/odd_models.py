"""Writes small float models that the demo's screens cannot show, or only in colour, for its tests.

* colour.tflite names pictures of 32 x 32 pixels in colour; whatever they show, it is a frog.
* batch.tflite does the same for four pictures at a time.
* unlabelled.tflite has no record of mobile_bnn.
"""

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.files import write_bytes
from mobile_bnn.runtime import ModelMetadata, pack
from mobile_bnn.runtime.metadata import Normalization, TaskSpec, with_metadata
from mobile_bnn.typing import Array

_LABELS = ["cat", "frog", "ship"]
_SHAPE = (32, 32, 3)


def write_odd_models(folder: Path) -> None:
    """Writes the files into a folder that is there."""
    metadata = ModelMetadata(
        task=TaskSpec(name="classification"),
        dataset="frogs",
        labels=_LABELS,
        input_shape=_SHAPE,
        normalization=Normalization(mean=[127.5] * 3, std=[127.5] * 3),
        binary_macs=0,
        float_macs=int(np.prod(_SHAPE)) * len(_LABELS),
    )
    write_bytes(folder / "colour.tflite", with_metadata(_classifier(1), metadata))
    write_bytes(folder / "batch.tflite", with_metadata(_classifier(4), metadata))
    write_bytes(folder / "unlabelled.tflite", _classifier(1))


def _classifier(batch: int) -> bytes:
    """Pictures, flattened, through a dense layer of zeros whose bias knows the answer."""
    pixels = int(np.prod(_SHAPE))
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    graph.tensors, graph.operators = [], []
    picture = _tensor(model, "picture", (batch, *_SHAPE))
    shape = _tensor(model, "shape", (2,), np.array([batch, pixels], np.int32))
    flat = _tensor(model, "flat", (batch, pixels))
    weights = _tensor(model, "weights", (len(_LABELS), pixels), np.zeros((len(_LABELS), pixels), np.float32))
    bias = _tensor(model, "bias", (len(_LABELS),), np.array([0, 3, 1], np.float32))
    logits = _tensor(model, "logits", (batch, len(_LABELS)))
    classes = _tensor(model, "classes", (batch, len(_LABELS)))
    operators = schema.BuiltinOperator
    _operator(model, operators.RESHAPE, [picture, shape], flat)
    _operator(model, operators.FULLY_CONNECTED, [flat, weights, bias], logits, schema.FullyConnectedOptionsT())
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    _operator(model, operators.SOFTMAX, [logits], classes, softmax)
    graph.inputs, graph.outputs = [picture], [classes]
    return pack(model)


def _tensor(model: schema.ModelT, name: str, shape: tuple[int, ...], values: Array | None = None) -> int:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, list(shape), 0
    tensor.type = schema.TensorType.FLOAT32
    if values is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.buffer = len(model.buffers)
        tensor.type = schema.TensorType.INT32 if values.dtype == np.int32 else schema.TensorType.FLOAT32
        model.buffers.append(buffer)
    tensors = model.subgraphs[0].tensors
    tensors.append(tensor)
    return len(tensors) - 1


def _operator(model: schema.ModelT, builtin: int, inputs: list[int], output: int, options: object = None) -> None:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = inputs, [output]
    operator.opcodeIndex = len(model.operatorCodes or [])
    if options is not None:
        kind = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, kind), options
    model.operatorCodes = [*(model.operatorCodes or []), code]
    model.subgraphs[0].operators.append(operator)
