"""Lint: what each layer is declared as, what it is converted to, why, and what to do."""

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.source import Source
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import larq, tf
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import to_float

layers = tf.keras.layers
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}


@pytest.fixture(scope="module")
def mixed():
    """A layer that becomes binary, one that cannot, one that lacks its input's quantizer, and one that is float."""
    tf.keras.utils.set_random_seed(1)
    image = layers.Input((8, 8, 32))
    x = layers.Conv2D(32, 1, name="stem")(image)
    x = larq.layers.QuantConv2D(16, 3, name="conv", **SIGN)(x)
    x = larq.layers.QuantConv2D(16, 1, name="half", kernel_quantizer="ste_sign", kernel_constraint="weight_clip")(x)
    x = layers.Reshape((6, 6, 16, 1))(x)
    x = larq.layers.QuantConv3D(4, 3, name="volume", **SIGN)(x)
    return tf.keras.Model(image, x)


def test_every_linear_operator_has_a_row(mixed):
    rows = {row.layer.rpartition("/")[2] or row.layer: row for row in converters.lint(Source.of_keras(mixed))}
    binary, half, volume = rows["conv"], rows["half"], rows["volume"]
    assert (binary.declared, binary.converted_to, binary.why) == ("binary", "binary", "")
    assert (binary.float_bytes, binary.file_bytes) == (9 * 32 * 16 * 4, 9 * 16 * 4)
    assert (half.declared, half.converted_to) == ("float", "float")
    assert half.why.startswith("its input is not quantized: ")  # what a network from PyTorch may have forgotten
    assert (volume.declared, volume.converted_to) == ("binary", "float")
    assert "CONV_3D" in volume.why
    assert "--allow-float volume" in volume.cure
    assert [row.layer for row in rows.values() if row.unsupported] == ["volume"]
    assert len(rows) == 4


def test_bits_after_float_inputs_count_as_bits(mixed):
    source = Source.of_keras(mixed)
    half = next(row for row in converters.lint(source) if row.layer == "half")
    graph = source.lower()[0].graphs[0]
    (unpack,) = (operator for operator in graph.operators if operator.op_type == "LceDequantize")
    assert (half.float_bytes, half.file_bytes) == (16 * 16 * 4, unpack.inputs[0].values.nbytes)
    assert half.file_bytes == 16 * 4


def _file(function, *weights) -> bytes:
    return to_float(function, (1, 6, 5, 32), *weights)


def test_eight_bits_are_too_many_values_and_not_silently_float(tmp_path) -> None:
    """The other layer is binary: then one that was to be binary must not stay float without a word."""

    def network(x, first, second):
        y = tf.nn.conv2d(tf.round(tf.clip_by_value(x, 0.0, 1.0) * 255) / 255, first, 1, "SAME")
        return tf.nn.conv2d(larq.math.sign(y), second, 1, "SAME")

    flatbuffer = _file(network, filter_of("sign", (3, 3, 32, 32)), filter_of("sign", (3, 3, 32, 8)))
    first, second = converters.lint(flatbuffer)
    assert (first.declared, first.converted_to, first.code) == ("binary", "float", "input-too-many-values")
    assert first.why == "its input takes more than 16 values: 256"
    assert second.converted_to == "binary"
    with pytest.raises(MobileBnnError, match="256"):
        converters.convert(flatbuffer, tmp_path / "m.tflite")
    for allowed in ("all", first.layer, [first.layer]):
        assert not any(row.unsupported for row in converters.lint(flatbuffer, allowed))
        assert converters.convert(flatbuffer, tmp_path / "m.tflite", allow_float=allowed).float_layers


def test_a_function_with_a_rounding_that_is_no_step_is_told() -> None:
    flatbuffer = _file(
        lambda x, weights: tf.nn.conv2d(x + tf.round(tf.tanh(x)), weights, 1, "SAME"), filter_of("sign", (3, 3, 32, 8))
    )
    (row,) = converters.lint(flatbuffer)
    assert (row.declared, row.converted_to, row.code) == ("binary", "float", "input-not-quantized")


@pytest.mark.parametrize(
    ("quantizer", "outcome", "why"),
    [
        (larq.math.sign, ("float", "binary", None), ""),
        (
            larq.quantizers.SteTern(),
            ("float", "float", "two-activations"),
            "an operand takes 3 values: 28,800 MACs of two activations in float",
        ),
    ],
    ids=["binary", "ternary"],
)
def test_a_product_of_two_activations(quantizer, outcome, why: str) -> None:
    def attention(x):
        rows = tf.reshape(x, (1, 30, 32))
        return tf.matmul(quantizer(rows), larq.math.sign(rows - 0.5), transpose_b=True)

    (row,) = converters.lint(_file(attention))
    assert (row.declared, row.converted_to, row.code) == outcome
    assert row.why == why


class Gate(layers.Layer):
    """Multiplies each channel by a weight: no linear operator."""

    kernel_constraint = None  # Larq asks for it

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=shape[-1:])

    def call(self, x):
        return x * self.kernel


class Masked(Gate):
    """Multiplies by half of a quantized matrix: by values that are no constant of the graph any more."""

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], 8))

    def call(self, x):
        return tf.matmul(x, self.kernel * np.tri(32, 8, dtype=np.float32))


@pytest.mark.parametrize(
    ("base", "row", "cure"),
    [
        (
            Gate, ("MUL", "MUL has no binary form", 32 * 4, 32 * 4),
            "use a two-dimensional convolution or a dense layer instead, or leave it float: --allow-float own",
        ),
        (
            Masked, ("", "no operator reads its weights as they are", 0, 0),
            "let it multiply by its quantized weights themselves, or leave it float: --allow-float own",
        ),
    ],
)  # fmt: skip
def test_every_layer_declared_binary_has_a_row_and_is_refused(tmp_path, base, row, cure):
    quantizers = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
    own = type("Own", (larq.layers_base.QuantizerBase, base), {})
    stack = [layers.Input((32,)), larq.layers.QuantDense(32, name="dense", **SIGN), own(name="own", **quantizers)]
    model = tf.keras.Sequential(stack)
    (found,) = (each for each in converters.lint(Source.of_keras(model)) if each.layer == "own")
    assert (found.declared, found.converted_to) == ("binary", "float")
    assert (found.op_type, found.why, found.float_bytes, found.file_bytes) == row
    assert found.cure == cure
    assert found.unsupported
    with pytest.raises(MobileBnnError, match=f"^own is declared binary and would be float: {row[1]}"):
        converters.convert(model, tmp_path / "m.tflite")
    conversion = converters.convert(model, tmp_path / "m.tflite", allow_float=["own"])
    assert conversion.float_layers == {"own": row[1]}


def test_what_may_stay_float_is_no_finding(mixed):
    assert not any(row.unsupported for row in converters.lint(Source.of_keras(mixed), ["volume"]))
    assert not any(row.unsupported for row in converters.lint(Source.of_keras(mixed), ["all"]))


def test_weights_without_a_quantizer_before_are_told_what_to_do():
    model = tf.keras.Sequential(
        [
            layers.Input((8, 8, 32)),
            larq.layers.QuantConv2D(8, 3, name="conv", **{**SIGN, "input_quantizer": tf.nn.tanh}),
        ]
    )
    (row,) = converters.lint(Source.of_keras(model))
    assert row.unsupported
    assert row.why.startswith("its input is not quantized: ")
    assert row.cure.startswith("give it an input_quantizer that is such a function, as ste_sign is")


def test_groups_of_few_channels_are_binary_but_not_worth_it():
    depthwise = larq.layers.QuantDepthwiseConv2D(
        3, name="depthwise", input_quantizer="ste_sign", depthwise_quantizer="ste_sign"
    )
    (row,) = converters.lint(Source.of_keras(tf.keras.Sequential([layers.Input((8, 8, 43)), depthwise])))
    assert row.converted_to == "binary"
    assert row.file_bytes > row.float_bytes
    assert row.why.startswith("not worth it: ")


def test_a_tflite_is_a_source_and_a_binary_one_is_not(mixed, tmp_path):
    flatbuffer = Source.of_keras(mixed).model.write()
    (tmp_path / "float.tflite").write_bytes(flatbuffer)
    rows = converters.lint(Source.load(tmp_path / "float.tflite"))
    assert [row.converted_to for row in rows].count("binary") == 1
    converters.convert(Source.of_tflite(flatbuffer), tmp_path / "binary.tflite", allow_float=["all"])
    with pytest.raises(MobileBnnError, match="the file is binary already: it has LceBconv2d, LceDequantize, LceQ"):
        Source.load(tmp_path / "binary.tflite")
    with pytest.raises(UsageError, match="there is no"):
        Source.load(tmp_path / "nowhere.tflite")


def test_a_saved_model_without_keras_is_a_source(tmp_path):
    weights = tf.constant(np.sign(np.random.default_rng(0).normal(size=(3, 3, 32, 8))), tf.float32)

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, 6, 6, 32))])
        def __call__(self, x):
            return tf.nn.conv2d(larq.math.sign(x), weights, 1, "SAME")

    tf.saved_model.save(Module(), str(tmp_path / "saved"))
    (row,) = converters.lint(Source.load(tmp_path / "saved"))
    assert (row.declared, row.converted_to) == ("binary", "binary")
    conversion = converters.convert(Source.load(tmp_path / "saved"), tmp_path / "m.tflite")
    assert conversion.operators.total("float_macs") == 0


def test_layers_of_one_name_get_a_number_each() -> None:
    """In a file of anybody's, two operators may compute tensors of one name; --allow-float must mean one of them."""
    kernel = np.random.default_rng(0).normal(size=(3, 3, 32, 32)).astype(np.float32)

    def network(x: tf.Tensor) -> tf.Tensor:
        for _ in range(3):
            x = tf.nn.conv2d(tf.where(x >= 0, 1.0, -1.0), np.sign(kernel), 1, "SAME")
        return x

    model = TfliteModel.read(to_float(network, (1, 8, 8, 32)))
    for operator in model.graphs[0].operators:
        if operator.op_type == "CONV_2D":
            operator.output.table.name = "net/conv/Conv2D"
    names = [finding.layer for finding in converters.lint(model.write())]
    assert len(set(names)) == 3
    assert names == [names[0], f"{names[0]}:2", f"{names[0]}:3"]
    allowed = [finding.allowed for finding in converters.lint(model.write(), allow_float=[names[1]])]
    assert allowed == [False, True, False]
