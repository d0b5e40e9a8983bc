"""Products of dense layers that add nothing: what comes after them is not lost on the way through TensorFlow."""

from pathlib import Path

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import KerasModel, KerasTensor

pytestmark = pytest.mark.filterwarnings("ignore")
layers = tf.keras.layers


def dense(x: KerasTensor, **options: object) -> KerasTensor:
    return larq.layers.QuantDense(8, input_quantizer="ste_sign", kernel_quantizer="ste_sign", **options)(x)


def models() -> dict[str, KerasModel]:
    def of(make: object) -> KerasModel:
        x = layers.Input((32,))
        return tf.keras.Model(x, make(x))  # type: ignore[operator]

    def shared(x: KerasTensor) -> list[KerasTensor]:
        y = dense(x)
        return [y, layers.ReLU()(y), y]

    return {
        "no bias, ReLU layer": of(lambda x: layers.ReLU()(dense(x, use_bias=False))),
        "bias of zeros, ReLU layer": of(lambda x: layers.ReLU()(dense(x))),
        "bias of zeros, relu": of(lambda x: dense(x, activation="relu")),
        "no bias, relu6 layer": of(lambda x: layers.ReLU(6.0)(dense(x, use_bias=False))),
        "both are outputs": of(shared),
        "sequence": of(lambda x: layers.ReLU()(dense(layers.Reshape((4, 8))(x), use_bias=False))),
    }


@pytest.mark.parametrize("name", models())
def test_an_activation_after_a_product_is_kept(name: str, tmp_path: Path) -> None:
    tf.keras.utils.set_random_seed(2)
    model = models()[name]
    before = [array.copy() for array in model.get_weights()]
    converters.convert(model, tmp_path / "model.tflite")
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x = np.random.default_rng(1).normal(size=(3, 32)).astype(np.float32)
    expected = tf.nest.flatten(model.predict_on_batch(x))
    assert any((each < 0).any() for each in expected) == (name == "both are outputs")
    with Interpreter(tmp_path / "model.tflite") as interpreter:
        for theirs, ours in zip(expected, tf.nest.flatten(interpreter.predict(x)), strict=True):
            np.testing.assert_array_equal(ours, theirs)
