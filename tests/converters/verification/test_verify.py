"""Verification: counts against counts made by hand, and differences that no rounding explains."""

import re

import numpy as np
import pytest
from litert_runs import run

from mobile_bnn import converters
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import constant, operator_name, pack, read_model


def batches(count=40, size=16, shape=(8, 8, 32)):
    generator = np.random.default_rng(4)
    for start in range(0, count, size):
        n = min(size, count - start)
        yield generator.normal(size=(n, *shape)).astype(np.float32), generator.integers(0, 10, n)


def test_the_counts_are_those_of_keras_and_lce(tiny_model, binary_tflite):
    import larq_compute_engine as lce

    done = []
    result = converters.verify(
        tiny_model, binary_tflite.read_bytes(), batches(), dataset="noise", layer_samples=20, on_progress=done.append
    )
    images = np.concatenate([x for x, _ in batches()])
    labels = np.concatenate([y for _, y in batches()])
    keras = tiny_model.predict(images, verbose=0)
    file = lce.testing.Interpreter(binary_tflite.read_bytes(), use_reference_bconv=True).predict(images)
    assert result.samples == 40
    assert done == [16, 16, 8]
    assert result.result.keras == np.mean(keras.argmax(1) == labels)
    assert result.result.tflite == np.mean(file.argmax(1) == labels)
    assert result.agreement == np.mean(keras.argmax(1) == file.argmax(1))
    ours = np.concatenate([run(binary_tflite.read_bytes(), image[None], library=True) for image in images])
    batched = np.concatenate([tiny_model.predict_on_batch(x) for x, _ in batches()])
    assert result.largest_difference == np.abs(batched - ours).max() > 0
    assert [layer.layer for layer in result.layers] == ["conv_1", "conv_2"]
    assert result.layer_samples == 20
    assert result.layers[0].bits == 20 * 8 * 8 * 32


def test_a_file_with_another_bias_is_caught_and_its_layer_named(tiny_model, binary_tflite):
    """The first convolution hands bits to the second by its thresholds: moved ones give other bits, same filters."""
    tree = read_model(binary_tflite)
    graph = tree.subgraphs[0]
    first = next(o for o in graph.operators if operator_name(tree, o) == "LceBconv2d")
    thresholds = graph.tensors[first.inputs[4]]
    moved = constant(tree, thresholds).view(np.int32) + 40
    tree.buffers[thresholds.buffer].data = moved.view(np.uint8)
    message = r"the file does not compute what Keras computes: conv_2: \d+ of \d+ input bits differ from Keras"
    with pytest.raises(MobileBnnError, match=message):
        converters.verify(tiny_model, pack(tree), batches(), dataset="noise")


def test_a_channel_that_is_turned_around_in_one_place_only_is_caught(tiny_model, binary_tflite):
    """Filters may differ in the signs of whole channels, if what they read does too: here all bits of it are wrong."""
    tree = read_model(binary_tflite)
    graph = tree.subgraphs[0]
    first = next(o for o in graph.operators if operator_name(tree, o) == "LceBconv2d")
    channel = 3
    filters, thresholds = graph.tensors[first.inputs[1]], graph.tensors[first.inputs[4]]
    words, limits = (constant(tree, tensor).view(np.int32).copy() for tensor in (filters, thresholds))
    words.reshape(64, -1)[channel] ^= -1
    limits[channel] = 9 * 32 - 1 - limits[channel]  # the other sign
    tree.buffers[filters.buffer].data = words.view(np.uint8)
    tree.buffers[thresholds.buffer].data = limits.view(np.uint8)
    bits = 8 * 8 * 16  # of the first batch
    with pytest.raises(MobileBnnError, match=rf"conv_2: {bits} of {bits * 64} input bits differ from Keras"):
        converters.verify(tiny_model, pack(tree), batches(), dataset="noise")


def test_a_file_of_another_model_is_caught(tiny_model, binary_tflite):
    other = tf.keras.models.clone_model(tiny_model)  # fresh random weights
    with pytest.raises(MobileBnnError, match="hold filters that no layer of the model has"):
        converters.verify(other, binary_tflite.read_bytes(), batches(), dataset="noise")


def test_images_of_another_shape(tiny_model, binary_tflite):
    wrong = batches(shape=(8, 8, 16))
    message = "the file takes images of (8, 8, 32), the data set has (8, 8, 16)"
    with pytest.raises(MobileBnnError, match=re.escape(message)):
        converters.verify(tiny_model, binary_tflite.read_bytes(), wrong, dataset="noise")


@pytest.fixture(scope="module")
def two_inputs(tmp_path_factory):
    """A model of an image and a vector, whose order by name is not that of the model, and its file."""
    tf.keras.utils.set_random_seed(3)
    image, extra = tf.keras.Input((8, 8, 32), name="image"), tf.keras.Input((10,), name="extra")
    options = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "name": "conv"}
    x = larq.layers.QuantConv2D(10, 3, **options)(image)
    x = tf.keras.layers.GlobalAveragePooling2D()(x)
    model = tf.keras.Model([image, extra], tf.keras.layers.Softmax()(x + extra))
    path = tmp_path_factory.mktemp("two") / "m.tflite"
    converters.convert(model, path)
    return model, path


def two_batches(arrange):
    generator = np.random.default_rng(5)
    for images, labels in batches():
        yield arrange(images, 5 * generator.normal(size=(len(images), 10)).astype(np.float32)), labels


def test_several_inputs_in_order_and_by_name(two_inputs):
    model, path = two_inputs
    given = list(two_batches(lambda image, extra: [image, extra]))
    listed = converters.verify(model, path, given, dataset="noise", layer_samples=20)
    named = converters.verify(
        model,
        path,
        two_batches(lambda image, extra: {"extra": extra, "image": image}),
        dataset="noise",
        layer_samples=20,
    )
    assert listed == named
    seen = []
    converters.verify(model, path, given, dataset="noise", on_predictions=lambda *batch: seen.append(batch))
    assert [len(predicted) for _, predicted, _ in seen] == [16, 16, 8]
    for (inputs, targets), (images, predicted, told) in zip(given, seen, strict=True):
        np.testing.assert_array_equal(images, inputs[0])
        assert predicted == model.predict_on_batch(inputs).argmax(1).tolist()
        np.testing.assert_array_equal(told, targets)
    labels = np.concatenate([labels for _, labels in given])
    keras = np.concatenate([model.predict_on_batch(inputs) for inputs, _ in given])
    assert listed.samples == 40
    assert listed.result.keras == np.mean(keras.argmax(1) == labels)
    assert listed.largest_difference < 1e-5
    assert [(layer.layer, layer.bits) for layer in listed.layers] == [("conv", 20 * 8 * 8 * 32)]


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (lambda image, extra: image, "the model has 2 inputs, not 1"),
        (lambda image, extra: {"image": image, "vector": extra}, "unknown input 'vector'"),
        (lambda image, extra: {"image": image}, "no array was given for the input 'extra'"),
        (lambda image, extra: [extra, image], "the file takes images of (8, 8, 32) and (10,), the data set has (10,)"),
        (lambda image, extra: [image, extra[:-1]], "a batch has other numbers of samples for each input: [15, 16]"),
    ],
)
def test_inputs_that_do_not_fit(two_inputs, arrange, message):
    model, path = two_inputs
    with pytest.raises(MobileBnnError, match=re.escape(message)):
        converters.verify(model, path, two_batches(arrange), dataset="noise")


def test_an_empty_split(tiny_model, binary_tflite):
    with pytest.raises(MobileBnnError, match="the test split of noise is empty"):
        converters.verify(tiny_model, binary_tflite.read_bytes(), [], dataset="noise")


def test_larqs_summary_beside_the_file(tiny_model, binary_tflite):
    from mobile_bnn.runtime import operator_table

    comparison = converters.compare_with_larq(tiny_model, operator_table(binary_tflite))
    assert comparison.larq_binary_macs == comparison.file_binary_macs == 8 * 8 * 9 * 32 * 64 * 2
    assert comparison.larq_float_macs == comparison.file_float_macs == 320
    assert comparison.file_bytes == binary_tflite.stat().st_size
