"""The comparison names every file that is wrong, whatever else is among its samples, and no file that is right."""

from collections.abc import Callable

import numpy as np
import pytest
from calibrated import calibrated

from mobile_bnn import converters
from mobile_bnn.converters.graph.bit_packing import pack
from mobile_bnn.converters.graph.model import Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import Lowering, lower
from mobile_bnn.converters.verification.comparison import Comparison, too_far
from mobile_bnn.converters.verification.reference import FloatFile, KerasReference, Reference
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer

layers = tf.keras.layers
SIGNS = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}
pytestmark = pytest.mark.filterwarnings("ignore")


def conv(filters: int, **options: object) -> KerasLayer:
    return larq.layers.QuantConv2D(filters, 3, **{**SIGNS, "padding": "same", "pad_values": 1.0, **options})


def residual() -> tf.keras.Model:
    """Its multipliers are beside a shortcut, and its output has the size of its input."""
    image = layers.Input((6, 6, 32))
    x = layers.Add()([image, layers.BatchNormalization()(conv(32)(image))])
    return tf.keras.Model(image, layers.Add()([x, layers.BatchNormalization()(conv(32)(x))]))


def row() -> tf.keras.Model:
    """Its first convolution writes bits."""
    stack = [conv(32), layers.BatchNormalization(), conv(8), layers.BatchNormalization()]
    return tf.keras.Sequential([layers.Input((6, 6, 32)), *stack])


def lowered(model: tf.keras.Model) -> tuple[Lowering, bytes]:
    source = converters.Source.of_keras(model)
    lowering = lower(source.model.graphs[0], source.quantized)
    return lowering, source.model.write()


def images() -> np.ndarray:
    """Noise, and noise that is a thousand times as large."""
    noise = np.random.default_rng(0).normal(size=(4, 6, 6, 32)).astype(np.float32)
    return noise * np.float32([1, 1, 1, 1000]).reshape(4, 1, 1, 1)


def changed(flatbuffer: bytes, number: int, place: int, change: Callable[[np.ndarray], None]) -> bytes:
    """The file with another constant in one of its binary convolutions."""
    model = TfliteModel.read(flatbuffer)
    bconv = [operator for operator in model.graphs[0].operators if operator.op_type == "LceBconv2d"][number]
    old = bconv.inputs[place]
    assert old is not None
    assert old.values is not None
    values = old.values.copy()
    change(values)
    inputs = [*bconv.inputs[:place], Tensor.constant(old.name, values), *bconv.inputs[place + 1 :]]
    model.graphs[0].set_inputs(bconv, inputs)
    return model.write()


def a_bit(filters: np.ndarray) -> None:
    filters[3, 1, 1, 0] ^= 1 << 5


def a_channel(filters: np.ndarray) -> None:
    filters[2] ^= pack(np.ones(32, bool))


def a_sign(multiplier: np.ndarray) -> None:
    multiplier[np.abs(multiplier).argmax()] *= -1


def a_tenth(multiplier: np.ndarray) -> None:
    multiplier[np.abs(multiplier).argmax()] *= 1.1


def two_channels(values: np.ndarray) -> None:
    places = [values.argmin(), values.argmax()]
    values[places] = values[places[::-1]]


def one_more(threshold: np.ndarray) -> None:
    threshold += 1


@pytest.mark.parametrize("reference", ["the float file", "Keras"])
@pytest.mark.parametrize(
    ("make", "number", "place", "change"),
    [
        (row, 0, 1, a_channel),
        (row, 0, 4, one_more),
        (row, 0, 4, two_channels),
        (row, 1, 2, a_sign),
        (residual, 0, 1, a_channel),
        (residual, 1, 1, a_channel),
        (residual, 0, 2, a_sign),
        (residual, 1, 2, a_sign),
        (residual, 1, 2, a_tenth),
        (residual, 1, 2, two_channels),
        (residual, 1, 3, two_channels),
    ],
)
def test_wrong_constants(
    reference: str, make: Callable[[], tf.keras.Model], number: int, place: int, change: Callable[[np.ndarray], None]
) -> None:
    tf.keras.utils.set_random_seed(1)
    model = calibrated(make())
    lowering, right = lowered(model)
    truth = KerasReference(model, lowering) if reference == "Keras" else FloatFile(lowering)
    assert errors_of(lowering, right, truth) == []
    assert errors_of(lowering, changed(right, number, place, change), truth) != []


def errors_of(lowering: Lowering, flatbuffer: bytes, truth: Reference, x: np.ndarray | None = None) -> list[str]:
    comparison = Comparison(lowering, flatbuffer, truth)
    comparison.add([images() if x is None else x])
    return comparison.errors


def test_a_bit_of_a_filter() -> None:
    lowering, right = lowered(row())
    with pytest.raises(MobileBnnError, match="hold filters that no layer of the model has"):
        Comparison(lowering, changed(right, 0, 1, a_bit), FloatFile(lowering))


def test_what_is_compared_with_the_input_itself_has_no_ties() -> None:
    """x > 0 is false for 0: its threshold is the least float above."""
    strict = conv(8, input_quantizer=lambda x: tf.where(x > 0, 1.0, -1.0))
    lowering, right = lowered(tf.keras.Sequential([layers.Input((6, 6, 32)), strict]))
    model = TfliteModel.read(right)
    (add,) = (operator for operator in model.graphs[0].operators if operator.op_type == "ADD")
    shift = add.inputs[1]
    assert shift is not None
    assert shift.values is not None
    model.graphs[0].set_inputs(add, [add.inputs[0], Tensor.constant(shift.name, -shift.values)])
    x = np.rint(images()).astype(np.float32)
    assert errors_of(lowering, right, FloatFile(lowering), x) == []
    (error,) = errors_of(lowering, model.write(), FloatFile(lowering), x)[:1]
    assert error.endswith("input bits differ from the float file, where nothing is rounded")


def test_a_layer_of_every_step_of_a_sequence() -> None:
    stack = [layers.TimeDistributed(conv(32)), layers.BatchNormalization(), layers.TimeDistributed(conv(8))]
    tf.keras.utils.set_random_seed(1)
    model = calibrated(tf.keras.Sequential([layers.Input((3, 6, 6, 32)), *stack]))
    lowering, right = lowered(model)
    x = np.stack([images()] * 3, 1)
    for truth in (FloatFile(lowering), KerasReference(model, lowering)):
        assert errors_of(lowering, right, truth, x) == []
        assert errors_of(lowering, changed(right, 1, 2, a_sign), truth, x) != []


def test_an_output_of_several_rows_for_each_sample() -> None:
    x = tf.keras.Input((4, 64))
    dense = larq.layers.QuantDense(8, **SIGNS)
    rows = tf.keras.layers.Lambda(lambda y: tf.reshape(y, (-1, 64)))
    model = tf.keras.Model(x, dense(rows(x)))
    lowering, right = lowered(model)
    noise = np.random.default_rng(0).normal(size=(3, 4, 64)).astype(np.float32)
    for truth in (FloatFile(lowering), KerasReference(model, lowering)):
        assert errors_of(lowering, right, truth, noise) == []
        assert errors_of(lowering, changed(right, 0, 2, a_sign), truth, noise) != []


def test_a_quantizer_that_looks_at_the_whole_batch() -> None:
    """In the file a batch is one image."""
    model = tf.keras.Sequential(
        [layers.Input((6, 6, 32)), conv(8, input_quantizer=lambda x: tf.where(x > tf.reduce_mean(x), 1.0, -1.0))]
    )
    lowering, right = lowered(model)
    x = images() + np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1)
    truth = KerasReference(model, lowering)
    assert errors_of(lowering, right, truth, x) == []
    alone = [model(image[None]).numpy() for image in x]
    np.testing.assert_array_equal(truth.run([x], {}).outputs[0], np.concatenate(alone))


@pytest.mark.parametrize(
    ("expected", "output", "margin", "difference"),
    [
        ([[1.0, 2.0], [1000.0, 2000.0]], [[1.0, 2.001], [1000.1, 2000.0]], [[0, 0.01], [0.2, 0]], None),
        ([[1.0, 2.0], [1000.0, 2000.0]], [[1.0, 2.001], [1000.0, 2000.0]], [[0.1, 0], [0.1, 0.1]], 1e-3),
        ([[1.0], [2.0]], [[1.5], [2.25]], [[0.1], [0.1]], 0.5),
        ([[1.0]], [[1.0]], [[0.0]], None),
        ([[0.0]], [[1e-39]], [[0.0]], None),  # which machines may take for 0
        ([[np.inf, np.nan]], [[np.inf, np.nan]], [[0.0, 0.0]], None),
        ([[np.inf, 1.0]], [[-np.inf, 1.0]], [[0.0, 0.0]], np.inf),
        ([[1.0]], [[np.nan]], [[1.0]], np.nan),
        ([[np.nan]], [[1.0]], [[1.0]], np.nan),
        ([[True, False]], [[True, False]], [[0.0, 0.0]], None),
        ([[True, False]], [[True, True]], [[0.0, 0.0]], 1.0),
    ],
)
def test_outputs_have_a_margin_each(
    expected: list[list[float]], output: list[list[float]], margin: list[list[float]], difference: float | None
) -> None:
    found = too_far(np.array(expected), np.array(output), np.array(margin))
    assert found == (difference and pytest.approx(difference, nan_ok=True))
