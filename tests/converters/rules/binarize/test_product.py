"""Products of two activations of two values each equal the float file, as binary attention writes them."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobile_bnn import converters
from mobile_bnn.converters.conversion import Int8
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import lower
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import operator_table
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.linear_rules import run
from tests.converters.rules.lowered import adversarial, check, lowered, sign, to_float

layers = tf.keras.layers


def _two(low: float, high: float, *, strict: bool = False) -> KerasFunction:
    compare = tf.greater if strict else tf.greater_equal
    return lambda x: tf.where(compare(x, 0.25), high, low)


QUANTIZERS: dict[str, KerasFunction] = {
    "sign": sign,
    "scaled": lambda x: 0.75 * sign(x),
    "{0, 1}": lambda x: tf.cast(x > 0.25, tf.float32),
    "{0, a}": lambda x: 0.5 * tf.round(tf.clip_by_value(x, 0.0, 1.0)),
    "{l, u}": _two(-0.25, 1.5, strict=True),
    "falling": _two(1.0, -1.0),
    "by channel": lambda x: tf.where(x >= tf.cast(tf.range(x.shape[-1]) % 3, tf.float32) / 2 - 0.5, 1.0, -1.0),
}
kinds = st.sampled_from(sorted(QUANTIZERS))


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    kinds=st.tuples(kinds, kinds),
    batch=st.sampled_from([(1,), (1, 3), (1, 2, 3)]),
    rows=st.sampled_from([1, 5, 33]),
    columns=st.sampled_from([1, 7, 32]),
    depth=st.sampled_from([16, 31, 32, 40, 64]),
    turned=st.tuples(st.booleans(), st.booleans()),
)
def test_equals_float(
    kinds: tuple[str, str], batch: tuple[int, ...], rows: int, columns: int, depth: int, turned: tuple[bool, bool]
) -> None:
    left_shape = (depth, rows) if turned[0] else (rows, depth)
    right_shape = (depth, columns) if turned[1] else (columns, depth)

    def function(x: KerasTensor) -> KerasTensor:
        flat = tf.reshape(x, (*batch, -1))
        split = rows * depth
        left = tf.reshape(flat[..., :split], (*batch, *left_shape))
        right = tf.reshape(flat[..., split:], (*batch, *right_shape))
        left, right = QUANTIZERS[kinds[0]](left), QUANTIZERS[kinds[1]](right)
        return tf.matmul(left, right, transpose_a=turned[0], transpose_b=not turned[1])

    # All numbers are multiples of 1/64, and small: nothing is rounded.
    check(function, (*batch, (rows + columns) * depth), {"BATCH_MATMUL": _products(kinds), "SIGN": 0}, exact=True)


def _products(kinds: tuple[str, str]) -> int:
    """Of signs, and of those with a row of ones where two values are not opposite."""
    return 1 + sum(kind.startswith("{") for kind in kinds)


def heads(x: KerasTensor, count: int = 2) -> KerasTensor:
    """[N, T, C] to [N, heads, T, C / heads]."""
    return tf.transpose(tf.reshape(x, (-1, x.shape[1], count, x.shape[2] // count)), (0, 2, 1, 3))


def attention(x: KerasTensor) -> KerasTensor:
    query, key, value = (heads(x + shift) for shift in (0.1, -0.2, 0.3))
    scores = tf.matmul(sign(query), sign(key), transpose_b=True) / 4
    probabilities = tf.round(tf.clip_by_value(scores, 0.0, 1.0))
    return tf.matmul(probabilities, sign(value))


def test_attention_transposes_each_operand_once() -> None:
    graph = check(attention, (1, 24, 64), {"BATCH_MATMUL": 3, "LceQuantize": 4, "TRANSPOSE": 3}, exact=True)
    read = {id(operator.inputs[0]) for operator in graph.operators if operator.op_type == "LceDequantize"}
    assert len(read) == 5  # query, key, probabilities, value, ones
    # 32 channels of a head fill a word: bits are moved instead of floats.
    moved = [o.output.dtype for o in graph.operators if o.op_type == "TRANSPOSE"]
    assert sorted(str(dtype) for dtype in moved) == ["float32", "int32", "int32"]


def test_a_product_after_a_product_is_of_its_signs() -> None:
    def function(x: KerasTensor) -> KerasTensor:
        product = tf.matmul(sign(x), sign(x - 0.5), transpose_b=True)
        return tf.matmul(sign(product), sign(x))

    check(function, (1, 33, 40), {"BATCH_MATMUL": 2, "SIGN": 0}, exact=True)


def test_operands_with_different_batches() -> None:
    def function(x: KerasTensor) -> KerasTensor:
        return tf.matmul(sign(x[:, :, :5]), sign(x[:, :1, 5:] - 0.5), transpose_b=True)

    check(function, (1, 3, 12, 40), {"BATCH_MATMUL": 1}, exact=True)


def test_both_operands_of_a_dense_layer() -> None:
    def function(x: KerasTensor) -> KerasTensor:
        return sign(tf.reshape(x, [-1, 32])) @ sign(tf.reshape(x, [32, -1]))

    check(function, (1, 2, 2, 32), {"BATCH_MATMUL": 1, "FULLY_CONNECTED": 0}, exact=True)


@pytest.mark.parametrize("values", [(2.2, 3.3), (700.7, 701.4), (-0.7, 0.70001)])
def test_values_that_float32_rounds(values: tuple[float, float]) -> None:
    """Their sums are whole numbers of amplitudes where that moves no value by more than rounding does."""
    two = _two(*values)
    check(lambda x: tf.matmul(two(x), sign(x), transpose_b=True), (1, 12, 40), {"BATCH_MATMUL": 2}, exact=False)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: tf.matmul(sign(x), larq.quantizers.ste_tern(x), transpose_b=True), "an operand takes 3 values"),
        (lambda x: tf.matmul(sign(x), sign(x)[:, :, :8], transpose_a=True), ""),
        (lambda x: tf.matmul(sign(x)[:, :, :8], sign(x)[:, :, 8:16], transpose_b=True), "sums of 8 terms are as fast"),
    ],
)
def test_what_stays_float_says_why(function: KerasFunction, reason: str) -> None:
    flatbuffer = to_float(function, (1, 20, 32))
    (layer,) = lower(TfliteModel.read(flatbuffer).graphs[0]).layers
    assert layer.binary == (not reason)
    assert layer.code == ("two-activations" if reason else None)
    assert reason in layer.reason


def test_a_float_operand_stays_float() -> None:
    _, graph = lowered(to_float(lambda x: tf.matmul(sign(x), x, transpose_b=True), (1, 5, 40)))
    assert "LceQuantize" not in {operator.op_type for operator in graph.operators}


def test_an_open_batch() -> None:
    image = layers.Input((24, 64))
    model = tf.keras.Model(image, layers.Lambda(attention)(image))
    source = converters.Source.of(model, None)
    binary = source.lower()[0].write()
    x = np.random.default_rng(0).normal(size=(5, 24, 64)).astype(np.float32)
    np.testing.assert_array_equal(run(binary, x), model(x))


class Attention(layers.Layer):
    """Binary attention with a softmax, as BiBERT and BiViT have it."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}
        self.parts = [larq.layers.QuantDense(64, **signs, name=name) for name in ("query", "key", "value")]
        self.norms = [layers.LayerNormalization() for _ in self.parts]

    def call(self, x: KerasTensor) -> KerasTensor:
        query, key, value = (heads(norm(part(x))) for part, norm in zip(self.parts, self.norms, strict=True))
        scores = tf.matmul(sign(query), sign(key), transpose_b=True) / 8
        probabilities = tf.cast(tf.nn.softmax(scores) > 0.04, tf.float32)
        return tf.matmul(probabilities, sign(value))


def test_a_keras_model_is_verified_and_written(tmp_path: object) -> None:
    image = layers.Input((24, 64))
    model = tf.keras.Model(image, Attention(name="attention")(image))
    path = f"{tmp_path}/attention.tflite"
    made = converters.convert(model, path)
    assert sorted(check.layer for check in made.layers) == ["key", "query", "value"]
    assert not made.float_layers
    table = operator_table(path)
    products = [row for row in table.operators if row.name == "BATCH_MATMUL"]
    assert [(row.binary, row.binary_macs) for row in products] == [
        (True, 2 * 24 * 24 * 32),
        (True, 2 * 24 * 32 * 24),
        (True, 2 * 32 * 24),
    ]
    assert table.total("float_macs") == 0


def test_a_file_of_products_alone_is_binary(tmp_path: object) -> None:
    path = f"{tmp_path}/products.tflite"
    converters.convert(to_float(attention, (1, 24, 64)), path)
    assert operator_table(path).total("binary_macs") > 0


def test_products_stay_binary_beside_int8(tmp_path: object) -> None:
    path, x = f"{tmp_path}/products.tflite", adversarial((50, 24, 64)).clip(-4, 4)
    made = converters.convert(to_float(attention, (1, 24, 64)), path, int8=Int8([x]))
    assert operator_table(path).total("float_macs") == 0
    assert made.agreement is not None


def test_the_file_has_no_float_product() -> None:
    _, graph = lowered(to_float(attention, (1, 24, 64)))
    makers = {operator.output: operator.op_type for operator in graph.operators}
    products = [operator for operator in graph.operators if operator.op_type == "BATCH_MATMUL"]
    assert {makers[tensor] for operator in products for tensor in operator.inputs} == {"LceDequantize"}


def test_the_float_file_has_their_macs_in_float() -> None:
    table = operator_table(to_float(attention, (1, 24, 64)))
    assert (table.total("binary_macs"), table.total("float_macs")) == (0, 2 * (2 * 24 * 24 * 32))
