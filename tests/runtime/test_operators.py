"""The operator table against Larq's own counts, against shapes counted by hand, and against files that lie."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from flatbuffers import flexbuffers
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.records import Operators
from mobile_bnn.runtime import operator_table, pack, read_model
from mobile_bnn.typing import KerasModel

Convert = Callable[[KerasModel, str], Operators]


@pytest.fixture
def table_of(tmp_path: Path) -> Convert:
    """Converts a Keras model, `via` "lce" or "tf", and reads its operator table."""

    def convert(model: KerasModel, via: str) -> Operators:
        import larq_compute_engine as lce

        from mobile_bnn.legacy_keras import tf

        path = tmp_path / "model.tflite"
        if via == "lce":
            path.write_bytes(lce.convert_keras_model(model))
        else:
            path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
        return operator_table(path)

    return convert


def larq_macs(model: KerasModel, precision: int) -> int:
    """MACs of one precision as larq.models.summary counts them."""
    from larq.models import ModelProfile

    operations = [operation for layer in ModelProfile(model).layer_profiles for operation in layer.op_profiles]
    return sum(
        operation.n for operation in operations if operation.op_type == "mac" and operation.precision == precision
    )


def test_macs_are_what_larq_counts(tiny_model: KerasModel, binary_tflite: Path, float_tflite: Path) -> None:
    binary, float_ = operator_table(binary_tflite), operator_table(float_tflite)
    assert binary.total("binary_macs") == larq_macs(tiny_model, 1) == 2 * 8 * 8 * 64 * 32 * 9
    assert binary.total("float_macs") == larq_macs(tiny_model, 32) == 320
    assert float_.total("binary_macs") == 0
    assert float_.total("float_macs") == larq_macs(tiny_model, 1) + larq_macs(tiny_model, 32)


def test_the_rows_say_what_each_operator_is(binary_tflite: Path) -> None:
    table = operator_table(binary_tflite)
    assert table.file_bytes == binary_tflite.stat().st_size
    first, packed, last_binary, *rest = table.operators
    assert (first.name, first.binary, first.output_shape, first.output_type) == (
        "LceQuantize",
        True,
        [1, 8, 8, 1],
        "int32",
    )
    assert (packed.index, packed.name, packed.output_shape, packed.output_type) == (
        1,
        "LceBconv2d",
        [1, 8, 8, 2],
        "int32",
    )
    assert packed.layer.startswith("tiny/conv_2/ste_sign")
    # 64 filters of 3 x 3 taps of one word, and 64 thresholds; 8 x 8 pixels of two words.
    assert (packed.weight_bytes, packed.output_bytes) == (64 * 9 * 4 + 64 * 4, 8 * 8 * 2 * 4)
    assert (last_binary.output_type, last_binary.output_bytes) == ("float32", 8 * 8 * 32 * 4)
    assert [(row.name, row.binary) for row in rest] == [("MEAN", False), ("FULLY_CONNECTED", False), ("SOFTMAX", False)]


def test_a_shared_constant_counts_once_at_its_first_use(float_tflite: Path) -> None:
    rows = [row for row in operator_table(float_tflite).operators if row.name in ("ADD", "PADV2")]
    # Both sign chains add the same 0.1, both paddings pad by the same table with the same value.
    assert [(row.name, row.weight_bytes) for row in rows] == [("ADD", 4), ("PADV2", 36), ("ADD", 0), ("PADV2", 0)]


def test_channels_that_do_not_fill_their_words(table_of: Convert) -> None:
    from mobile_bnn.legacy_keras import larq, tf

    layers = [
        larq.layers.QuantConv2D(
            70, (3, 2), strides=2, padding="valid", input_quantizer="ste_sign", kernel_quantizer="ste_sign"
        )
    ]
    model = tf.keras.Sequential([tf.keras.layers.Input((9, 7, 33)), *layers])
    assert table_of(model, "lce").total("binary_macs") == larq_macs(model, 1) == 4 * 3 * 70 * 3 * 2 * 33


def test_groups_divide_the_macs(table_of: Convert) -> None:
    from mobile_bnn.legacy_keras import larq, tf

    layer = larq.layers.QuantConv2D(64, 3, groups=2, input_quantizer="ste_sign", kernel_quantizer="ste_sign")
    model = tf.keras.Sequential([tf.keras.layers.Input((6, 6, 64)), layer])
    assert table_of(model, "lce").total("binary_macs") == 4 * 4 * 64 * 9 * 64 // 2


@pytest.mark.parametrize(
    ("layer", "name", "macs"),
    [
        ("Conv2D(5, 3, groups=1)", "CONV_2D", 4 * 4 * 5 * 9 * 4),
        ("Conv2D(6, 3, groups=2)", "CONV_2D", 4 * 4 * 6 * 9 * 2),
        ("DepthwiseConv2D(3, depth_multiplier=2)", "DEPTHWISE_CONV_2D", 4 * 4 * 8 * 9),
        ("Conv2DTranspose(3, 2, strides=2)", "TRANSPOSE_CONV", 6 * 6 * 4 * 2 * 2 * 3),
        ("Dense(7)", "FULLY_CONNECTED", 6 * 6 * 7 * 4),
    ],
)
def test_float_macs_by_hand(table_of: Convert, layer: str, name: str, macs: int) -> None:
    from mobile_bnn.legacy_keras import tf

    layers = tf.keras.layers
    kind, arguments = layer.rstrip(")").split("(")
    values = [part.split("=") for part in arguments.split(", ")]
    positional = [int(part[0]) for part in values if len(part) == 1]
    named = {part[0]: int(part[1]) for part in values if len(part) == 2}
    model = tf.keras.Sequential([layers.Input((6, 6, 4), 1), getattr(layers, kind)(*positional, **named)])
    rows = [row for row in table_of(model, "tf").operators if row.name == name]
    assert [row.float_macs for row in rows] == [macs]


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no \.tflite file"):
        operator_table(tmp_path / "none.tflite")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (None, "option channels_in cannot be read"),
        ({"channels_in": 999}, "the tensors of operator LceBconv2d do not fit it: the file is malformed"),
        ({"channels_in": -1}, "the tensors of operator LceBconv2d do not fit it"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    binary_tflite: Path, tmp_path: Path, options: dict[str, int] | None, message: str
) -> None:
    model = read_model(binary_tflite)
    dumped = None if options is None else np.frombuffer(bytes(flexbuffers.Dumps(options)), np.uint8)
    model.subgraphs[0].operators[1].customOptions = dumped
    path = tmp_path / "liar.tflite"
    path.write_bytes(pack(model))
    with pytest.raises(MobileBnnError, match=message):
        operator_table(path)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_flipped_bytes_never_crash_the_table(
    binary_tflite: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    flatbuffer = bytearray(binary_tflite.read_bytes())
    places = st.integers(len(flatbuffer) - 3000, len(flatbuffer) - 1)  # operators and tensors lie at the end
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=4)):
        flatbuffer[place] = value
    path = tmp_path_factory.getbasetemp() / "flipped.tflite"
    path.write_bytes(flatbuffer)
    with suppress(MobileBnnError):
        assert operator_table(path).total("binary_macs") >= 0


@pytest.mark.parametrize("field", ["inputs", "outputs"])
def test_an_operator_without_its_tensors_is_refused(float_tflite: Path, tmp_path: Path, field: str) -> None:
    model = read_model(float_tflite)
    setattr(model.subgraphs[0].operators[4], field, [])
    path = tmp_path / "liar.tflite"
    path.write_bytes(pack(model))
    with pytest.raises(MobileBnnError, match="the tensors of operator CONV_2D do not fit it"):
        operator_table(path)
