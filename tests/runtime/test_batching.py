"""Batches of any size on files that hold their own size: exact, in pieces where the file needs it."""

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.runtime.batching import fixed_batch
from mobile_bnn.runtime.flatbuffer import read_model

pytestmark = pytest.mark.filterwarnings("ignore")
layers = tf.keras.layers
signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


def conv1d():
    return tf.keras.Sequential([layers.Input((16, 32)), larq.layers.QuantConv1D(32, 3, **signs)])


def reshaped():
    nets = [layers.Reshape((4, 8)), layers.Permute((2, 1)), layers.Flatten(), larq.layers.QuantDense(32, **signs)]
    return tf.keras.Sequential([layers.Input((32,)), *nets])


def image():
    nets = [larq.layers.QuantConv2D(32, 3, **signs), layers.GlobalAveragePooling2D(), layers.Dense(5)]
    return tf.keras.Sequential([layers.Input((8, 8, 32)), *nets])


def recurrent():
    return tf.keras.Sequential([layers.Input((5, 6)), layers.GRU(16), larq.layers.QuantDense(32, **signs)])


def two_inputs():
    left, right = layers.Input((16, 32), name="left"), layers.Input((16, 32), name="right")
    one, other = (larq.layers.QuantConv1D(32, 3, **signs)(x) for x in (left, right))
    return tf.keras.Model([left, right], [one, layers.Add()([one, other])])


MODELS = {each.__name__: each for each in (conv1d, reshaped, image, recurrent, two_inputs)}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_any_number_of_samples_gives_what_keras_gives(name, batch, tmp_path):
    tf.keras.utils.set_random_seed(0)
    model = MODELS[name]()
    converters.convert(model, tmp_path / "m.tflite", batch_size=batch)
    with Interpreter(tmp_path / "m.tflite") as interpreter:
        for count in (1, 2, 3, 7, batch):
            generator = np.random.default_rng(count)
            x = [generator.normal(size=(count, *each.shape[1:])).astype(np.float32) for each in model.inputs]
            wanted, computed = (
                each if isinstance(each, list) else [each]
                for each in (model(x if len(x) > 1 else x[0]), interpreter.predict(x))
            )
            for theirs, ours in zip(wanted, computed, strict=True):
                np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5, atol=1e-5)


def of_function(function, shape):
    signature = tf.TensorSpec(shape)
    return tf.lite.TFLiteConverter.from_concrete_functions([tf.function(function).get_concrete_function(signature)])


@pytest.mark.parametrize(
    ("function", "batch", "fixed"),
    [
        (lambda x: tf.nn.relu(x) + 1.0, 2, None),
        (lambda x: tf.reduce_mean(x, 1), 2, None),
        (lambda x: x - tf.reduce_mean(x, 0), 2, 2),
        (lambda x: tf.transpose(x, [1, 0, 2]), 2, 2),
        (lambda x: tf.reshape(x, [2, 12]), 2, 2),
        (lambda x: tf.cumsum(x, 0), 2, 2),
        (lambda x: tf.concat([x, x], 0), 2, 2),
        (lambda x: tf.concat([x, x], 2), 2, None),
        (lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x * x, lambda: -x), 1, 1),
    ],
)
def test_which_files_have_a_batch_of_their_own(function, batch, fixed):
    flatbuffer = of_function(function, (batch, 3, 4)).convert()
    assert fixed_batch(read_model(flatbuffer)) == fixed


@pytest.mark.parametrize("batch", [1, 2])
def test_a_sample_is_what_it_would_be_in_the_files_own_batch(batch):
    """A branch that hangs on all samples of a batch hangs on those of the file's batch."""

    def function(x):
        return tf.cond(tf.reduce_sum(x) > 0, lambda: x * x, lambda: -x)

    x = np.random.default_rng(0).normal(size=(6, 3, 4)).astype(np.float32)
    with Interpreter(of_function(function, (batch, 3, 4)).convert()) as interpreter:
        wanted = [function(tf.constant(x[start : start + batch])) for start in range(0, 6, batch)]
        np.testing.assert_allclose(interpreter.predict(x), np.concatenate(wanted), rtol=1e-6)


def test_a_remainder_that_would_change_its_own_results_is_refused():
    x = np.random.default_rng(0).normal(size=(3, 3, 4)).astype(np.float32)
    with Interpreter(of_function(lambda x: x - tf.reduce_mean(x, 0), (2, 3, 4)).convert()) as interpreter:
        assert interpreter.predict(x[:2]).shape == (2, 3, 4)
        with pytest.raises(UsageError, match="takes batches of 2, not 3 samples: the samples of a batch change"):
            interpreter.predict(x)
    with (
        Interpreter(of_function(lambda x: tf.reduce_max(x), (2, 3, 4)).convert()) as interpreter,
        pytest.raises(UsageError, match="an output has no rows"),
    ):
        interpreter.predict(x)
