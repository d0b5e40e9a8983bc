"""Looks inside a binary file: which operator is which Keras layer, and the bits that go into it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.converters.bits import unpack
from mobile_bnn.converters.layers import binary_layers, kernel_signs
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.native_output import caught_stderr
from mobile_bnn.runtime import constant, operator_name, pack, read_model
from mobile_bnn.runtime.lce import option

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class BinaryOperator:
    """A binary convolution of the file.

    Attributes:
        index: of the operator in the file.
        layer: the Keras layer whose kernel it holds, or "" if none does (up to a sign per output channel).
        channels: channels of its input.
        tensor: index of its bit-packed input tensor.
    """

    index: int
    layer: str
    channels: int
    tensor: int


def binary_operators(flatbuffer: bytes, model: Any) -> list[BinaryOperator]:
    """The LceBconv2d operators of a file, each with the Keras layer that has the same filter, bit by bit.

    Filters are compared instead of names, because converters shorten, merge and reuse names.
    """
    tree = read_model(flatbuffer)
    graph = tree.subgraphs[0]
    unused = {layer.name: kernel_signs(layer) for layer in binary_layers(model) if layer.kernel.shape.rank == 4}
    shared = dict(unused)
    found = []
    for index, operator in enumerate(graph.operators):
        if operator_name(tree, operator) != "LceBconv2d":
            continue
        packed = graph.tensors[operator.inputs[1]]
        words = constant(tree, packed)
        if words is None:
            raise MobileBnnError(f"operator {index} has no constant filter")
        filters = words.view(np.int32).reshape(packed.shape)
        # A layer that is called twice appears twice: it is looked for among the used ones last.
        layer = _holder_of(filters, unused) or _holder_of(filters, shared)
        unused.pop(layer, None)
        found.append(BinaryOperator(index, layer, option(operator, "channels_in"), operator.inputs[0]))
    return found


def _holder_of(filters: npt.NDArray[np.int32], kernels: dict[str, Array]) -> str:
    """The name of the kernel [kh, kw, in, out] that equals the packed filters [out, kh, kw, words], or ""."""
    for name, signs in kernels.items():
        out, height, width, words = filters.shape
        if signs.shape[:2] != (height, width) or signs.shape[3] != out or -(-signs.shape[2] // 32) != words:
            continue
        # A batch norm's negative factor may have been folded into a filter: it is the same filter, negated.
        differs = (unpack(filters, signs.shape[2]) ^ signs.transpose(3, 0, 1, 2)).reshape(out, -1)
        if (differs == differs[:, :1]).all():
            return name
    return ""


class Probe:
    """A binary file in LCE's interpreter that also returns what goes into each binary convolution."""

    def __init__(self, flatbuffer: bytes, operators: list[BinaryOperator]) -> None:
        tree = read_model(flatbuffer)
        graph = tree.subgraphs[0]
        self._outputs = len(graph.outputs)
        self._operators = operators
        graph.outputs = [*graph.outputs, *(operator.tensor for operator in operators)]
        tree.signatureDefs = []  # a signature lists the outputs as they were
        self._interpreter = interpreter(pack(tree))

    def run(self, images: Array) -> tuple[Array, list[Array]]:
        """Runs float32 images [N, H, W, C].

        Returns:
            The first output [N, ...], and for each operator its input's sign bits, bool [N, H, W, channels].
        """
        outputs = self._interpreter.predict(images)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        packed = outputs[self._outputs :]
        return outputs[0], [
            unpack(words, operator.channels) for words, operator in zip(packed, self._operators, strict=True)
        ]


def interpreter(flatbuffer: bytes) -> Any:
    """LCE's interpreter, whose `predict` takes a batch and runs it one by one.

    Raises:
        MobileBnnError: it refuses the file.
    """
    with caught_stderr() as printed:
        from larq_compute_engine.tflite.python.interpreter import Interpreter

        try:
            return Interpreter(flatbuffer)
        except (RuntimeError, ValueError) as error:
            cause = first_line(error)
    told = [line for line in printed if line.startswith("ERROR")]
    raise MobileBnnError("LCE's interpreter refuses the file", why=told[0] if told else cause)
