"""Keras models as float graphs: equal to Keras, and every binary kernel a constant with its layer's name."""

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from litert_runs import run, run_outputs

from mobile_bnn import zoo
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.keras.export import export, quantized_weights
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer, KerasModel, KerasTensor

layers = tf.keras.layers


def quantized(kind: Callable[..., KerasLayer], *arguments: object, **options: object) -> KerasLayer:
    return kind(*arguments, input_quantizer="ste_sign", kernel_quantizer="ste_sign", **options)


def every_layer() -> KerasModel:
    """One of each layer with a quantized weight, a nested model, a layer that is called twice."""
    x = image = layers.Input((8, 8, 32))
    x = quantized(larq.layers.QuantConv2D, 32, 3, padding="same", pad_values=1.0, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    twice = quantized(larq.layers.QuantConv2D, 32, 1, use_bias=True, name="twice")
    x = twice(twice(x))
    x = larq.layers.QuantDepthwiseConv2D(3, input_quantizer="ste_sign", depthwise_quantizer="ste_sign")(x)
    # An odd number of channels: the scaled sums of the separable layer are never 0, where rounding would be the sign.
    inner = tf.keras.Sequential([quantized(larq.layers.QuantConv2D, 15, 3, name="inner_conv")], name="inner")
    x = inner(x)
    x = larq.layers.QuantSeparableConv2D(
        24, 3, input_quantizer="ste_sign", depthwise_quantizer="ste_sign", pointwise_quantizer="magnitude_aware_sign"
    )(x)
    x = layers.Flatten()(x)
    return tf.keras.Model(image, quantized(larq.layers.QuantDense, 5, name="dense")(x))


def check(model: KerasModel, *images: np.ndarray, **options: int | None) -> TfliteModel:
    exported = export(model, **options)
    expected = tf.nest.flatten(model(list(images) if len(images) > 1 else images[0], training=False))
    for actual, keras in zip(run_outputs(exported.write(), *images), expected, strict=True):
        np.testing.assert_allclose(actual, keras, rtol=1e-5, atol=1e-6)
    return exported


def test_every_layer_equals_keras() -> None:
    model = every_layer()
    exported = check(model, np.random.default_rng(0).normal(size=(1, 8, 8, 32)).astype(np.float32))
    names = {tensor.name for tensor in exported.graphs[0].tensors() if tensor.content is not None}
    weights = quantized_weights(model)
    assert len(weights) == 7
    assert {f"{weight.layer}/{weight.name}" for weight in weights} <= names
    for weight in weights:
        (tensor,) = (t for t in exported.graphs[0].tensors() if t.name == f"{weight.layer}/{weight.name}")
        np.testing.assert_array_equal(np.sort(tensor.values, axis=None), np.sort(weight.values(), axis=None))


@pytest.mark.parametrize("name", ["binary_lenet", "resnet20"])
def test_zoo_models(name: str) -> None:
    model = zoo.build(name)
    image = np.random.default_rng(0).normal(size=(1, *model.input_shape[1:])).astype(np.float32)
    exported = check(model, image)
    assert "TRANSPOSE" not in {operator.op_type for operator in exported.graphs[0].operators}


def test_several_inputs_outputs_and_an_open_batch() -> None:
    left, right = layers.Input((4, 4, 32), name="left"), layers.Input((4, 4, 32), name="right")
    y = quantized(larq.layers.QuantConv2D, 8, 3, name="conv")(left + right)
    model = tf.keras.Model([left, right], [y, layers.Subtract(name="difference")([left, right])])
    generator = np.random.default_rng(0)
    images = [generator.normal(size=(3, 4, 4, 32)).astype(np.float32) for _ in range(2)]
    exported = check(model, *images, batch_size=None)
    signatures = Interpreter(model_content=exported.write()).get_signature_list()
    assert signatures == {"serving_default": {"inputs": ["left", "right"], "outputs": ["conv", "difference"]}}


def test_the_model_stays_as_it_was() -> None:
    model = every_layer()
    before = [weight.variable.quantizer for weight in quantized_weights(model)]
    export(model)
    assert [weight.variable.quantizer for weight in quantized_weights(model)] == before


def test_a_model_that_cannot_be_traced() -> None:
    class Broken(layers.Layer):
        def call(self, x: KerasTensor) -> KerasTensor:
            if isinstance(x, tf.Tensor) and x.shape[0] == 1:
                raise ValueError("this layer takes no single image")
            return x

    image = layers.Input((4, 4, 1))
    model = tf.keras.Model(image, Broken()(image))
    with pytest.raises(MobileBnnError, match="takes no single image"):
        export(model)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "linear"])
def test_a_dense_layer_without_bias_keeps_its_activation(activation: str) -> None:
    """TensorFlow's converter drops it where the kernel is no constant."""
    dense = larq.layers.QuantDense(8, activation=activation, use_bias=False, kernel_quantizer="ste_sign", name="dense")
    model = tf.keras.Sequential([tf.keras.layers.Input((12,)), dense])
    x = np.random.default_rng(0).normal(size=(1, 12)).astype(np.float32)
    y = run(export(model).write(), x)
    np.testing.assert_allclose(y, model.predict(x, verbose=0), rtol=1e-6, atol=1e-6)
    assert not dense.use_bias
    assert dense.bias is None


def test_a_layer_that_calls_a_function_equals_keras() -> None:
    class Calls(layers.Layer):
        def build(self, shape: tf.TensorShape) -> None:
            self.scale = self.add_weight("scale", shape[-1:], initializer="random_normal")

        @tf.function
        def scaled(self, x: KerasTensor) -> KerasTensor:
            return x * self.scale

        def call(self, x: KerasTensor) -> KerasTensor:
            return self.scaled(x)

    image = layers.Input((4, 4, 8))
    x = quantized(larq.layers.QuantConv2D, 8, 3)(Calls()(image))
    check(tf.keras.Model(image, x), np.random.default_rng(3).normal(size=(1, 4, 4, 8)).astype(np.float32))
