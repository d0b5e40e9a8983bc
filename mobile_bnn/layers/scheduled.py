"""Quantities of quantizers and layers that follow the training's progress."""

from collections.abc import Iterator

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasModel, KerasVariable, LarqQuantizer


def schedule_variable(value: float, name: str) -> KerasVariable:
    """A float32 scalar that no optimizer trains; every replica of a strategy sets it to the same value."""
    return tf.Variable(
        value,
        trainable=False,
        dtype=tf.float32,
        name=name,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def quantizers_of(model: KerasModel) -> Iterator[LarqQuantizer]:
    """Every quantizer of a model's layers, those of inputs and those of kernels."""
    for layer in model.submodules:
        for name in ("input_quantizer", "kernel_quantizer", "depthwise_quantizer", "pointwise_quantizer"):
            if (quantizer := getattr(layer, name, None)) is not None:
                yield quantizer
