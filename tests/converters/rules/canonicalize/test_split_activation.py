"""Fused activations as operators of their own: the same numbers, and quantizers whose clip was in another operator."""

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from float_files import to_float

from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.rules.canonicalize import split_activation
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import filter_of, run
from tests.converters.rules.lowered import check, lowered
from tests.converters.rules.lowered import to_float as with_filters

SHAPE = (1, 6, 5, 32)
_GENERATOR = np.random.default_rng(5)
# Multiples of 1/16, on which the thresholds below lie too: sums and products are exact.
KERNEL = tf.constant(_GENERATOR.integers(-8, 9, (1, 1, 32, 32)) / 16, tf.float32)
DEPTHWISE = tf.constant(_GENERATOR.integers(-8, 9, (3, 3, 32, 1)) / 16, tf.float32)
BIAS = tf.constant(_GENERATOR.integers(-16, 17, 32) / 16, tf.float32)
NONE = schema.ActivationFunctionType.NONE


def mirrored(x: KerasTensor) -> KerasTensor:
    return tf.reverse(x, [1])


OPERATORS: dict[str, KerasFunction] = {
    "CONV_2D": lambda x: tf.nn.bias_add(tf.nn.conv2d(x, KERNEL, 1, "SAME"), BIAS),
    "DEPTHWISE_CONV_2D": lambda x: tf.nn.depthwise_conv2d(x, DEPTHWISE, (1, 1, 1, 1), "SAME") + BIAS,
    "FULLY_CONNECTED": lambda x: tf.matmul(x, KERNEL[0, 0]) + BIAS,
    "ADD": lambda x: x + mirrored(x),
    "SUB": lambda x: x - mirrored(x),
    "MUL": lambda x: x * mirrored(x),
    "DIV": lambda x: x / (tf.abs(mirrored(x)) + 1),
    "MAX_POOL_2D": lambda x: tf.nn.max_pool2d(x, 2, 1, "SAME"),
    "AVERAGE_POOL_2D": lambda x: tf.nn.avg_pool2d(x, 2, 1, "VALID"),
}
# Whose kernels add in an order of their own: then only sums that are exact are the same for all.
SUMS = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D"}
CLIPS: dict[str, KerasFunction] = {
    "RELU": tf.nn.relu,
    "RELU6": tf.nn.relu6,
    "RELU_N1_TO_1": lambda x: tf.clip_by_value(x, -1.0, 1.0),
}
# What is left of a quantizer of two bits when its clip has been fused away, as PyTorch's programs write it.
QUANTIZERS: dict[str, tuple[str, KerasFunction]] = {
    "PACT's relu6": ("RELU6", lambda x: tf.round(x * 0.5) * 2),
    "hard tanh": ("RELU_N1_TO_1", lambda x: tf.round((x + 1) * 1.5) / 1.5 - 1),
    "ternary": ("RELU_N1_TO_1", tf.round),
    "DoReFa after a ReLU": ("RELU", lambda x: tf.round(tf.minimum(x, 1.0) * 3) / 3),
    "floor": ("RELU", lambda x: tf.floor(tf.minimum(x, 1.5) * 2)),
}


def on_a_grid(shape: tuple[int, ...], neighbours: bool = True) -> np.ndarray:
    """Multiples of 1/16 near the thresholds, zeros of both signs and, unless they are not wanted, neighbours."""
    generator = np.random.default_rng(1)
    x = generator.integers(-32, 33, shape) / np.float32(16)
    near = np.nextafter(x, generator.choice(np.float32([-9, 9]), shape), dtype=np.float32)
    x = np.where(neighbours & (generator.random(shape) < 0.2), near, x)
    return np.where(generator.random(shape) < 0.05, np.float32(-0.0), x).astype(np.float32)


def reference(flatbuffer: bytes, *inputs: np.ndarray) -> np.ndarray:
    """What TFLite's own kernels compute; XNNPACK joins clamps that it may not join."""
    interpreter = Interpreter(
        model_content=flatbuffer, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter.allocate_tensors()
    for detail, values in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], values)
    interpreter.invoke()
    return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


def fused(graph: Graph) -> list[str]:
    """The operators with an activation inside."""
    return [
        operator.op_type
        for operator in graph.operators
        if getattr(operator.options, "fusedActivationFunction", NONE) != NONE
    ]


@pytest.mark.parametrize("op_type", OPERATORS)
@pytest.mark.parametrize("clip", CLIPS)
def test_nothing_changes_in_any_bit(op_type: str, clip: str) -> None:
    before = to_float(lambda x: CLIPS[clip](OPERATORS[op_type](x)), SHAPE)
    model = TfliteModel.read(before)
    (graph,) = model.graphs
    assert fused(graph) == [op_type]
    (root,) = [operator for operator in graph.operators if operator.op_type in fused(graph)]
    assert attempt(split_activation, graph, root) is None
    assert fused(graph) == []
    assert clip in {operator.op_type for operator in graph.operators}
    x = on_a_grid(SHAPE)
    np.testing.assert_array_equal(reference(model.write(), x), reference(before, x))


@pytest.mark.parametrize("op_type", OPERATORS)
@pytest.mark.parametrize("clip", CLIPS)
def test_a_float_layer_keeps_its_operators(op_type: str, clip: str) -> None:
    before = to_float(lambda x: tf.abs(CLIPS[clip](OPERATORS[op_type](x))), SHAPE)
    after, _ = lowered(before)
    assert after == TfliteModel.read(before).write()


@pytest.mark.parametrize("op_type", OPERATORS)
@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_the_clip_of_a_quantizer_is_found(op_type: str, quantizer: str) -> None:
    clip, rest = QUANTIZERS[quantizer]
    source = _quantized(lambda x: rest(CLIPS[clip](OPERATORS[op_type](x))))
    assert op_type in fused(TfliteModel.read(source).graphs[0])
    binary, graph = lowered(source)
    kinds = [operator.op_type for operator in graph.operators]
    assert "LceBconv2d" in kinds
    assert not {"ROUND", "FLOOR", "RELU6", "RELU_N1_TO_1"} & set(kinds)
    _equal(source, binary, op_type not in SUMS)


@pytest.mark.parametrize("op_type", OPERATORS)
@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_a_clip_that_others_read_costs_no_operator(op_type: str, quantizer: str) -> None:
    clip, rest = QUANTIZERS[quantizer]

    def network(x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        y = CLIPS[clip](OPERATORS[op_type](x))
        return rest(y), tf.abs(y)

    source = _quantized(lambda x: network(x)[0], lambda x: network(x)[1])
    binary, graph = lowered(source)
    assert op_type in fused(graph)
    assert not set(CLIPS) & {operator.op_type for operator in graph.operators}
    _equal(source, binary, op_type not in SUMS)


def _quantized(*parts: KerasFunction) -> bytes:
    """A float file: a convolution with a filter of signs of the first part, and the others beside it."""
    filters = filter_of("sign", (1, 1, 32, 16))

    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        y = tf.nn.conv2d(parts[0](x), weights, 1, "VALID")
        rest = [tf.reduce_mean(part(x), 3, keepdims=True) for part in parts[1:]]
        return tf.concat([y, *rest], 3)

    return with_filters(network, SHAPE, filters)


def _equal(source: bytes, binary: bytes, neighbours: bool) -> None:
    x = on_a_grid(SHAPE, neighbours)
    expected = reference(source, x)
    assert len(np.unique(expected)) > 5  # or nothing would be compared
    np.testing.assert_allclose(run(binary, x), expected, rtol=1e-6, atol=1e-5)


def test_a_residual_block_as_pytorch_writes_it() -> None:
    """The sum's ReLU6 is the quantizer's clip and the next shortcut."""

    def network(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        y = tf.nn.relu6(x + mirrored(x))
        for weights in (first, second):
            y = tf.nn.relu6(tf.nn.conv2d(tf.round(y * 0.5) * 2, weights, 1, "SAME") * 0.125 + y)
        return y

    filters = [filter_of("sign", (3, 3, 32, 32), seed) for seed in (0, 1)]
    check(network, SHAPE, {"LceBconv2d": 6, "RELU6": 0, "ROUND": 0, "CONV_2D": 0}, *filters)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda options: None, "it has no fused activation"),
        (
            lambda options: setattr(options, "fusedActivationFunction", schema.ActivationFunctionType.TANH),
            "its fused activation is not one of the RELUs",
        ),
    ],
)
def test_refusals_say_why(change: Callable[[object], None], reason: str) -> None:
    (graph,) = TfliteModel.read(to_float(lambda x: x + mirrored(x), SHAPE)).graphs
    (root,) = [operator for operator in graph.operators if operator.op_type == "ADD"]
    change(root.options)
    assert attempt(split_activation, graph, root) == reason


def test_whole_numbers_stay() -> None:
    model = TfliteModel.read(to_float(lambda x: tf.cast(tf.cast(x, tf.int32) + 1, tf.float32), SHAPE))
    (root,) = [operator for operator in model.graphs[0].operators if operator.op_type == "ADD"]
    root.options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    assert attempt(split_activation, model.graphs[0], root) == "it does not write floats"


def test_open_sizes_stay_open() -> None:
    model = TfliteModel.read(to_float(lambda x: tf.nn.relu6(x + tf.reverse(x, [3])), (None, None, 5, 32)))
    lower(model.graphs[0])
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 32)).astype(np.float32)
    (graph,) = model.graphs
    (root,) = [operator for operator in graph.operators if operator.op_type == "ADD"]
    split_activation.rewrite(graph, root)
    assert list(root.output.table.shapeSignature) == [-1, -1, 5, 32]
    interpreter = Interpreter(model_content=model.write())
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    actual = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_array_equal(actual, np.clip(x + x[..., ::-1], 0, 6))
