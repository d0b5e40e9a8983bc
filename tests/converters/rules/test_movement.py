"""Movement of data between a sign and a convolution: the convolution is binary, and words move where they can."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from lowered import check, convolve, sign
from test_binary_convolution import filter_of

from mobile_bnn.legacy_keras import tf

SHAPE = (1, 4, 6, 64)
generator = np.random.default_rng(3)
SHIFT = generator.integers(-2, 3, 64).astype(np.float32)
GAMMA = generator.normal(size=64).astype(np.float32)


def one_by_one(channels: int) -> Any:
    return filter_of("sign", (1, 1, channels, 5))


def three(channels: int) -> Any:
    return filter_of("sign", (3, 3, channels, 5))


def nchw(x: Any) -> Any:
    return tf.transpose(x, (0, 3, 1, 2))


def nhwc(x: Any) -> Any:
    return tf.transpose(x, (0, 2, 3, 1))


def pad(x: Any, value: float = 0.0) -> Any:
    return tf.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=value)


# From the network's input to the convolution's, the convolution's channels, and the operators that are left.
CASES: dict[str, tuple[Callable[[Any], Any], int, dict[str, int]]] = {
    "reshape of the map": (lambda x: tf.reshape(sign(x), (1, 6, 4, 64)), 64, {"RESHAPE": 1}),
    "reshape to more channels": (lambda x: tf.reshape(sign(x - SHIFT), (1, 4, 3, 128)), 128, {"RESHAPE": 1}),
    "reshape to fewer": (lambda x: tf.reshape(sign(x * GAMMA - SHIFT), (1, 8, 6, 32)), 32, {"RESHAPE": 1}),
    "reshape through words": (lambda x: tf.reshape(sign(x), (1, 8, 12, 16)), 16, {"RESHAPE": 1}),
    "flatten": (lambda x: tf.reshape(sign(x), (1, 1, 1, -1)), 1536, {"RESHAPE": 1}),
    "transpose of the map": (lambda x: tf.transpose(sign(x - 1), (0, 2, 1, 3)), 64, {"TRANSPOSE": 1}),
    "transpose of channels": (lambda x: tf.transpose(sign(x), (0, 1, 3, 2)), 6, {"TRANSPOSE": 1}),
    "PyTorch's bools": (
        lambda x: nhwc(tf.where(nchw(x + SHIFT >= 0), 1.0, -1.0)),
        64,
        {"TRANSPOSE": 0, "SELECT_V2": 0, "ADD": 1},
    ),
    "PyTorch's thresholds": (
        lambda x: nhwc(sign(nchw(x) + SHIFT.reshape(1, 64, 1, 1))),
        64,
        {"TRANSPOSE": 0, "ADD": 1},
    ),
    "PyTorch's sum": (lambda x: nhwc(sign(nchw(x) + nchw(tf.reverse(x, [1])))), 64, {"TRANSPOSE": 0, "ADD": 1}),
    "concatenation": (lambda x: tf.concat([sign(x), sign(-x - SHIFT)], -1), 128, {"CONCATENATION": 1}),
    "concatenation through words": (
        lambda x: tf.concat([sign(x[..., :20] - 1), sign(x[..., 20:50])], -1),
        50,
        {"CONCATENATION": 1},
    ),
    "concatenation of maps": (lambda x: tf.concat([sign(x), sign(x + 1)], 1), 64, {"CONCATENATION": 1, "ADD": 1}),
    "slice": (lambda x: sign(x - SHIFT)[..., 32:], 32, {"STRIDED_SLICE": 1}),
    "slice through words": (lambda x: sign(x)[..., 16:48], 32, {"STRIDED_SLICE": 1}),
    "slice of the map": (lambda x: sign(x)[:, 1:, ::2], 64, {"STRIDED_SLICE": 1}),
    "slice of the end": (lambda x: sign(x)[..., -32:], 32, {"STRIDED_SLICE": 1}),
    "slice by sizes": (lambda x: tf.slice(sign(x), (0, 1, 0, 32), (1, 3, 6, 32)), 32, {}),
    "depth to space": (lambda x: tf.nn.depth_to_space(sign(x), 2), 16, {"DEPTH_TO_SPACE": 1}),
    "padding": (lambda x: sign(pad(x)), 64, {"PAD": 0, "PADV2": 0}),
    "padding with -1": (lambda x: sign(pad(x, -1.0)), 64, {}),
    "heaviside": (lambda x: tf.reshape(tf.cast(x > 0.5, tf.float32), (1, 6, 4, 64)), 64, {"RESHAPE": 1}),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_binary_behind(name: str) -> None:
    function, channels, kinds = CASES[name]
    weights = one_by_one(channels) if "padding" not in name else three(channels)

    def network(x: Any, weights: Any) -> Any:
        return convolve(function(x), weights, "valid")

    check(network, SHAPE, {"CONV_2D": 0, "LceBconv2d": 1, "SELECT_V2": 0, **kinds}, weights, exact=True)


def test_words_move_in_front_of_a_dense_layer() -> None:
    """Larq's order: convolution, pool, batch norm, flatten, sign."""
    first, second = filter_of("sign", (3, 3, 64, 32)), one_by_one(192)

    def network(x: Any, first: Any, second: Any) -> Any:
        y = tf.nn.max_pool2d(convolve(sign(x), first), 2, 2, "VALID") * np.abs(GAMMA[:32]) + SHIFT[:32]
        return convolve(sign(tf.reshape(y, (1, 1, 1, 192))), second, "valid")

    kinds = {"LceQuantize": 1, "LceBconv2d": 2, "LceBMaxPool2d": 1, "RESHAPE": 1}
    graph = check(network, SHAPE, kinds, first, second, exact=True)
    assert len(graph.operators) == 5


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_padding_of_words_between_two_convolutions(value: float) -> None:
    """PyTorch's padding with stride 2, which SAME is not."""
    first, second = filter_of("sign", (3, 3, 64, 32)), three(32)

    def network(x: Any, first: Any, second: Any) -> Any:
        return convolve(sign(pad(convolve(sign(x), first) - SHIFT[:32], value)), second, "valid", 2)

    kinds = {"LceQuantize": 1, "LceBconv2d": 2, "SUB": 0}
    check(network, SHAPE, kinds, first, second, exact=True)


def test_split_into_groups() -> None:
    first, second = one_by_one(32), filter_of("sign", (1, 1, 32, 5), 1)

    def network(x: Any, first: Any, second: Any) -> Any:
        left, right = tf.split(sign(x - SHIFT), 2, -1)
        return convolve(left, first, "valid") * convolve(right, second, "valid")

    check(network, SHAPE, {"LceQuantize": 1, "SPLIT": 1, "LceBconv2d": 2}, first, second, exact=True)


def test_uneven_split() -> None:
    first, second = one_by_one(32), filter_of("sign", (1, 1, 32, 5), 1)

    def network(x: Any, first: Any, second: Any) -> Any:
        left, _, right = tf.split(sign(x), (32, 0, 32), -1)
        return convolve(left, first, "valid") * convolve(right, second, "valid")

    check(network, SHAPE, {"LceQuantize": 1, "SPLIT_V": 1, "LceBconv2d": 2}, first, second, exact=True)
