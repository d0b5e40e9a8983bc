"""Computes a float graph in float64: where float32 gives the same numbers it has not rounded."""

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Operator
from mobile_bnn.converters.graph.tflite import TfliteModel

Arrays = list[np.ndarray]


def outputs(flatbuffer: bytes, image: np.ndarray) -> Arrays:
    """The outputs of a file of exact_networks on images [N, H, W, C], float64."""
    graph = TfliteModel.read(flatbuffer).graphs[0]
    known = {graph.inputs[0]: image.astype(np.float64)}
    for operator in graph.operators:
        inputs = [known[t] if t.values is None else _wide(t.values) for t in operator.inputs if t is not None]
        known[operator.output] = _COMPUTE[operator.op_type](operator, inputs)
    return [known[tensor] for tensor in graph.outputs]


def _wide(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64) if values.dtype == np.float32 else values


def _conv(operator: Operator, inputs: Arrays) -> np.ndarray:
    x, weights, bias = inputs
    options, (height, width) = operator.options, weights.shape[1:3]
    stride = options.strideH
    if options.padding == schema.Padding.SAME:
        amounts = []
        for size, taps in zip(x.shape[1:3], (height, width), strict=True):
            total = max((-(-size // stride) - 1) * stride + taps - size, 0)
            amounts.append((total // 2, total - total // 2))
        x = np.pad(x, [(0, 0), *amounts, (0, 0)])
    rows, columns = ((size - taps) // stride + 1 for size, taps in zip(x.shape[1:3], (height, width), strict=True))
    total = np.zeros((len(x), rows, columns, len(weights)))
    for row in range(height):
        for column in range(width):
            part = x[
                :, row : row + (rows - 1) * stride + 1 : stride, column : column + (columns - 1) * stride + 1 : stride
            ]
            total += part @ weights[:, row, column].T
    return total + bias


def _transposed(operator: Operator, inputs: Arrays) -> np.ndarray:
    """Each input adds its taps to the outputs that they reach."""
    shape, weights, x = inputs
    options, taps = operator.options, weights.shape[1:3]
    stride = options.strideH
    total = np.zeros((len(x), *(size * stride + max(taps) for size in x.shape[1:3]), len(weights)))
    for row in range(taps[0]):
        for column in range(taps[1]):
            rows, columns = (
                slice(at, at + n * stride, stride) for at, n in zip((row, column), x.shape[1:3], strict=True)
            )
            total[:, rows, columns] += x @ weights[:, row, column].T
    cut = [0, 0]
    if options.padding == schema.Padding.SAME:
        cut = [max(tap - stride, 0) // 2 for tap in taps]
    return total[:, cut[0] : cut[0] + shape[1], cut[1] : cut[1] + shape[2]]


def _windows(x: np.ndarray) -> np.ndarray:
    return np.stack([x[:, :-1, :-1], x[:, 1:, :-1], x[:, :-1, 1:], x[:, 1:, 1:]])


_COMPUTE: dict[str, Callable[[Operator, Arrays], np.ndarray]] = {
    "CONV_2D": _conv,
    "TRANSPOSE_CONV": _transposed,
    "PADV2": lambda _, i: np.pad(i[0], i[1], constant_values=i[2]),
    "MAX_POOL_2D": lambda _, i: _windows(i[0]).max(0),
    "AVERAGE_POOL_2D": lambda _, i: _windows(i[0]).mean(0),
    "CONCATENATION": lambda _, i: np.concatenate(i, 3),
    "ADD": lambda _, i: i[0] + i[1],
    "SUB": lambda _, i: i[0] - i[1],
    "MUL": lambda _, i: i[0] * i[1],
    "MINIMUM": lambda _, i: np.minimum(*i),
    "MAXIMUM": lambda _, i: np.maximum(*i),
    "ROUND": lambda _, i: np.rint(i[0]),
    "FLOOR": lambda _, i: np.floor(i[0]),
    "ABS": lambda _, i: np.abs(i[0]),
    "SIGN": lambda _, i: np.sign(i[0]),
    "CAST": lambda _, i: i[0].astype(np.float64),
    "RELU": lambda _, i: np.maximum(i[0], 0),
    "RELU6": lambda _, i: np.clip(i[0], 0, 6),
    "PRELU": lambda _, i: np.where(i[0] >= 0, i[0], i[0] * i[1]),
    "SELECT_V2": lambda _, i: np.where(*i),
    "GREATER": lambda _, i: i[0] > i[1],
    "GREATER_EQUAL": lambda _, i: i[0] >= i[1],
    "LESS": lambda _, i: i[0] < i[1],
}
