"""Small .tflite files of LCE's operators and some of TFLite's own, and the interpreters that run them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Delegate, Interpreter, OpResolverType, load_delegate
from flatbuffers import flexbuffers
from litert_runs import invoke_outputs

from mobile_bnn.profiling.engines.lce import LarqComputeEngine

_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.bool_): schema.TensorType.BOOL,
}
# Options that are not named after their operator alone.
_OPTIONS = {
    "MAX_POOL_2D": "Pool2D",
    "BATCH_MATMUL": "BatchMatMul",
    "SVDF": "SVDF",
    "LSTM": "LSTM",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
    "BIDIRECTIONAL_SEQUENCE_LSTM": "BidirectionalSequenceLSTM",
    "BIDIRECTIONAL_SEQUENCE_RNN": "BidirectionalSequenceRNN",
}


@dataclass
class TensorSpec:
    """One tensor of the file: constant if it has data."""

    shape: Sequence[int]
    dtype: npt.DTypeLike = np.float32
    data: np.ndarray | None = None
    scale: float | None = None
    zero_point: int = 0
    signature: Sequence[int] | None = None
    variable: bool = False  # it keeps its values from one inference to the next

    @classmethod
    def constant(cls, data: np.ndarray) -> "TensorSpec":
        return cls(data.shape, data.dtype, data)


# Its name, inputs, output and options.
OperatorSpec = tuple[str, Sequence[TensorSpec | None], TensorSpec, Mapping[str, object] | bytes]


def flexbuffer_map(options: Mapping[str, object]) -> bytes:
    """The options as LCE's converter writes them."""
    return bytes(flexbuffers.Dumps(dict(options)))


def single_operator(
    name: str, inputs: Sequence[TensorSpec | None], output: TensorSpec, options: Mapping[str, object] | bytes = b""
) -> bytes:
    """A model of one operator; None is an input left out."""
    return chain([(name, inputs, output, options)])


def chain(
    operators: Sequence[OperatorSpec],
    outputs: Sequence[TensorSpec] = (),
) -> bytes:
    """A model of operators. Whoever has the same TensorSpec object reads or writes the same tensor.

    A name of TFLite's schema (ADD, RELU, ...) is that operator, whose options are fields of its table, or `activation`;
    another is a custom operator. The model's outputs are what nobody reads, and `outputs`.
    """
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, model.operatorCodes = [], [], []
    index_of: dict[int, int] = {}

    def add(spec: TensorSpec | None) -> int:
        if spec is None:
            return -1
        if id(spec) not in index_of:
            index_of[id(spec)] = len(graph.tensors)
            graph.tensors.append(_tensor(model, spec, f"tensor_{len(graph.tensors)}"))
        return index_of[id(spec)]

    for number, (name, inputs, output, options) in enumerate(operators):
        builtin = getattr(schema.BuiltinOperator, name, None)
        code = schema.OperatorCodeT()
        code.builtinCode = schema.BuiltinOperator.CUSTOM if builtin is None else builtin
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.customCode = name if builtin is None else None
        model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = number
        operator.inputs = [add(spec) for spec in inputs]
        operator.outputs = [add(output)]
        if builtin is None:
            encoded = options if isinstance(options, bytes) else flexbuffer_map(options)
            operator.customOptions = np.frombuffer(encoded, np.uint8)
        elif options:
            kind = f"{_OPTIONS.get(name, name.capitalize())}Options"
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = getattr(schema, f"{kind}T")()
            for field, value in options.items():
                setattr(operator.builtinOptions, "fusedActivationFunction" if field == "activation" else field, value)
        graph.operators.append(operator)
    written = {operator.outputs[0] for operator in graph.operators}
    read = {index for operator in graph.operators for index in operator.inputs}
    kept = {index for index, tensor in enumerate(graph.tensors) if tensor.buffer or tensor.isVariable}
    graph.inputs = sorted(read - written - kept - {-1})
    graph.outputs = sorted(written - read | {add(spec) for spec in outputs})
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(model: schema.ModelT, spec: TensorSpec, name: str) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name = name
    tensor.shape = list(spec.shape)
    tensor.shapeSignature = None if spec.signature is None else list(spec.signature)
    tensor.type = _TYPES[np.dtype(spec.dtype)]
    tensor.isVariable = spec.variable
    if spec.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(spec.data).tobytes(), np.uint8)
        tensor.buffer = len(model.buffers)
        model.buffers.append(buffer)
    if spec.scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = [spec.scale]
        tensor.quantization.zeroPoint = [spec.zero_point]
    return tensor


def run_lce(model: bytes, *inputs: np.ndarray) -> np.ndarray:
    """The first output of LCE's interpreter with its reference kernel: what everything here is compared with."""
    return run_lce_outputs(model, *inputs)[0]


def run_lce_outputs(model: bytes, *inputs: np.ndarray) -> list[np.ndarray]:
    create = LarqComputeEngine().import_library().LiteInterpreter
    interpreter = create(model, 1, True, False, False)
    output = interpreter.predict([np.ascontiguousarray(x) for x in inputs])
    return [np.asarray(array) for array in (output if isinstance(output, list | tuple) else [output])]


def run_delegate(model: bytes, delegate: Delegate, *inputs: np.ndarray) -> np.ndarray:
    """Stock LiteRT with our delegate; inputs may have other shapes than the file says."""
    interpreter = create_interpreter(model, delegate)
    return invoke(interpreter, *inputs)


def create_interpreter(model: bytes, delegate: Delegate) -> Interpreter:
    return Interpreter(
        model_content=model,
        experimental_delegates=[delegate],
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )


def invoke(interpreter: Interpreter, *inputs: np.ndarray) -> np.ndarray:
    """The first output."""
    return invoke_outputs(interpreter, *inputs)[0]


def operators_of(model: bytes, library: Path, folder: Path, *inputs: np.ndarray) -> list[str]:
    """What ran in the delegate, in order."""
    log = folder / "profile.tsv"
    interpreter = create_interpreter(model, load_delegate(str(library), {"profile": str(log)}))
    invoke(interpreter, *inputs)
    return [line.split("\t")[2] for line in log.read_text().splitlines()]
