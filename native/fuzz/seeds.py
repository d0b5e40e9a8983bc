"""Writes the fuzz targets' first inputs from real models: `seeds.py FOLDER`; fake_model_format.h reads this format.

The folder gets `delegate/`, `options/` and `request/`. Models are those of the native tests, requests are the runner's.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.profiling.messages import Question, Request
from mobile_bnn.runtime import read_model

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "native")]

from network import network  # noqa: E402
from numpy_bconv import BconvCase  # noqa: E402
from single_operator import TensorSpec, chain, single_operator  # noqa: E402
from test_batch_mat_mul import Product  # noqa: E402
from test_broadcast import OPERANDS, build  # noqa: E402
from test_fusion import GlueModel, sum_of_two  # noqa: E402
from test_maxpool2d import Pool, float_pool  # noqa: E402

CUSTOM_KINDS = (b"LceQuantize", b"LceDequantize", b"LceBconv2d", b"LceBMaxPool2d", b"Foreign")
Builtin = schema.BuiltinOperator
BUILTIN_KINDS = (
    *(Builtin.ADD, Builtin.SUB, Builtin.MUL, Builtin.PRELU),
    *(Builtin.RELU, Builtin.RELU_N1_TO_1, Builtin.RELU6),
    Builtin.MAX_POOL_2D,
    Builtin.BATCH_MATMUL,
)
TYPES = {schema.TensorType.FLOAT32: 1, schema.TensorType.INT32: 2, schema.TensorType.BOOL: 3, schema.TensorType.INT8: 4}
CONSTANT, OUTPUT = 1, 2  # flags of a tensor
SCALE, ZERO_POINT = 1, 1  # 0.03 and -7, as the tests have them
RANDOM = 7  # the pattern that fills a tensor
HONEST, ALIGNED = 0, 0  # of a constant
ISAS = range(5)


def encode(flatbuffer: bytes, isa: int, threads: int = 0) -> bytes:
    """One input of fuzz_delegate: delegate options, model, and a resize of the first input to its own shape."""
    model = read_model(flatbuffer)
    graph = model.subgraphs[0]
    options_given = 1 + isa % 2  # with an instruction set, with a profile too
    encoded = bytes([threads, isa, options_given, 0, len(graph.tensors) - 1])
    for index, tensor in enumerate(graph.tensors):
        encoded += _tensor(tensor, bool(tensor.buffer), index in graph.outputs)
    encoded += bytes([len(graph.operators)])
    for operator in graph.operators:
        encoded += _node(operator, model.operatorCodes[operator.opcodeIndex])
    first = graph.inputs[0]
    shape = graph.tensors[first].shape
    larger = [3, *shape[1:]]
    return encoded + bytes([2, first, len(larger), *larger, first, len(shape), *shape])


def _tensor(tensor: Any, constant: bool, output: bool) -> bytes:
    flags = constant * CONSTANT | output * OUTPUT
    encoded = bytes([TYPES[tensor.type], flags, len(tensor.shape), *tensor.shape, SCALE, ZERO_POINT, RANDOM])
    return encoded + (bytes([HONEST, ALIGNED]) if constant else b"")


def _node(operator: Any, code: Any) -> bytes:
    if code.customCode:
        kind = CUSTOM_KINDS.index(code.customCode)
        options = b"" if operator.customOptions is None else bytes(operator.customOptions)
        tail = struct.pack("<H", len(options)) + options
    else:
        kind = len(CUSTOM_KINDS) + BUILTIN_KINDS.index(code.builtinCode)
        options = operator.builtinOptions
        tail = bytes([getattr(options, "fusedActivationFunction", 0)])
        if code.builtinCode == Builtin.BATCH_MATMUL:
            tail = bytes([options.adjX + 2 * options.adjY])
        if code.builtinCode == Builtin.MAX_POOL_2D:
            padding = 1 + options.padding  # the file's enumeration begins with SAME, the runtime's with unknown
            tail += bytes([padding, options.strideW, options.strideH, options.filterWidth, options.filterHeight])
    inputs, outputs = [index & 0xFF for index in operator.inputs], list(operator.outputs)
    return bytes([kind, len(inputs), *inputs, len(outputs), *outputs]) + tail


def models() -> Iterator[bytes]:
    """Small models of every operator in its forms."""
    for output in ("float", "int8", "bits"):
        for padding in ("same_one", "same_zero", "valid"):
            yield BconvCase(0, channels=40, outputs=24, padding=padding, output=output).model()
        yield BconvCase(1, channels=96, outputs=51, groups=3, output=output, activation=3).model()
        yield BconvCase(2, batch=2, size=(2, 3), channels=64, outputs=70, stride=(2, 1), dilation=(1, 3)).model()
    for dtype in (np.float32, np.int8, np.bool_):
        values, words = TensorSpec((1, 3, 2, 40), dtype, scale=0.03), TensorSpec((1, 3, 2, 2), np.int32)
        yield single_operator("LceQuantize", [values], words)
        yield single_operator("LceDequantize", [words], values)
    yield network()[0]
    yield _pooling()
    yield float_pool(Pool(2, (6, 5), (3, 2), (2, 1), valid=False), 40)
    yield float_pool(Pool(1, (2, 2), (3, 3), (1, 1), valid=True), 70)
    yield Product([(2, 1, 7, 40), (3, 5, 40)], ("signs", "signs"), ("MUL", "ADD", "sign")).flatbuffer
    yield Product([(1, 3, 33), (2, 66, 33)], ("signs", "constant")).flatbuffer
    yield _late_product()
    yield _two_partitions()
    yield _packed_constant()
    yield sum_of_two()[0]
    residual = [("MUL", "row", 1, False), ("ADD", "row", 0, False), ("ADD", "earlier", 0, True)]
    others = [("SUB", "scalar", 2, True), ("PRELU", "row", 0, False), ("RELU6", "row", 0, False)]
    swapped = [("SUB", "row", 0, False), ("ADD", "earlier", 0, False)]
    gated = [("ADD", "image", 0, False), ("RELU", "row", 0, False), ("MUL", "gate", 3, True)]
    for number, steps in enumerate((residual, others, swapped, gated)):
        yield GlueModel(number, 1, (3, 5), 33 + number, steps, {"inner", "second"}).flatbuffer
        yield GlueModel(number, 2, (3, 2), 64, steps, {"second"}).flatbuffer
    for kind in ("one image", "one column", "a number each"):  # beside which a larger batch is not fused
        yield build("fused", ("SUB", 1), OPERANDS[kind](1), False)[0]
        yield build("sign", ("MUL", 0), OPERANDS[kind](1), True)[0]


def _pooling() -> bytes:
    pool = {"padding": 0, "filter_height": 3, "filter_width": 2, "stride_height": 2, "stride_width": 1}
    values, words = TensorSpec((1, 7, 6, 40)), TensorSpec((1, 7, 6, 2), np.int32)
    pooled, again = TensorSpec((1, 4, 6, 2), np.int32), TensorSpec((1, 4, 6, 40))
    return chain(
        [
            ("LceQuantize", [values], words, b""),
            ("LceBMaxPool2d", [words], pooled, pool),
            ("LceDequantize", [pooled], again, b""),
        ]
    )


def _two_partitions() -> bytes:
    values, words = TensorSpec((2, 3, 4, 33)), TensorSpec((2, 3, 4, 2), np.int32)
    back, again, more = TensorSpec((2, 3, 4, 33)), TensorSpec((2, 3, 4, 33)), TensorSpec((2, 3, 4, 2), np.int32)
    return chain(
        [
            ("LceQuantize", [values], words, b""),
            ("LceDequantize", [words], back, b""),
            ("Foreign", [back], again, b""),
            ("LceQuantize", [again], more, b""),
        ]
    )


def _late_product() -> bytes:
    """Of signs that another partition unpacked."""
    left, words, signs = TensorSpec((2, 5, 40)), TensorSpec((2, 5, 2), np.int32), TensorSpec((2, 5, 40))
    right, more, others = TensorSpec((2, 6, 40)), TensorSpec((2, 6, 2), np.int32), TensorSpec((2, 6, 40))
    between = TensorSpec((2, 6, 40))
    return chain(
        [
            ("LceQuantize", [left], words, b""),
            ("LceDequantize", [words], signs, b""),
            ("Foreign", [right], between, b""),
            ("LceQuantize", [between], more, b""),
            ("LceDequantize", [more], others, b""),
            ("BATCH_MATMUL", [signs, others], TensorSpec((2, 5, 6)), {"adjX": False, "adjY": True}),
        ]
    )


def _packed_constant() -> bytes:
    words, signs = TensorSpec.constant(np.zeros((2, 3, 2), np.int32)), TensorSpec((2, 3, 40))
    values, result = TensorSpec((2, 3, 40)), TensorSpec((2, 3, 40))
    return chain([("LceDequantize", [words], signs, b""), ("Foreign", [values, signs], result, b"")])


def requests() -> Iterator[bytes]:
    """Questions of the protocol, and the texts of a string that need an escape."""
    yield Question(ask="describe").encode()
    request = Request(engine="delegate", kernel="auto", path="m.tflite", threads=2, runs=50, warmup=3, max_seconds=9.5)
    yield request.encode()
    yield request.model_copy(update={"warmup": None, "cpus": [4, 5, 6, 7], "inputs": "in", "samples": 4}).encode()
    yield rb'{"protocol": 2, "ask": "measure", "path": "\u00e9\ud83e\udd94\"\\\/\b\f\n\r\t", "cpus": []}'
    yield b'{"protocol": 2.0e0, "ask": null, "peak": true, "operators": false, "runs": -1}'


def main(folder: Path) -> None:
    """Writes all of them."""
    for name in ("delegate", "options", "request"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, request in enumerate(requests()):
        (folder / "request" / f"{number}").write_bytes(request)
    for number, flatbuffer in enumerate(models()):
        for operator in read_model(flatbuffer).subgraphs[0].operators:
            options = b"" if operator.customOptions is None else bytes(operator.customOptions)
            (folder / "options" / f"{number}").write_bytes(options)
        for isa in ISAS:
            (folder / "delegate" / f"{number}-{isa}").write_bytes(encode(flatbuffer, isa, threads=3 * (number % 2)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
