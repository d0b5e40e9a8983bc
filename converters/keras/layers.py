"""The binary layers of a Keras model: which layers are declared binary, and what goes into them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Array, KerasFunction, KerasLayer, KerasModel, KerasTensor


@dataclass(frozen=True)
class Call:
    """What one call of a binary layer got.

    Attributes:
        layer: the name.
        quantizer: of its input.
        real: [N, ..., C] before the quantizer.
        quantized: the same after it.
        replaced: whether the layer computed with something else.
    """

    layer: str
    quantizer: KerasFunction
    real: Array
    quantized: Array
    replaced: bool


def flatten(model: KerasModel) -> Iterator[KerasLayer]:
    """All layers of a model, those of nested models included, in the model's order."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from flatten(layer)
        else:
            yield layer


def binary_layers(model: KerasModel) -> list[KerasLayer]:
    """The layers with a quantizer for their input and one for a kernel: those that are declared binary."""
    return [
        layer for layer in flatten(model) if getattr(layer, "input_quantizer", None) and has_kernel_quantizer(layer)
    ]


def has_kernel_quantizer(layer: KerasLayer) -> bool:
    """Whether a layer quantizes a kernel."""
    return any(getattr(layer, f"{name}_quantizer", None) for name in ("kernel", "depthwise", "pointwise"))


def run_recorded(
    model: KerasModel,
    inputs: Sequence[Array],
    replace: Callable[[str, Array], Array | None] = lambda layer, quantized: None,
) -> tuple[list[Array], list[Call]]:
    """Runs a model and records the inputs of its binary layers, in the order of their calls.

    Args:
        model: a Keras model.
        inputs: float32 [N, ...], one array for each input of the model.
        replace: of a layer's name and its quantized input, what it computes with instead, if anything.

    Returns:
        The model's outputs, and a record for every call of every binary layer. Nested models and layers that are called
        more than once are recorded too, because the quantizers are watched while the model runs eagerly.
    """
    calls: list[Call] = []
    layers = binary_layers(model)
    quantizers = [layer.input_quantizer for layer in layers]

    def watch(name: str, quantizer: KerasFunction) -> KerasFunction:
        def watched(x: KerasTensor) -> KerasTensor:
            quantized = quantizer(x)
            other = replace(name, quantized.numpy())
            calls.append(Call(name, quantizer, x.numpy(), quantized.numpy(), other is not None))
            return quantized if other is None else tf.constant(other, quantized.dtype)

        return watched

    try:
        for layer, quantizer in zip(layers, quantizers, strict=True):
            layer.input_quantizer = watch(layer.name, quantizer)
        given = [tf.constant(values) for values in inputs]
        outputs = model(given if len(given) > 1 else given[0], training=False)
    finally:
        for layer, quantizer in zip(layers, quantizers, strict=True):
            layer.input_quantizer = quantizer
    return [output.numpy() for output in tf.nest.flatten(outputs)], calls
