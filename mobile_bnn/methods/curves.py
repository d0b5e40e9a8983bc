"""What a method's quantizers do to a number, forward and backward, as points of curves."""

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.method import Method
from mobile_bnn.typing import Array, KerasModel, LarqQuantizer

_X = np.linspace(-3, 3, 601, dtype=np.float32)


@dataclass(frozen=True)
class Curve:
    """A quantizer at one moment of the training.

    Attributes:
        of: "weights" or "activations".
        progress: the share of the training that is over: 0, or 1 too where a schedule changes the quantizer.
        x: float32 [n], what is quantized; the weights are one filter.
        trained: float32 [n], the values while the model trains.
        inferred: float32 [n], the values at inference.
        gradient: float32 [n], of the sum of the values while the model trains.
    """

    of: str
    progress: float
    x: Array
    trained: Array
    inferred: Array
    gradient: Array


def curves(method: Method) -> list[Curve]:
    """The curves of both quantizers, of its last phase; none for a quantizer that the method lacks."""
    return list(_curves(method.in_phase(method.phases()[-1])))


def values_and_gradient(quantizer: LarqQuantizer, x: Array) -> tuple[Array, Array]:
    """A quantizer's values while it trains, and the gradient of their sum: of x's shape, 0 where none passes."""
    tf = keras2.tf
    call: Any = getattr(quantizer, "call", quantizer)
    takes_training = "training" in signature(call).parameters
    with tf.GradientTape() as tape:
        variable = tf.Variable(x)
        y = quantizer(variable, training=True) if takes_training else quantizer(variable)
    gradient = tape.gradient(y, variable)
    return np.asarray(y), np.zeros_like(x) if gradient is None else np.asarray(gradient)


def _curves(method: Method) -> Iterator[Curve]:
    weights, activations = method.kernel_quantizer(), method.input_quantizer()
    schedules = method.all_schedules(_holder(weights, activations))
    for of, quantizer, shape in (("weights", weights, (-1, 1, 1, 1)), ("activations", activations, (1, -1, 1, 1))):
        if quantizer is None:
            continue
        for progress in (0.0, 1.0) if schedules else (0.0,):
            for schedule in schedules:
                schedule.variable.assign(schedule.value(keras2.tf.constant(progress)))
            trained, gradient = values_and_gradient(quantizer, _X.reshape(shape))
            inferred = np.asarray(quantizer(keras2.tf.constant(_X.reshape(shape))))
            yield Curve(of, progress, _X, trained.ravel(), inferred.ravel(), gradient.ravel())


def _holder(weights: LarqQuantizer | None, activations: LarqQuantizer | None) -> KerasModel:
    """A model of one layer that has these quantizers, for the schedules that look for them."""
    layer = keras2.larq.layers.QuantConv2D(
        1, (len(_X), 1), kernel_quantizer=weights, input_quantizer=activations, kernel_constraint="weight_clip"
    )
    image = keras2.layers.Input((len(_X), 1, 1))
    return keras2.tf.keras.Model(image, layer(image))
