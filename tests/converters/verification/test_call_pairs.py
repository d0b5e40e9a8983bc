"""Layers that are called several times: each call is compared with its own operator, whatever the order of both."""

from pathlib import Path

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters.conversion import Via
from mobile_bnn.converters.keras.layers import Call, flatten
from mobile_bnn.converters.verification.call_pairs import pair_calls
from mobile_bnn.converters.verification.comparison import Comparison
from mobile_bnn.converters.verification.reference import FloatFile, KerasReference, LayerInput
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import Array, KerasLayer, KerasModel, KerasTensor

pytestmark = pytest.mark.filterwarnings("ignore")
layers = tf.keras.layers
signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


def conv(name: str = "shared") -> KerasLayer:
    return larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1.0, name=name, **signs)


def reversed_consumers() -> KerasModel:
    """The second call's result is read first, by operators that come first."""
    a, b = layers.Input((6, 6, 32), name="a"), layers.Input((6, 6, 32), name="b")
    shared = conv()
    first, second = shared(a), shared(b)
    one = layers.Dense(3, name="of_second")(layers.GlobalAveragePooling2D()(layers.ReLU()(second)))
    other = layers.Dense(3, name="of_first")(layers.GlobalMaxPooling2D()(first))
    return tf.keras.Model([a, b], [one, other])


def reversed_chain() -> KerasModel:
    """The call that Keras makes last reads what the graph computes first."""
    a, b = layers.Input((6, 6, 32), name="a"), layers.Input((6, 6, 32), name="b")
    shared = conv()
    deep = shared(layers.BatchNormalization()(conv("before")(a)))
    shallow = shared(b)
    return tf.keras.Model([b, a], layers.Subtract()([shallow, deep]))


def nested_twice() -> KerasModel:
    x = layers.Input((6, 6, 32))
    inner = tf.keras.Model(x, layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(conv("inside")(x))))
    a, b = layers.Input((6, 6, 32), name="a"), layers.Input((6, 6, 32), name="b")
    second, first = inner(b), inner(inner(a))
    return tf.keras.Model([a, b], layers.Concatenate()([first, second]))


def same_names_in_nested_models() -> KerasModel:
    """Two layers of one name, of other weights."""
    image = layers.Input((6, 6, 32))
    parts = []
    for name in ("left", "right"):
        x = layers.Input((6, 6, 32))
        parts.append(tf.keras.Model(x, conv("same")(layers.BatchNormalization()(x)), name=name))
    y = parts[1](image)
    return tf.keras.Model(image, layers.Add()([parts[0](y), y]))


def called_on_the_same() -> KerasModel:
    """Which a converter computes once."""
    image = layers.Input((6, 6, 32))
    shared = conv()
    return tf.keras.Model(image, layers.Add()([shared(image), layers.ReLU()(shared(image))]))


def reordered_pairs() -> KerasModel:
    """TensorFlow's converter orders the four calls otherwise than Keras makes them."""
    a, b = layers.Input((6, 6, 32), name="a"), layers.Input((6, 6, 32), name="b")
    shared = conv()
    of_b = shared(b)
    deeper = shared(layers.BatchNormalization()(of_b))
    of_a = shared(a)
    return tf.keras.Model([b, a], [shared(layers.BatchNormalization()(of_a)), deeper])


class Backwards(layers.Layer):
    """Calls in an order of its own, which the converter changes too, and joins them in another one."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.conv, self.norm = conv("within"), layers.BatchNormalization()

    def call(self, x: KerasTensor) -> KerasTensor:
        first = self.conv(x + 0.5)
        second = self.conv(self.norm(x))
        third = self.conv(tf.nn.relu(second) + first)
        return tf.concat([self.conv(tf.nn.relu(first) - 0.3), second, third, first], -1)


def in_a_layer() -> KerasModel:
    image = layers.Input((6, 6, 32))
    return tf.keras.Model(image, Backwards()(image))


MODELS = {
    make.__name__: make
    for make in (
        reversed_consumers,
        reversed_chain,
        nested_twice,
        same_names_in_nested_models,
        called_on_the_same,
        reordered_pairs,
        in_a_layer,
    )
}


def with_random_norms(model: KerasModel) -> KerasModel:
    generator = np.random.default_rng(3)
    for layer in flatten(model):
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean = generator.normal(size=(3, *layer.gamma.shape))
            layer.set_weights([gamma, beta, 3 * mean, generator.uniform(0.5, 90, size=gamma.shape)])
    return model


@pytest.mark.parametrize(
    ("name", "via", "batch"),
    [*((name, via, 1) for name in MODELS for via in ("rules", "lce")), ("reversed_consumers", "rules", 2)],
)
def test_a_layer_that_is_called_again_converts(name: str, batch: int, via: Via, tmp_path: Path) -> None:
    tf.keras.utils.set_random_seed(5)
    model, path = with_random_norms(MODELS[name]()), tmp_path / "model.tflite"
    made = converters.convert(model, path, batch_size=batch, via=via)
    assert not made.float_layers
    assert sum(layer.bits for layer in made.layers)
    assert not sum(layer.flips - layer.ties - layer.consequences for layer in made.layers)
    generator = np.random.default_rng(7)
    images = [generator.normal(size=(2 * batch, *each.shape[1:])).astype(np.float32) for each in model.inputs]
    expected = model.predict_on_batch(images)
    with Interpreter(path) as interpreter:
        found = interpreter.predict(images)
    for theirs, ours in zip(tf.nest.flatten(expected), tf.nest.flatten(found), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def layer_input(number: int, quantized: Array, name: str = "shared") -> LayerInput:
    return LayerInput(number, name, quantized, np.zeros(quantized.shape, bool), False)


def call(quantized: Array, name: str = "shared") -> Call:
    return Call(name, np.sign, quantized / 2, quantized, False)


def some_signs(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), shape)


def test_calls_are_paired_by_what_they_read() -> None:
    one, two, other = (some_signs(seed, 2, 8) for seed in range(3))
    reversed_calls = [call(two), call(other, "other"), call(one), call(other, "unknown")]
    wanted = [layer_input(0, one), layer_input(1, two), layer_input(2, other, "other")]
    assert pair_calls(reversed_calls, wanted) == ([1, 2, 0, -1], True)


def test_a_flip_that_rounding_does_not_explain_leaves_the_nearest() -> None:
    one, two = some_signs(0, 2, 16), some_signs(1, 2, 16)
    wrong = one.copy()
    wrong[0, 0] *= -1
    assert pair_calls([call(two), call(wrong)], [layer_input(0, one), layer_input(1, two)]) == ([1, 0], True)


def test_calls_on_the_same_numbers_are_one_layer() -> None:
    one, two = some_signs(0, 2, 8), some_signs(1, 2, 8)
    pairs = pair_calls([call(two), call(one), call(one)], [layer_input(0, one), layer_input(1, two)])
    assert pairs == ([1, 0, 0], True)


def test_a_call_on_a_constant_has_no_layer() -> None:
    """As the first step of an unrolled loop has, which a converter computes beforehand."""
    one, two, constant = some_signs(0, 2, 8), some_signs(1, 2, 8), np.ones((2, 8), np.float32)
    pairs, _ = pair_calls([call(constant), call(one), call(two)], [layer_input(0, one), layer_input(1, two)])
    assert pairs == [-1, 0, 1]


def test_what_reads_the_same_goes_by_order_until_other_numbers_tell() -> None:
    one = some_signs(0, 2, 8)
    assert pair_calls([call(one), call(one)], [layer_input(0, one), layer_input(1, one)]) == ([0, 1], False)


def test_maps_of_other_sizes_go_by_order() -> None:
    padded, plain = some_signs(0, 2, 6), some_signs(1, 2, 4)
    pairs, _ = pair_calls([call(plain), call(-plain)], [layer_input(0, padded), layer_input(1, padded)])
    assert pairs == [0, 1]


def test_a_wrong_operand_is_still_found() -> None:
    """Pairs are chosen to fit: a file whose second call reads something else is refused all the same."""
    tf.keras.utils.set_random_seed(5)
    right, wrong = reversed_consumers(), reversed_consumers()
    wrong.set_weights(right.get_weights())
    a, b = layers.Input((6, 6, 32), name="a"), layers.Input((6, 6, 32), name="b")
    shifted = tf.keras.Model([a, b], wrong([a, layers.Rescaling(1.0, -0.5)(b)]))
    lowered, _ = converters.Source.of_keras(shifted).lower()
    _, lowering = converters.Source.of_keras(right).lower()
    images = [np.random.default_rng(n).normal(size=(4, 6, 6, 32)).astype(np.float32) for n in range(2)]
    for truth in (KerasReference(right, lowering), FloatFile(lowering)):
        comparison = Comparison(lowering, lowered.write(), truth)
        comparison.add(images)
        assert any("input bits differ" in error for error in comparison.errors), comparison.errors
