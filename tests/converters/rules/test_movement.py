"""Movement of data between a sign and a convolution: the convolution is binary, and words move where they can."""

import float_files
import numpy as np
import pytest

from mobile_bnn.converters.graph.model import Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.binarize.convolution import rewrite as binarize_convolution
from mobile_bnn.converters.rules.canonicalize import (
    cancel_transposes,
    hoist_data_movement,
    infer_reshape_shape,
    sink_pad,
)
from mobile_bnn.converters.rules.fuse import sink_data_movement
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import filter_of, run
from tests.converters.rules.lowered import adversarial, check, convolve, lowered, sign, to_float

SHAPE, OPEN = (1, 4, 6, 64), (None, 4, 6, 64)
generator = np.random.default_rng(3)
SHIFT = generator.integers(-2, 3, 64).astype(np.float32)
GAMMA = generator.normal(size=64).astype(np.float32)


def one_by_one(channels: int) -> KerasTensor:
    return filter_of("sign", (1, 1, channels, 5))


def three(channels: int) -> KerasTensor:
    return filter_of("sign", (3, 3, channels, 5))


def nchw(x: KerasTensor) -> KerasTensor:
    return tf.transpose(x, (0, 3, 1, 2))


def nhwc(x: KerasTensor) -> KerasTensor:
    return tf.transpose(x, (0, 2, 3, 1))


def pad(x: KerasTensor, value: float = 0.0) -> KerasTensor:
    return tf.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=value)


# From the network's input to the convolution's, the convolution's channels, and the operators that are left.
CASES: dict[str, tuple[KerasFunction, int, dict[str, int]]] = {
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


# Those that cut words up.
OF_FLOATS = {
    "reshape through words",
    "transpose of channels",
    "concatenation through words",
    "slice through words",
    "depth to space",
}
NOTHING_MOVES = "no movement of data stands before it"


@pytest.mark.parametrize("name", sorted(CASES))
def test_binary_after(name: str) -> None:
    function, channels, kinds = CASES[name]
    weights = one_by_one(channels) if "padding" not in name else three(channels)

    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return convolve(function(x), weights, "valid")

    graph = check(network, SHAPE, {"CONV_2D": 0, "LceBconv2d": 1, "SELECT_V2": 0, **kinds}, weights, exact=True)
    quantizes = [operator for operator in graph.operators if operator.op_type == "LceQuantize"]
    after = [attempt(sink_data_movement, graph, quantize) != NOTHING_MOVES for quantize in quantizes]
    assert after == [name in OF_FLOATS] * len(quantizes)


def test_words_move_before_of_a_dense_layer() -> None:
    """Larq's order: convolution, pool, batch norm, flatten, sign."""
    first, second = filter_of("sign", (3, 3, 64, 32)), one_by_one(192)

    def network(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        y = tf.nn.max_pool2d(convolve(sign(x), first), 2, 2, "VALID") * np.abs(GAMMA[:32]) + SHIFT[:32]
        return convolve(sign(tf.reshape(y, (1, 1, 1, 192))), second, "valid")

    kinds = {"LceQuantize": 1, "LceBconv2d": 2, "LceBMaxPool2d": 1, "RESHAPE": 1}
    graph = check(network, SHAPE, kinds, first, second, exact=True)
    assert len(graph.operators) == 5


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_padding_of_words_between_two_convolutions(value: float) -> None:
    """PyTorch's padding with stride 2, which SAME is not."""
    first, second = filter_of("sign", (3, 3, 64, 32)), three(32)

    def network(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        return convolve(sign(pad(convolve(sign(x), first) - SHIFT[:32], value)), second, "valid", 2)

    kinds = {"LceQuantize": 1, "LceBconv2d": 2, "SUB": 0}
    check(network, SHAPE, kinds, first, second, exact=True)


def test_split_into_groups() -> None:
    first, second = one_by_one(32), filter_of("sign", (1, 1, 32, 5), 1)

    def network(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        left, right = tf.split(sign(x - SHIFT), 2, -1)
        return convolve(left, first, "valid") * convolve(right, second, "valid")

    check(network, SHAPE, {"LceQuantize": 1, "SPLIT": 1, "LceBconv2d": 2}, first, second, exact=True)


def test_uneven_split() -> None:
    first, second = one_by_one(32), filter_of("sign", (1, 1, 32, 5), 1)

    def network(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        left, _, right = tf.split(sign(x), (32, 0, 32), -1)
        return convolve(left, first, "valid") * convolve(right, second, "valid")

    check(network, SHAPE, {"LceQuantize": 1, "SPLIT_V": 1, "LceBconv2d": 2}, first, second, exact=True)


def test_a_quantizer_of_two_bits_moves_too() -> None:
    def network(x: KerasTensor) -> KerasTensor:
        return tf.reshape(tf.round(tf.clip_by_value(x, 0.0, 1.0) * 3), (1, 8, 6, 32))

    (graph,) = TfliteModel.read(to_float(network, SHAPE)).graphs
    (reshape,) = (operator for operator in graph.operators if operator.op_type == "RESHAPE")
    assert attempt(hoist_data_movement, graph, reshape) is None
    model = TfliteModel.of(graph)
    x = adversarial(SHAPE)
    np.testing.assert_array_equal(run(model.write(), x), run(to_float(network, SHAPE), x))
    graph.remove_dead()
    kinds = [operator.op_type for operator in graph.operators]
    assert kinds.index("RESHAPE") < kinds.index("ROUND")


def joined(*parts: KerasFunction) -> KerasFunction:
    return lambda x: tf.concat([part(x) for part in parts], -1)


def two_bits(x: KerasTensor) -> KerasTensor:
    return tf.round(tf.clip_by_value(x, 0.0, 1.0) * 3)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: tf.reshape(tf.tanh(x), (1, 6, 4, 64)), "it is not known to be monotone (TANH)"),
        (lambda x: tf.reshape(tf.nn.softmax(x), (1, 6, 4, 64)), "no element-wise function of one tensor ends here"),
        (joined(sign, lambda x: tf.cast(x > 0, tf.float32)), "what it joins has other values in each part"),
        (joined(sign, lambda x: np.ones(SHAPE, np.float32)), "it moves a constant"),
        (joined(two_bits, two_bits), "it joins what has more than two values"),
        (
            lambda x: tf.reshape(tf.minimum(tf.round(tf.nn.relu(x)), np.abs(SHIFT) + 1), (1, 6, 4, 64)),
            "it moves what has more than two values and a threshold for each channel",
        ),
        (lambda x: tf.reshape(sign(x) * GAMMA, (1, 6, 4, 64)), "its input has other values in each channel"),
        (lambda x: tf.reshape(tf.cast(x > 0, tf.int32), (1, 6, 4, 64)), "it moves neither floats nor bools"),
    ],
)
def test_what_does_not_move_says_why(function: KerasFunction, reason: str) -> None:
    (graph,) = TfliteModel.read(to_float(function, SHAPE)).graphs
    (mover,) = (operator for operator in graph.operators if operator.op_type in ("RESHAPE", "CONCATENATION"))
    assert attempt(hoist_data_movement, graph, mover) == reason


@pytest.mark.parametrize(
    ("function", "channels", "reason"),
    [
        (lambda x: x, 64, NOTHING_MOVES),
        (
            CASES["reshape through words"][0],
            16,
            "RESHAPE before it moves parts of a word: channels would have to come in multiples of 32",
        ),
        (CASES["transpose of channels"][0], 6, "TRANSPOSE before it brings the channels to another place"),
        (CASES["concatenation through words"][0], 50, "CONCATENATION before it moves parts of a word"),
        (CASES["slice through words"][0], 32, "STRIDED_SLICE before it moves parts of a word"),
        (lambda x: tf.pad(x, [(0, 0), (0, 0), (0, 0), (0, 8)]), 72, "PAD before it adds channels"),
        (lambda x: x[..., ::2], 32, "STRIDED_SLICE before it moves parts of a word"),
    ],
)
def test_what_moves_as_floats_says_why(function: KerasFunction, channels: int, reason: str) -> None:
    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return convolve(sign(function(x)), weights, "valid", 2)

    _, graph = lowered(to_float(network, SHAPE, one_by_one(channels)))
    (quantize,) = (operator for operator in graph.operators if operator.op_type == "LceQuantize")
    answer = attempt(sink_data_movement, graph, quantize)
    assert answer is not None
    assert answer.startswith(reason)


@pytest.mark.parametrize(("channels", "answer"), [(64, None), (40, "PADV2 before it moves parts of a word")])
def test_padding_with_words_of_minus_one(channels: int, answer: str | None) -> None:
    shape, weights = (1, 4, 6, channels), three(channels)
    flatbuffer = to_float(lambda x, weights: convolve(sign(pad(x, -1.0)), weights, "valid"), shape, weights)
    model = TfliteModel.read(flatbuffer)
    (graph,) = model.graphs
    (convolution,) = (operator for operator in graph.operators if operator.op_type == "CONV_2D")
    binarize_convolution(graph, convolution)
    graph.remove_dead()
    (quantize,) = (operator for operator in graph.operators if operator.op_type == "LceQuantize")
    reason = attempt(sink_data_movement, graph, quantize)
    assert (reason or "").startswith(answer or "")
    assert (reason is None) == (graph.operators[0].op_type == "LceQuantize") == (answer is None)
    x = adversarial(shape)
    np.testing.assert_array_equal(run(model.write(), x), run(flatbuffer, x))
    np.testing.assert_array_equal(interpreter(model.write()).predict(x), run(flatbuffer, x))


def test_what_others_read_moves_as_floats() -> None:
    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        y = tf.reshape(x, (1, 6, 4, 64))
        return tf.concat([convolve(sign(y), weights, "valid"), y], -1)

    graph = check(network, SHAPE, {"LceBconv2d": 1, "RESHAPE": 1}, one_by_one(64), exact=True)
    (quantize,) = (operator for operator in graph.operators if operator.op_type == "LceQuantize")
    assert attempt(sink_data_movement, graph, quantize) == "CONCATENATION, too, reads the result of RESHAPE"


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (nchw, "it transposes an input of the graph"),
        (lambda x: nhwc(tf.nn.softmax(nchw(x))), "SOFTMAX before it is not a TRANSPOSE"),
    ],
)
def test_what_stays_transposed_says_why(function: KerasFunction, reason: str) -> None:
    (graph,) = TfliteModel.read(to_float(function, SHAPE)).graphs
    transpose = [operator for operator in graph.operators if operator.op_type == "TRANSPOSE"][-1]
    assert attempt(cancel_transposes, graph, transpose) == reason


def test_a_transpose_that_goes_on_turning_stays() -> None:
    (graph,) = TfliteModel.read(to_float(nchw, SHAPE)).graphs
    (first,) = graph.operators
    turned = Tensor.of("turned", (1, 6, 64, 4), np.float32)
    graph.append(first.between([first.output, first.inputs[1]], [turned]))
    assert attempt(cancel_transposes, graph, graph.operators[1]) == "the TRANSPOSE before it is not its opposite"


@pytest.mark.parametrize(
    ("function", "pads", "reason"),
    [
        (sign, "VALID", "its quantizer does not read what was padded"),
        (lambda x: sign(pad(x)), "SAME", "its input is a constant, or it pads by itself"),
        (
            lambda x: sign(pad(x) - SHIFT - 0.5),
            "VALID",
            "the quantizer gives the padding another value in each channel",
        ),
        (
            lambda x: sign(tf.pad(x[:, :, :, 1:], [(0, 0), (0, 0), (0, 0), (0, 1)])),
            "VALID",
            "the padding adds channels or samples",
        ),
        (tf.nn.softmax, "VALID", "no element-wise function of one tensor ends here"),
    ],
)
def test_padding_that_stays_says_why(function: KerasFunction, pads: str, reason: str) -> None:
    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return tf.nn.conv2d(function(x), weights, 1, pads)

    (graph,) = TfliteModel.read(to_float(network, SHAPE, three(64))).graphs
    (convolution,) = (operator for operator in graph.operators if operator.op_type == "CONV_2D")
    assert attempt(sink_pad, graph, convolution) == reason


def test_an_open_batch() -> None:
    flatbuffer = float_files.to_float(lambda x: tf.reshape(tf.nn.softmax(x), (tf.shape(x)[0], 8, 3, 64)) + 1, OPEN)
    model = TfliteModel.read(flatbuffer)
    (graph,) = model.graphs
    (reshape,) = (operator for operator in graph.operators if operator.op_type == "RESHAPE")
    assert attempt(infer_reshape_shape, graph, reshape) is None
    graph.remove_dead()
    assert "SHAPE" not in [operator.op_type for operator in graph.operators]
    x = np.concatenate([adversarial(SHAPE, seed) for seed in range(3)])
    np.testing.assert_array_equal(run(model.write(), x), run(flatbuffer, x))
    assert attempt(infer_reshape_shape, graph, reshape) == "its shape is known"


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: tf.reshape(x, (tf.shape(x)[0], 3, tf.shape(x)[0] * 8, 64)), "2 of its sizes are computed"),
        (lambda x: tf.reshape(x, tf.reverse(tf.shape(x), [0])), "its shape is computed by other operators than PACK"),
    ],
)
def test_a_shape_that_stays_computed_says_why(function: KerasFunction, reason: str) -> None:
    (graph,) = TfliteModel.read(float_files.to_float(function, OPEN)).graphs
    (reshape,) = (operator for operator in graph.operators if operator.op_type == "RESHAPE")
    assert attempt(infer_reshape_shape, graph, reshape) == reason
