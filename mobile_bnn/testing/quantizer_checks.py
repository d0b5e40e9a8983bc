"""Checks of a method's two quantizers: values and gradients, on ordinary and nasty inputs."""

import numpy as np

from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods import Method
from mobile_bnn.methods.curves import values_and_gradient
from mobile_bnn.typing import Array, LarqQuantizer

_MOST_VALUES = 256  # of a quantizer of 8 bits, the most that one may have
_TINY = np.finfo(np.float32).smallest_subnormal
_EDGES = np.array([0.0, -0.0, _TINY, -_TINY, 1e-30, -1e-30, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 1e30, -1e30], np.float32)


def check_quantizers(method: Method) -> None:
    """Few finite values, the same each time, finite gradients; a kernel's gradient passes, and padding is a value."""
    rng = np.random.default_rng(0)
    if quantizer := method.input_quantizer():
        levels = _check_values("input_quantizer", quantizer, np.linspace(-4, 4, 1001, dtype=np.float32)[:, None])
        _check_values("input_quantizer", quantizer, _EDGES[:, None])  # of one channel, too
        assert method.pad_value in levels, f"pad_value {method.pad_value} is not one of the input's values {levels}"
    if quantizer := method.kernel_quantizer():
        kernel = rng.normal(0, 0.5, (3, 3, 4, 5)).astype(np.float32)
        for each in (kernel, np.zeros((3, 3, 2, 2), np.float32), np.full((1, 1, 1, 2), 0.3, np.float32)):
            _check_kernel(method, each)
        assert np.any(values_and_gradient(quantizer, kernel)[1]), "kernel_quantizer lets no gradient pass"


def _check_kernel(method: Method, kernel: Array) -> None:
    """The values of each filter are few; dead filters and those of one weight have finite ones."""
    quantizer = method.kernel_quantizer()  # another one, for a quantizer may have variables of the kernel's shape
    assert quantizer
    for channel in range(kernel.shape[-1]):
        _check_values("kernel_quantizer", lambda x, channel=channel: quantizer(x)[..., channel], kernel)


def _check_values(what: str, quantizer: LarqQuantizer, x: Array) -> Array:
    """The distinct values of a quantizer: finite, few and the same again; its gradient is finite too."""
    y = quantizer(tf.constant(x))
    assert np.isfinite(y).all(), f"{what} gives a value that is not finite for {x.ravel()[:5]}…"
    np.testing.assert_array_equal(quantizer(tf.constant(x)), y, f"{what} gives other values the second time")
    _, gradient = values_and_gradient(quantizer, x)
    assert np.isfinite(gradient).all(), f"{what} has a gradient that is not finite for {x.ravel()[:5]}…"
    values: Array = np.unique(y)
    assert len(values) <= _MOST_VALUES, f"{what} gives {len(values)} different values"
    return values
