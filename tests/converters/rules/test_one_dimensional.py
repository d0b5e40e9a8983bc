"""Convolutions over sequences, and dilation by moving space to batch and back: one binary convolution each."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from float_files import to_float

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.keras.export import export
from mobile_bnn.converters.rules.canonicalize import recompose_dilated_conv, swap_expand_dims_pad
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import check, filter_of, kinds_of, rewritten, run

Amounts = list[tuple[int, int]]

layers = tf.keras.layers
SIGNS = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, {"PADV2": 0}),
        ({"padding": "same"}, {"PADV2": 0, "ADD": 0}),
        ({"padding": "same", "pad_values": 1.0}, {"PADV2": 0, "ADD": 0}),
        ({"padding": "same", "pad_values": -1.0}, {"PADV2": 1, "ADD": 0}),
        ({"padding": "causal"}, {"PADV2": 1, "ADD": 1}),
        ({"padding": "causal", "dilation_rate": 3}, {"PADV2": 1, "ADD": 1}),
        ({"padding": "same", "dilation_rate": 2}, {"PADV2": 0, "ADD": 0}),
        ({"dilation_rate": 3}, {"PADV2": 0, "ADD": 0}),
        ({"strides": 2, "padding": "same", "pad_values": 1.0}, {"PADV2": 0, "ADD": 0}),
        ({"kernel_quantizer": "ste_tern", "padding": "same"}, {"LceBconv2d": 2}),
    ],
    ids=str,
)
@pytest.mark.parametrize("batch_size", [1, None])
@pytest.mark.parametrize("channels", [32, 20])
def test_larqs_convolutions_over_sequences(
    options: dict[str, object], kinds: dict[str, int], batch_size: int | None, channels: int
) -> None:
    sequence = layers.Input((11, channels))
    model = tf.keras.Model(sequence, larq.layers.QuantConv1D(8, 3, **{**SIGNS, **options})(sequence))
    kinds = {"LceQuantize": 1, "LceBconv2d": 1, "SPACE_TO_BATCH_ND": 0, "BATCH_TO_SPACE_ND": 0, **kinds}
    binary = check(export(model, batch_size).write(), (1, 11, channels), kinds)
    if batch_size is None:
        x = np.random.default_rng(0).normal(size=(3, 11, channels)).astype(np.float32)
        np.testing.assert_allclose(run(binary, x), model(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [{"padding": "same"}, {"dilation_rate": 2, "padding": "same"}], ids=str)
@pytest.mark.parametrize("batch_size", [1, None])
def test_separable_convolutions_over_sequences(options: dict[str, object], batch_size: int | None) -> None:
    sequence = layers.Input((10, 32))
    layer = larq.layers.QuantSeparableConv1D(
        8, 3, input_quantizer="ste_sign", depthwise_quantizer="ste_sign", pointwise_quantizer="ste_sign", **options
    )
    flatbuffer = export(tf.keras.Model(sequence, layer(sequence)), batch_size).write()
    binary, (answer,) = rewritten(flatbuffer)
    assert "its input is not quantized" in answer  # the pointwise half
    kinds = kinds_of(binary)
    assert kinds.count("LceBconv2d") == 2
    assert not {"DEPTHWISE_CONV_2D", "SPACE_TO_BATCH_ND"} & set(kinds)
    x = np.random.default_rng(0).normal(size=(1, 10, 32)).astype(np.float32)
    np.testing.assert_allclose(run(binary, x), run(flatbuffer, x), rtol=1e-5, atol=1e-5)


def dilated(paddings: Amounts, crops: Amounts, height: int = 9, back: int = 2, **changes: int) -> bytes:
    """A convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND, as TensorFlow's converter no longer leaves it."""
    block, padded = np.int32([2, 2]), np.add((height, 8), np.sum(paddings, 1)) // 2
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.padding, options.fusedActivationFunction = schema.Padding.VALID, schema.ActivationFunctionType.RELU
    vars(options).update(changes)
    convolved = padded - (2, 1) if options.padding else padded
    convolved = convolved // options.strideH
    x = Tensor.of("x", (1, height, 8, 32), np.float32)
    sorts, result = (
        Tensor.of("t", (4, *size, channels), np.float32) for size, channels in ((padded, 32), (convolved, 8))
    )
    signs = [Tensor.of("signs", x.shape, np.float32) for _ in range(3)]
    y = Tensor.of("y", (1, *(2 * convolved - np.sum(crops, 1)), 8), np.float32)
    weights = np.ascontiguousarray(np.moveaxis(filter_of("scaled", (3, 2, 32, 8)).numpy(), 3, 0))

    def blocks(size: np.ndarray, amounts: Amounts) -> list[Tensor]:
        return [Tensor.constant("block", np.int32(size)), Tensor.constant("amounts", np.int32(amounts))]

    shift = Tensor.constant("shift", np.float32(0.1))
    filters = [Tensor.constant("weights", weights), Tensor.constant("bias", np.linspace(-9, 9, 8, dtype=np.float32))]
    operators = [
        Operator.builtin("SIGN", [x], [signs[0]]),
        Operator.builtin("ADD", [signs[0], shift], [signs[1]], schema.AddOptionsT()),
        Operator.builtin("SIGN", [signs[1]], [signs[2]]),
        Operator.builtin("SPACE_TO_BATCH_ND", [signs[2], *blocks(block, paddings)], [sorts]),
        Operator.builtin("CONV_2D", [sorts, *filters], [result], options),
        Operator.builtin("BATCH_TO_SPACE_ND", [result, *blocks(block * back // 2, crops)], [y]),
    ]
    return TfliteModel.of(Graph("main", [x], [y], operators)).write()


@pytest.mark.parametrize(
    ("paddings", "crops", "kinds"),
    [
        ([(0, 1), (0, 0)], [(0, 1), (0, 0)], {"PADV2": 0, "ADD": 0}),  # no padding
        ([(2, 3), (1, 1)], [(0, 1), (0, 0)], {"PADV2": 0, "ADD": 0}),  # SAME
        ([(4, 1), (0, 2)], [(1, 0), (0, 0)], {"PADV2": 1, "ADD": 1}),
        ([(1, 0), (2, 2)], [(1, 0), (1, 1)], {"PADV2": 1, "ADD": 1}),
    ],
)
def test_dilation(paddings: Amounts, crops: Amounts, kinds: dict[str, int]) -> None:
    kinds = {"LceBconv2d": 1, "SPACE_TO_BATCH_ND": 0, "BATCH_TO_SPACE_ND": 0, **kinds}
    check(dilated(paddings, crops), (1, 9, 8, 32), kinds)


@pytest.mark.parametrize(
    ("flatbuffer", "reason"),
    [
        (dilated([(1, 0), (0, 0)], [(2, 0), (0, 0)]), "it crops more than padding"),
        (dilated([(1, 0), (0, 0)], [(0, 0), (0, 0)], padding=0), "it has padding, a stride or a dilation of its own"),
        (dilated([(1, 0), (0, 0)], [(0, 0), (0, 0)], strideH=2), "it has padding, a stride or a dilation of its own"),
        (dilated([(1, 0), (0, 0)], [(0, 0), (0, 0)], back=4), "its blocks are not the same before and after"),
        (to_float(lambda x: tf.nn.conv2d(x, filter_of("sign", (1, 1, 32, 8)), 1, "VALID"), (1, 4, 4, 32)), "between"),
    ],
)
def test_what_is_no_dilation_stays(flatbuffer: bytes, reason: str) -> None:
    (graph,) = TfliteModel.read(flatbuffer).graphs
    (convolution,) = (operator for operator in graph.operators if operator.op_type == "CONV_2D")
    answer = attempt(recompose_dilated_conv, graph, convolution)
    assert answer is not None
    assert reason in answer
    assert convolution in graph.operators


def test_padding_of_other_shapes_stays() -> None:
    def function(x: KerasTensor) -> KerasTensor:
        return tf.reshape(tf.pad(x, [(0, 0), (1, 1), (0, 0)]), (1, 2, 3, 32))

    (graph,) = TfliteModel.read(to_float(function, (1, 4, 32))).graphs
    (reshape,) = (operator for operator in graph.operators if operator.op_type == "RESHAPE")
    assert attempt(swap_expand_dims_pad, graph, reshape) == "it does more than to add an axis of 1 to a sequence"
    graph.remove(*(operator for operator in list(graph.operators) if operator is not reshape))
    assert attempt(swap_expand_dims_pad, graph, reshape) == "there is no PAD before it"
