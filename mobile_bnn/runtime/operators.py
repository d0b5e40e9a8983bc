"""The operator table of a .tflite file: what every operator computes, and the bytes it reads and writes."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from ai_edge_litert.schema_py_generated import ModelT, OperatorT, TensorT

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.records import Operator, Operators
from mobile_bnn.runtime.describe import constant, operator_name, tensor_bytes, tensor_name, tensor_type
from mobile_bnn.runtime.flatbuffer import read_model
from mobile_bnn.runtime.graph_hash import graph_sha256
from mobile_bnn.runtime.lce import CHANNELS_PER_WORD, OPERATORS, option
from mobile_bnn.runtime.subgraphs import reached_subgraphs

Shape = list[int]


def operator_table(source: Path | str | bytes) -> Operators:
    """Reads the operators of a .tflite file, for the batch size that stands in the file (1 as a rule).

    Those of the main graph come first, then those of the subgraphs that an inference may run, which are in loops and
    branches: they are counted once, for a file does not tell how often they run.

    MACs are multiply-accumulate operations, padding taps included, as Larq counts them; Larq leaves out matrix products
    of two activations. Such a product is binary where LceDequantize made both of its operands: our library multiplies
    their bits. A constant that several operators share is counted once, at the first of them.

    Args:
        source: a path, or the file's bytes.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: the file is malformed, or an operator's tensors do not fit it.
    """
    model = read_model(source)
    counted: set[int] = set()
    rows = [row for number, caller in reached_subgraphs(model).items() for row in _rows(model, number, caller, counted)]
    size = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
    return Operators(file_bytes=size, graph_sha256=graph_sha256(model), operators=rows)


def has_binary_operators(model: ModelT) -> bool:
    """Whether an inference may run an operator of the native library."""
    graphs = (model.subgraphs[number] for number in reached_subgraphs(model))
    return any(operator_name(model, each) in OPERATORS for graph in graphs for each in graph.operators)


def _rows(model: ModelT, number: int, caller: str, counted: set[int]) -> Iterator[Operator]:
    """Those of one subgraph; the buffers of its constants are added to `counted`."""
    tensors = model.subgraphs[number].tensors
    signs: set[int] = set()  # tensors that LceDequantize makes
    for index, operator in enumerate(model.subgraphs[number].operators):
        name = operator_name(model, operator)
        inputs = [tensors[tensor] if tensor >= 0 else None for tensor in operator.inputs]
        outputs = [tensors[tensor] for tensor in operator.outputs]
        if name == "LceDequantize":
            signs.update(operator.outputs)
        of_signs = name == "BATCH_MATMUL" and signs.issuperset(operator.inputs)
        binary_macs, float_macs = _macs(name, operator, inputs, outputs)
        if of_signs:
            binary_macs, float_macs = float_macs, 0
        yield Operator(
            index=index,
            name=name,
            layer=tensor_name(outputs[0]) if outputs else "",
            binary=name in OPERATORS or of_signs,
            output_shape=outputs[0].shape if outputs else [],
            output_type=tensor_type(outputs[0]) if outputs else "none",
            binary_macs=binary_macs,
            float_macs=float_macs,
            weight_bytes=_weight_bytes(model, inputs, counted),
            output_bytes=sum(tensor_bytes(tensor) for tensor in outputs),
            subgraph=number,
            called_as=caller,
        )


def _weight_bytes(model: ModelT, inputs: list[TensorT | None], counted: set[int]) -> int:
    total = 0
    for tensor in inputs:
        data = None if tensor is None else constant(model, tensor)
        if tensor is not None and data is not None and tensor.buffer not in counted:
            counted.add(tensor.buffer)
            total += data.nbytes
    return total


def _macs(name: str, operator: OperatorT, inputs: list[TensorT | None], outputs: list[TensorT]) -> tuple[int, int]:
    """Binary and float MACs of one operator; the shapes come from an untrusted file.

    Where a loop decides the size of a tensor the file may say nothing of its shape, not even the rank: nothing counts.
    """
    if any(tensor is not None and _is_unknown(tensor) for tensor in (*inputs, *outputs)):
        return 0, 0
    shapes = [None if tensor is None else list(tensor.shape) for tensor in inputs]
    try:
        if name == "LceBconv2d":
            return _bconv_macs(operator, _ranked(shapes[0], 4), _ranked(shapes[1], 4), _ranked(outputs[0].shape, 4)), 0
        if name == "BATCH_MATMUL":
            return 0, _matmul(operator, shapes[0], outputs[0].shape)
        count = _FLOAT_MACS.get(name)
        return 0, count(shapes, outputs[0].shape) if count else 0
    except (IndexError, ValueError) as error:
        raise MobileBnnError(f"the tensors of operator {name} do not fit it", why="the file is malformed") from error


def _is_unknown(tensor: TensorT) -> bool:
    return not tensor.shape and tensor.shapeSignature is None and not tensor.hasRank and tensor.buffer == 0


def _ranked(shape: Shape | None, rank: int) -> Shape:
    if shape is None or len(shape) != rank:
        raise ValueError(f"shape {shape} is not of rank {rank}")
    return shape


def _bconv_macs(operator: OperatorT, image: Shape, filters: Shape, output: Shape) -> int:
    """Images are NHWC, filters OHWI, both packed along the last dimension; so is a bit-packed output."""
    channels_out, height, width, filter_words = filters
    channels_in = option(operator, "channels_in")
    if image[3] != -(-channels_in // CHANNELS_PER_WORD) or filter_words < 1 or image[3] % filter_words:
        raise ValueError(f"{channels_in} channels do not fit {image[3]} words and filters of {filter_words}")
    groups = image[3] // filter_words
    return math.prod(output[:3]) * channels_out * height * width * channels_in // groups


def _convolution(shapes: list[Shape | None], output: Shape) -> int:
    return math.prod(_ranked(output, 4)) * math.prod(_ranked(shapes[1], 4)[1:])


def _depthwise(shapes: list[Shape | None], output: Shape) -> int:
    return math.prod(_ranked(output, 4)) * math.prod(_ranked(shapes[1], 4)[1:3])


def _dense(shapes: list[Shape | None], output: Shape) -> int:
    return math.prod(output) * _ranked(shapes[1], 2)[1]


def _matmul(operator: OperatorT, left: Shape | None, output: Shape) -> int:
    if left is None or len(left) < 2:
        raise ValueError(f"shape {left} is not that of matrices")
    adjoint = bool(getattr(operator.builtinOptions, "adjX", False))
    return math.prod(output) * left[-2 if adjoint else -1]


def _transposed(shapes: list[Shape | None], output: Shape) -> int:
    # Every input pixel meets every tap: inputs are the output's shape, the filters and the image.
    return math.prod(_ranked(shapes[2], 4)) * math.prod(_ranked(shapes[1], 4)[:3])


_FLOAT_MACS: dict[str, Callable[[list[Shape | None], Shape], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "TRANSPOSE_CONV": _transposed,
}
