"""The binary layers of a Keras model: which layers are declared binary, and what goes into them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Array, KerasFunction, KerasLayer, KerasModel, KerasTensor

# TensorFlow has it on by itself on some CPUs only.
_ONE_DNN = "For channels_first on a CPU set TF_ENABLE_ONEDNN_OPTS=1 in the environment"


@dataclass(frozen=True)
class Call:
    """What one call of a binary layer got.

    Attributes:
        layer: the name.
        quantizer: of its input.
        real: [N, ..., C] before the quantizer; of a layer of channels_first too.
        quantized: the same after it.
        replaced: whether the layer computed with something else.
    """

    layer: str
    quantizer: KerasFunction
    real: Array
    quantized: Array
    replaced: bool


def flatten(model: KerasModel) -> Iterator[KerasLayer]:
    """All layers of a model, each once, in the model's order.

    Those of nested models are among them, and after a layer those that it consists of: the cell of an RNN, what
    TimeDistributed wraps, the parts of a block of one's own.
    """
    seen = set[int]()
    for layer in _layers(model):
        if id(layer) not in seen:
            seen.add(id(layer))
            yield layer


def _layers(model: KerasModel) -> Iterator[KerasLayer]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield layer
            yield from _parts(layer)


def _parts(layer: KerasLayer) -> Iterator[KerasLayer]:
    """What a layer consists of. Keras knows that of its own layers; one of somebody else may keep layers in modules."""
    if type(layer).__module__.partition(".")[0] in ("tf_keras", "keras", "larq"):
        return iter(layer._flatten_layers(include_self=False))
    return (part for part in layer.submodules if isinstance(part, tf.keras.layers.Layer))


def binary_layers(model: KerasModel) -> list[KerasLayer]:
    """The layers with a quantizer for their input and one for a kernel: those that are declared binary."""
    return [
        layer for layer in flatten(model) if getattr(layer, "input_quantizer", None) and has_kernel_quantizer(layer)
    ]


def _quantizers(model: KerasModel) -> Iterator[tuple[KerasLayer, str, KerasFunction]]:
    """What makes signs or other levels of a binary layer's input: the layer, its attribute's name, and the quantizer.

    A layer that makes several signs of one input, each of what the others leave over, has a `plane_quantizer`.
    """
    for layer in flatten(model):
        for attribute in ("input_quantizer", "plane_quantizer"):
            if has_kernel_quantizer(layer) and (quantizer := getattr(layer, attribute, None)):
                yield layer, attribute, quantizer


def has_kernel_quantizer(layer: KerasLayer) -> bool:
    """Whether a layer quantizes a kernel."""
    return any(getattr(layer, f"{name}_quantizer", None) for name in ("kernel", "depthwise", "pointwise"))


@dataclass(frozen=True)
class _Layout:
    """Where a layer has its channels."""

    channels_first: bool

    def channels_last(self, values: Array) -> Array:
        """A layer's [N, C, ...] as the file has it."""
        return np.moveaxis(values, 1, -1) if self.channels_first else values

    def own(self, values: Array) -> Array:
        """The file's [N, ..., C] as the layer takes it."""
        return np.moveaxis(values, -1, 1) if self.channels_first else values


def _is_channels_first(layer: KerasLayer) -> bool:
    return getattr(layer, "data_format", None) == "channels_first"


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

    Raises:
        MobileBnnError: TensorFlow has no kernel for the model on this machine.
    """
    calls: list[Call] = []
    watched = list(_quantizers(model))

    def watch(name: str, quantizer: KerasFunction, layout: _Layout) -> KerasFunction:
        def of_real(real: Array) -> Array:
            return layout.channels_last(np.asarray(quantizer(tf.constant(layout.own(real)))))

        def recorded(x: KerasTensor) -> KerasTensor:
            quantized = quantizer(x)
            last = layout.channels_last(quantized.numpy())
            other = replace(name, last)
            calls.append(Call(name, of_real, layout.channels_last(x.numpy()), last, other is not None))
            return quantized if other is None else tf.constant(layout.own(other), quantized.dtype)

        return recorded

    try:
        for layer, attribute, quantizer in watched:
            setattr(layer, attribute, watch(layer.name, quantizer, _Layout(_is_channels_first(layer))))
        given = [tf.constant(values) for values in inputs]
        outputs = model(given if len(given) > 1 else given[0], training=False)
    except tf.errors.UnimplementedError as error:
        raise MobileBnnError(
            "TensorFlow cannot run the model on this machine, to compare it", why=first_line(error), cure=_ONE_DNN
        ) from error
    finally:
        for layer, attribute, quantizer in watched:
            setattr(layer, attribute, quantizer)
    return [output.numpy() for output in tf.nest.flatten(outputs)], calls
