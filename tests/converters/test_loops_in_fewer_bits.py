"""Models with loops and branches with the options of a conversion: fewer bits, other batches, from the command line."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn import converters
from mobile_bnn.cli.main import app
from mobile_bnn.converters.conversion import Int8
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import KerasModel

pytestmark = pytest.mark.filterwarnings("ignore")
layers = tf.keras.layers
SHAPE = (8, 6)


@pytest.fixture(scope="module")
def model() -> KerasModel:
    """Its float weights are in the bodies of a loop."""
    tf.keras.utils.set_random_seed(1)
    x = layers.Input(SHAPE)
    signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
    return tf.keras.Model(x, larq.layers.QuantDense(16, **signs)(layers.GRU(48)(x)))


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, *SHAPE)).astype(np.float32)


@pytest.mark.parametrize("bits", ["float16", "int8"])
def test_float_weights_of_loops_take_fewer_bits(bits: str, model: KerasModel, tmp_path: Path) -> None:
    model.save(tmp_path / "m.keras")
    assert converters.convert(model, tmp_path / "whole.tflite").agreement is None
    options = ["--float-weights", bits, "--output", str(tmp_path / "m.tflite")]
    result = CliRunner().invoke(app, ["convert", str(tmp_path / "m.keras"), *options])
    assert result.exit_code == 0, result.output
    sizes = [(tmp_path / name).stat().st_size for name in ("m.tflite", "whole.tflite")]
    assert sizes[0] < sizes[1] * (0.75 if bits == "float16" else 0.6)
    x = samples(6)
    expected = np.concatenate([np.asarray(model(x[at : at + 1])) for at in range(6)])
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        found = interpreter.predict(x)
    # A state next to 0 may have another sign: of most outputs none has.
    assert np.median(np.abs(found - expected)) < 1e-3
    assert (found.argmax(1) == expected.argmax(1)).mean() >= 0.5


@pytest.mark.parametrize("batch", [1, 3])
def test_a_file_of_a_loop_takes_batches_of_any_size(batch: int, model: KerasModel, tmp_path: Path) -> None:
    converters.convert(model, tmp_path / "m.tflite", batch_size=batch)
    x = samples(7)
    expected = np.concatenate([np.asarray(model(x[at : at + 1])) for at in range(7)])
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        for count in (1, 2, 3, 7):
            np.testing.assert_allclose(interpreter.predict(x[:count]), expected[:count], rtol=1e-5, atol=1e-5)


def test_an_open_batch_is_refused_with_what_helps(model: KerasModel, tmp_path: Path) -> None:
    """As the test above shows, it does."""
    with pytest.raises(MobileBnnError, match=r"^the batch cannot stay open: .* Give batch_size=1: Interpreter.predict"):
        converters.convert(model, tmp_path / "m.tflite", batch_size=None)


def test_int8_of_loops_is_refused_with_what_helps(model: KerasModel, tmp_path: Path) -> None:
    with pytest.raises(MobileBnnError, match=r"cannot become int8: it has several subgraphs\. --float-weights int8"):
        converters.convert(model, tmp_path / "m.tflite", int8=Int8([samples(8)]))
    assert not (tmp_path / "m.tflite").exists()
    model.save(tmp_path / "m.keras")
    np.save(tmp_path / "samples.npy", samples(8))
    command = ["convert", str(tmp_path / "m.keras"), "--int8", "--samples", str(tmp_path / "samples.npy")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert "--float-weights int8" in result.stderr
