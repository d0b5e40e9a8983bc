"""What a network costs: parameters, multiply-accumulates of one image, and element visits of its float glue.

NumPy and Keras only: nothing is converted or measured.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Any

from mobile_bnn.typing import KerasLayer, KerasModel

_LINEAR = ("Conv", "Dense")  # in names of Keras's and Larq's classes
# Operators of the file for each element, where it is not one: three of a PReLU between two shifts.
_VISITS = {"ShiftedPReLU": 3, "PowerOfTwoPReLU": 3, "DPReLU": 4, "Maxout": 2, "HardSigmoid": 3}
_FREE = {"InputLayer", "Reshape", "Flatten", "Dropout"}


@dataclass(frozen=True)
class Counts:
    """Of a network and one image.

    Attributes:
        parameters: numbers that its variables hold, moving statistics too.
        inference_parameters: the same where a batch norm is a factor and a summand of each channel.
        binary_parameters: those of kernels that are binarized.
        binary_macs: multiply-accumulates of two binarized operands; one of padding counts, too.
        float_macs: all others.
        glue_visits: elements that operators between linear layers read or write, whichever are more; one visit for each
            operator and element. A batch norm right after a linear layer is a part of it.
        binary_convolutions: layers with two binarized operands.
        float_macs_by_layer: the others' by their names.
    """

    parameters: int
    inference_parameters: int
    binary_parameters: int
    binary_macs: int
    float_macs: int
    glue_visits: int
    binary_convolutions: int
    float_macs_by_layer: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def operations(self) -> float:
        """OPs as papers count them: 64 binary multiply-accumulates are one."""
        return self.binary_macs / 64 + self.float_macs

    @property
    def ideal_bytes(self) -> int:
        """Size of one bit for each binary weight, 32 for every other number that inference needs."""
        return self.binary_parameters // 8 + 4 * (self.inference_parameters - self.binary_parameters)


def of(model: KerasModel) -> Counts:
    """The counts of a Keras model whose image size is known."""
    binary = [layer for layer in model.layers if _is_linear(layer) and _is_binary(layer)]
    real = [layer for layer in model.layers if _is_linear(layer) and not _is_binary(layer)]
    by_layer = {layer.name: macs(layer) for layer in real}
    kernels = [layer.kernel for layer in model.layers if getattr(layer, "kernel_quantizer", None)]
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    folded = sum(norm.count_params() - 2 * norm.output_shape[-1] for norm in norms)
    return Counts(
        parameters=model.count_params(),
        inference_parameters=model.count_params() - folded,
        binary_parameters=sum(prod(kernel.shape) for kernel in kernels),
        binary_macs=sum(map(macs, binary)),
        float_macs=sum(by_layer.values()),
        glue_visits=sum(map(_visits, model.layers)),
        binary_convolutions=sum(map(_planes, binary)),
        float_macs_by_layer=by_layer,
    )


def macs(layer: KerasLayer) -> int:
    """Multiply-accumulates of a convolution or a dense layer, for one image."""
    kernel = layer.depthwise_kernel if hasattr(layer, "depthwise_kernel") else layer.kernel
    places = prod(_shape(layer.output_shape)[:-1])
    if type(layer).__name__ == "CirculantConv2D":  # whose kernel is a quarter of its filters
        return int(places * prod(kernel.shape[:-1]) * layer.filters)
    return places * int(prod(kernel.shape)) * _planes(layer)


def _is_linear(layer: KerasLayer) -> bool:
    name = type(layer).__name__
    return any(part in name for part in _LINEAR) and (hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel"))


def _is_binary(layer: KerasLayer) -> bool:
    quantized = getattr(layer, "input_quantizer", None) or hasattr(layer, "planes")
    return bool(quantized and getattr(layer, "kernel_quantizer", None))


def _planes(layer: KerasLayer) -> int:
    """Binary convolutions that a layer stands for; a layer that takes several signs of its input says so."""
    return int(getattr(layer, "planes", 1))


def _visits(layer: KerasLayer) -> int:
    """Of one layer: of a binary one the packing of its input."""
    name = type(layer).__name__
    if _is_linear(layer):
        return _elements(layer.input_shape) if _is_binary(layer) else 0
    if name in _FREE or (name == "BatchNormalization" and _follows_linear(layer)):
        return 0
    largest = max(_elements(layer.output_shape), *map(_elements, _shapes(layer.input_shape)))
    operands = len(layer.input) if isinstance(layer.input, list) and name in ("Add", "Multiply") else 2
    return largest * _VISITS.get(name, operands - 1)


def _follows_linear(layer: KerasLayer) -> bool:
    before = [node.layer for node in layer.inbound_nodes[0].parent_nodes]
    return all(map(_is_linear, before))


def _shapes(shape: Any) -> Iterable[tuple[int | None, ...]]:
    return shape if isinstance(shape, list) else [shape]


def _shape(shape: Any) -> tuple[int, ...]:
    """Without the batch."""
    return tuple(shape[0] if isinstance(shape, list) else shape)[1:]


def _elements(shape: Any) -> int:
    return prod(_shape(shape))
