"""The binary layers of a Keras model: which layers asked for binarization, and what goes into them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.legacy_keras import larq, tf

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class LayerInput:
    """What one call of a binary layer got: `real` before its input quantizer and `quantized` after it, [N, ..., C]."""

    layer: str
    real: Array
    quantized: Array


def flatten(model: Any) -> Iterator[Any]:
    """All layers of a model, those of nested models included, in the model's order."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from flatten(layer)
        else:
            yield layer


def binary_layers(model: Any) -> list[Any]:
    """The layers with a quantizer for their input and one for their kernel: those that asked to be binary."""
    return [
        layer
        for layer in flatten(model)
        if getattr(layer, "input_quantizer", None) and getattr(layer, "kernel_quantizer", None)
    ]


def kernel_signs(layer: Any) -> Array:
    """The quantized kernel's sign bits, bool, True for −1, in Keras's order of dimensions."""
    return np.signbit(quantized_kernel(layer))


def quantized_kernel(layer: Any) -> Array:
    """The kernel as the layer computes with it, in Keras's order of dimensions."""
    with larq.context.quantized_scope(True):
        kernel: Array = tf.convert_to_tensor(layer.kernel).numpy()
    return kernel


def run_recorded(model: Any, images: Array) -> tuple[Array, list[LayerInput]]:
    """Runs a model and records the inputs of its binary layers, in the order of their calls.

    Args:
        model: a Keras model.
        images: float32 [N, H, W, C].

    Returns:
        The model's output, and a record for every call of every binary layer. Nested models and layers that are called
        more than once are recorded too, because the quantizers are watched while the model runs eagerly.
    """
    calls: list[LayerInput] = []
    layers = binary_layers(model)
    quantizers = [layer.input_quantizer for layer in layers]

    def watch(name: str, quantizer: Any) -> Any:
        def watched(x: Any) -> Any:
            quantized = quantizer(x)
            calls.append(LayerInput(name, x.numpy(), quantized.numpy()))
            return quantized

        return watched

    try:
        for layer, quantizer in zip(layers, quantizers, strict=True):
            layer.input_quantizer = watch(layer.name, quantizer)
        output = model(tf.constant(images), training=False)
    finally:
        for layer, quantizer in zip(layers, quantizers, strict=True):
            layer.input_quantizer = quantizer
    return output.numpy(), calls
