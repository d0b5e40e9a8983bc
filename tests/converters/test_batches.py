"""Files with inputs that are no batches of samples are refused with the cure, and what the cure says is converted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from float_files import to_float

from mobile_bnn import converters
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import KerasTensor

WEIGHTS = np.sign(np.random.default_rng(0).normal(size=(64, 64))).astype(np.float32)
EITHER = "[1, 64] for one sample of 64 numbers, or of [64, 1] for 64 samples of one"
GRID = np.linspace(-1, 1, 64, dtype=np.float32)


def layer(x: KerasTensor) -> KerasTensor:
    return larq.math.sign(x) @ WEIGHTS


@pytest.mark.parametrize(
    ("function", "shape", "cure"),
    [
        (lambda x: layer(x[None])[0], (64,), EITHER),
        (lambda x: layer(x[None]), (64,), EITHER),
        (lambda x: layer(x[:, None] + GRID), (64,), EITHER),
        (lambda x: layer(x + GRID[None]), (), "[1, 1] for one sample of 1 number"),
    ],
)
def test_without_a_batch(
    function: Callable[[KerasTensor], KerasTensor], shape: tuple[int, ...], cure: str, tmp_path: Path
) -> None:
    with pytest.raises(MobileBnnError) as caught:
        converters.convert(to_float(function, shape), tmp_path / "m.tflite")
    name = str(caught.value).split()[2]
    assert str(caught.value) == (
        f"the input {name} has no batch dimension: its shape is {list(shape)}, and the first dimension of an input "
        f"counts samples. Export the model with an input of {cure}"
    )
    assert not list(tmp_path.iterdir())


def test_what_the_cure_says_is_converted(tmp_path: Path) -> None:
    numbers = np.linspace(-1, 1, 64, dtype=np.float32)
    for shape, function in {(1, 64): layer, (64, 1): lambda x: layer(x + GRID)}.items():
        converters.convert(to_float(function, shape), tmp_path / "m.tflite")
        x = numbers.reshape(shape)
        expected = np.where(x + (GRID if shape[1] == 1 else 0) >= 0, 1, -1) @ WEIGHTS
        with Interpreter(tmp_path / "m.tflite") as interpreter:
            np.testing.assert_array_equal(interpreter.predict(x), expected)


def test_one_number_for_each_sample_beside_an_image(tmp_path: Path) -> None:
    images, scale = tf.keras.Input((64,), name="image"), tf.keras.Input((), name="scale")
    dense = larq.layers.QuantDense(64, input_quantizer="ste_sign", kernel_quantizer="ste_sign")
    model = tf.keras.Model([images, scale], dense(images) * scale[:, None])
    converters.convert(model, tmp_path / "m.tflite")
    given = [np.random.default_rng(0).normal(size=shape).astype(np.float32) for shape in ((3, 64), (3,))]
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        np.testing.assert_allclose(interpreter.predict(given), model.predict_on_batch(given), rtol=1e-5)
