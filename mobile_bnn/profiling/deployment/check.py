"""Proves an installation: `python -m mobile_bnn.profiling.deployment.check` runs a model of two binary operators.

It prints one line of JSON: the versions of this package and of LiteRT, and the instruction set that ran.
"""

import json
from importlib.metadata import version

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn import __version__
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import Interpreter, default_isa, pack

_SHAPE = (1, 4, 4, 64)


def signs_model() -> bytes:
    """A .tflite that packs its float input to bits and unpacks it: the sign of every number, as -1 or +1."""
    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT()]
    model.operatorCodes = [_code("LceQuantize"), _code("LceDequantize")]
    graph = schema.SubGraphT()
    graph.tensors = [
        _tensor("numbers", _SHAPE, schema.TensorType.FLOAT32),
        _tensor("bits", (*_SHAPE[:3], _SHAPE[3] // 32), schema.TensorType.INT32),
        _tensor("signs", _SHAPE, schema.TensorType.FLOAT32),
    ]
    graph.operators = [_operator(0, 0, 1), _operator(1, 1, 2)]
    graph.inputs, graph.outputs = [0], [2]
    model.subgraphs = [graph]
    return pack(model)


def check() -> dict[str, str]:
    """Runs it.

    Raises:
        MobileBnnError: the library or the runtime is not there, or a number came out wrong.
    """
    numbers = np.random.default_rng(0).standard_normal(_SHAPE).astype(np.float32)
    with Interpreter(signs_model()) as interpreter:
        signs = interpreter.predict(numbers)
    wrong = int(np.sum(signs != np.where(numbers >= 0, 1, -1)))
    if wrong:
        raise MobileBnnError(f"{wrong} of {numbers.size} signs came out wrong")
    return {"mobile_bnn": __version__, "litert": version("ai-edge-litert"), "isa": default_isa()}


def _code(name: str) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = name, 1
    return code


def _tensor(name: str, shape: tuple[int, ...], kind: int) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), kind, 0
    return tensor


def _operator(code: int, source: int, target: int) -> schema.OperatorT:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, [source], [target]
    return operator


if __name__ == "__main__":
    print(json.dumps(check()))
