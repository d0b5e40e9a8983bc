"""Quantizers by what they do, for methods: importing this loads no TensorFlow, calling does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mobile_bnn.errors import UsageError
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.typing import KerasModel, LarqQuantizer, TfTensor


@contextmanager
def made_in_float32() -> Iterator[None]:
    """Quantizers that are made within compute in float32, also in mixed precision: Keras would cast their inputs."""
    from mobile_bnn.legacy_keras import tf

    policy = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("float32")
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(policy)


def sign(
    estimator: str = "straight_through",
    parameter: float = 1.0,
    *,
    prepare: str = "unchanged",
    scale: str = "one",
    scheduled: bool = False,
) -> LarqQuantizer:
    """`layers.sign_quantizer.Sign` with these arguments."""
    from mobile_bnn.layers.sign_quantizer import Sign

    return Sign(estimator, parameter, prepare, scale, scheduled)


def keeps_signs(quantizer: LarqQuantizer | None) -> bool:
    """Whether a quantizer without trainable weights returns a kernel of ±1 as it is."""
    from mobile_bnn.legacy_keras import tf

    if quantizer is None:
        return False
    mixed = tf.reshape(tf.where(tf.range(180) % 7 < 3, 1.0, -1.0), (3, 3, 4, 5))
    kernel = tf.concat([mixed, tf.ones((3, 3, 4, 1)), -tf.ones((3, 3, 4, 1))], axis=-1)
    same = bool(tf.reduce_all(quantizer(kernel) == kernel))
    return same and not getattr(quantizer, "trainable_weights", ())


_SHARPNESS = (0.1, 10.0)  # of error_decay at the start and at the end (IR-Net, equation 14)
_PARAMETERS = {"sign_swish": 5.0, "error_decay": _SHARPNESS[0]}  # of estimators that have another than 1


def sign_with_gradient(quantizer: LarqQuantizer | None, estimator: str, method: str) -> LarqQuantizer:
    """A sign with another gradient.

    Args:
        quantizer: a sign of its input alone: Larq's, or `layers.sign_quantizer.Sign` without a scale.
        estimator: a name of `layers.estimators.ESTIMATORS`.
        method: whose quantizer it is, for the message.

    Raises:
        UsageError: it is something else.
    """
    from mobile_bnn.layers.sign_quantizer import Sign
    from mobile_bnn.legacy_keras import larq

    signs = (larq.quantizers.SteSign, larq.quantizers.ApproxSign, larq.quantizers.SwishSign)
    if not isinstance(quantizer, signs) and not (isinstance(quantizer, Sign) and quantizer.is_plain):
        raise UsageError(
            f"{method} cannot be trained with method.input_gradient",
            why="what it makes of inputs is more than their sign",
            cure="Leave method.input_gradient out",
        )
    return sign(estimator, _PARAMETERS.get(estimator, 1.0), scheduled=estimator == "error_decay")


def scheduled_signs(model: KerasModel, value: Callable[[TfTensor], TfTensor]) -> list[Schedule]:
    """The same schedule for the estimator of every sign whose parameter is scheduled."""
    from mobile_bnn.layers.scheduled import quantizers_of
    from mobile_bnn.layers.sign_quantizer import Sign

    signs = (each for each in quantizers_of(model) if isinstance(each, Sign) and each.scheduled)
    return [Schedule(quantizer.parameter, value) for quantizer in signs]


def sharpened_signs(model: KerasModel) -> list[Schedule]:
    """The sign whose gradient grows narrower: t of every error_decay from 0.1 to 10, geometrically."""
    first, last = _SHARPNESS
    return scheduled_signs(model, lambda progress: first * (last / first) ** progress)


def soft_sign(function: str = "scaled_tanh", slope: float = 1.0) -> LarqQuantizer:
    """`layers.soft_sign.SoftSign` with these arguments."""
    from mobile_bnn.layers.soft_sign import SoftSign

    return SoftSign(function, slope)


def soft_signs(model: KerasModel) -> list[LarqQuantizer]:
    """Every `SoftSign` of a model."""
    from mobile_bnn.layers.scheduled import quantizers_of
    from mobile_bnn.layers.soft_sign import SoftSign

    return [each for each in quantizers_of(model) if isinstance(each, SoftSign)]
