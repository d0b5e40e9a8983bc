"""Batches of other sizes than the file's: all at once where each sample is computed by itself, else in pieces.

A file of a fixed batch may be given another one, and its runtime resizes all that hangs on it. That is right where
every operator treats the first dimension as the samples: a RESHAPE to fixed sizes fails, and a mean over the batch or a
branch that hangs on all samples would compute something else without a word.
"""

from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert.schema_py_generated import ModelT, OperatorT, TensorT

from mobile_bnn.errors import UsageError
from mobile_bnn.runtime.describe import constant, operator_name
from mobile_bnn.runtime.lce import OPERATORS
from mobile_bnn.typing import Array
from mobile_bnn.wording import plural

_BY_SAMPLE = frozenset(
    {
        *OPERATORS,
        *("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "L2_POOL_2D", "RESIZE_BILINEAR"),
        *("RESIZE_NEAREST_NEIGHBOR", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "PRELU", "CAST", "QUANTIZE", "DEQUANTIZE"),
        *(
            "RELU",
            "RELU6",
            "RELU_N1_TO_1",
            "RELU_0_TO_1",
            "LEAKY_RELU",
            "ELU",
            "GELU",
            "TANH",
            "LOGISTIC",
            "HARD_SWISH",
        ),
        *("ABS", "NEG", "SIGN", "SQRT", "RSQRT", "SQUARE", "EXP", "LOG", "ROUND", "FLOOR", "CEIL", "SOFTMAX"),
        *("LOG_SOFTMAX", "SIN", "COS", "LOGICAL_NOT"),
        *("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "POW", "FLOOR_DIV", "FLOOR_MOD", "SQUARED_DIFFERENCE"),
        *("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "EQUAL", "NOT_EQUAL", "LOGICAL_AND", "LOGICAL_OR"),
        *("SELECT", "SELECT_V2"),
    }
)
_REDUCING = frozenset({"MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL"})


def fixed_batch(model: ModelT) -> int | None:
    """The batch that all inferences of a file must have, None if it computes each sample of any batch by itself."""
    graph = model.subgraphs[0]
    inputs = [graph.tensors[index] for index in graph.inputs]
    sizes = {int(tensor.shape[0]) if tensor.shape is not None and len(tensor.shape) else 0 for tensor in inputs}
    if len(sizes) != 1 or 0 in sizes or all(_is_open(tensor) for tensor in inputs):
        return None
    (batch,) = sizes
    if len(model.subgraphs) > 1:
        return batch
    return None if all(_is_by_sample(model, operator, batch) for operator in graph.operators) else batch


def _is_open(tensor: TensorT) -> bool:
    signature = tensor.shapeSignature
    return signature is not None and len(signature) > 0 and int(signature[0]) < 0


def _is_by_sample(model: ModelT, operator: OperatorT, batch: int) -> bool:
    """Whether an operator's first dimension is the batch before and after it, and nothing else comes of that."""
    name, tensors = operator_name(model, operator), model.subgraphs[0].tensors
    inputs = [tensors[index] for index in operator.inputs if index >= 0]
    outputs = [tensors[index] for index in operator.outputs]
    computed = [tensor for tensor in inputs if constant(model, tensor) is None]
    shapes = [_shape(tensor) for tensor in (*computed, *outputs)]
    if not computed or any(not shape or shape[0] != batch for shape in shapes):
        return all(constant(model, tensor) is not None for tensor in inputs)
    if name in _BY_SAMPLE:
        return True
    rank, values = len(shapes[0]), [_integers(model, tensor) for tensor in inputs[1:]]
    first = values[0] if values else None
    if name == "CONCATENATION":
        axis: int = getattr(operator.builtinOptions, "axis", 0)  # a damaged file may have options of another operator
        return axis % rank != 0
    if name == "FULLY_CONNECTED":
        return len(shapes[0]) == 2 and len(computed) == 1
    if first is None:
        return False
    if name in _REDUCING:
        return bool((first % rank != 0).all())
    if name == "RESHAPE":  # which the others of its sizes tell the first one
        return bool(first.size and first[0] == -1)
    if name in ("PAD", "PADV2", "MIRROR_PAD"):
        return first.size % 2 == 0 and not first.reshape(-1, 2)[0].any()
    return name == "TRANSPOSE" and bool(first[0] == 0)


def _shape(tensor: TensorT) -> tuple[int, ...]:
    return () if tensor.shape is None else tuple(int(size) for size in tensor.shape)


def _integers(model: ModelT, tensor: TensorT) -> Array | None:
    content = constant(model, tensor)
    return None if content is None or content.size % 4 else np.frombuffer(content.tobytes(), np.int32)


def in_pieces(run: Callable[[Sequence[Array]], list[Array]], arrays: Sequence[Array], batch: int) -> list[Array]:
    """Runs arrays [N, ...] in batches of one size, and joins the outputs.

    A remainder is filled up with samples, whose outputs are cut off.

    Raises:
        UsageError: an output is not one of samples, or those that fill up a batch change what the others give.
    """
    count, parts = len(arrays[0]), list[list[Array]]()
    for start in range(0, count, batch):
        piece = [array[start : start + batch] for array in arrays]
        own = len(piece[0])
        if own == batch:
            parts.append(_cut(run(piece), own, batch))
            continue
        filled, zeros = ([_filled(array, batch, value) for array in piece] for value in (-1, None))
        first, second = (_cut(run(each), own, batch) for each in (filled, zeros))
        if not all(map(_equal, first, second)):
            raise _whole(count, batch, "the samples of a batch change what the others give")
        parts.append(first)
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _filled(array: Array, batch: int, row: int | None) -> Array:
    """A whole batch, of whose last samples each is a row of the array, or 0."""
    more = np.zeros((batch - len(array), *array.shape[1:]), array.dtype)
    if row is not None:
        more[:] = array[row]
    return np.concatenate([array, more])


def _cut(outputs: list[Array], own: int, batch: int) -> list[Array]:
    if any(output.ndim == 0 or len(output) % batch for output in outputs):
        raise _whole(own, batch, "an output has no rows for the samples")
    return [output[: own * (len(output) // batch)] for output in outputs]


def _equal(one: Array, other: Array) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def _whole(count: int, batch: int, why: str) -> UsageError:
    samples = plural(count, "sample")
    return UsageError(f"the file takes batches of {batch}, not {samples}", why=why, cure="Give whole batches")
