"""Classes by name: the same probabilities as from Keras, for float and int8 files, with and without labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobile_bnn.errors import UsageError
from mobile_bnn.runtime import Interpreter, ModelMetadata, Normalization, TaskSpec, with_metadata
from mobile_bnn.runtime.classify import class_scores
from mobile_bnn.runtime.images import fit

MEAN, STD = [100.0] * 32, [50.0] * 32
LABELS = [f"class {number}" for number in range(10)]


def labelled(content: bytes, **fields: Any) -> bytes:
    """The file with how to feed it."""
    known = {"input_shape": (8, 8, 32), "normalization": Normalization(mean=MEAN, std=STD), "labels": LABELS}
    record = ModelMetadata.model_validate({**known, "binary_macs": 0, "float_macs": 0, **fields})
    return with_metadata(content, record)


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (8, 8, 32)).astype(np.uint8)


def test_it_says_what_keras_says(tiny_model: Any, binary_tflite: Path, image: np.ndarray) -> None:
    expected = tiny_model.predict(((image[None] - 100.0) / 50.0).astype(np.float32), verbose=0)[0]
    with Interpreter(labelled(binary_tflite.read_bytes())) as interpreter:
        classes = interpreter.classify(image, top=10)
    assert [each.label for each in classes] == [f"class {number}" for number in np.argsort(-expected, kind="stable")]
    assert [each.score for each in classes] == pytest.approx(sorted(expected, reverse=True), abs=1e-5)
    with Interpreter(labelled(binary_tflite.read_bytes())) as interpreter:
        assert interpreter.classify(image) == classes[:5]


def test_classes_without_names_are_numbers(binary_tflite: Path, image: np.ndarray) -> None:
    with Interpreter(labelled(binary_tflite.read_bytes(), labels=["only one"])) as interpreter:
        for each in interpreter.classify(image, top=10):
            assert each.label == ("only one" if each.index == 0 else str(each.index))


def test_a_file_that_does_not_say_how_to_feed_it(binary_tflite: Path, image: np.ndarray) -> None:
    with (
        Interpreter(binary_tflite) as interpreter,
        pytest.raises(UsageError, match=r"the file does not say how to feed it: it has no record of mobile_bnn\. Feed"),
    ):
        interpreter.classify(image)


def test_a_file_of_another_task(binary_tflite: Path, image: np.ndarray) -> None:
    content = labelled(binary_tflite.read_bytes(), task=TaskSpec(name="segmentation"))
    with (
        Interpreter(content) as interpreter,
        pytest.raises(UsageError, match="the file is for segmentation, not for classification"),
    ):
        interpreter.classify(image)


DETAIL = {"dtype": np.float32, "quantization": (0.0, 0)}


def test_logits_become_probabilities() -> None:
    logits = np.array([[1.0, -2.0, 4.0]], np.float32)
    expected = np.exp(logits[0]) / np.exp(logits[0]).sum()
    classes = class_scores(logits, None, DETAIL, 3)
    assert [each.index for each in classes] == [2, 0, 1]
    assert [each.score for each in classes] == pytest.approx(sorted(expected, reverse=True))


def test_int8_probabilities() -> None:
    detail = {"dtype": np.int8, "quantization": (1 / 256, -128)}
    classes = class_scores(np.array([[-128, 100, -100]], np.int8), None, detail, 2)
    assert [(each.index, each.score) for each in classes] == [(1, 228 / 256), (2, 28 / 256)]


def test_int8_probabilities_of_many_classes() -> None:
    """Nearly all are rounded to 0, so that the rest is far from 1."""
    detail = {"dtype": np.int8, "quantization": (1 / 256, -128)}
    output = np.full((1, 1000), -128, np.int8)
    output[0, 5] = 77 - 128
    assert [(each.index, each.score) for each in class_scores(output, None, detail, 1)] == [(5, 77 / 256)]


@pytest.mark.parametrize("name", ["image_folder:/photos", "cifar10"])
def test_images_of_the_network_s_size(name: str, binary_tflite: Path, image: np.ndarray) -> None:
    """Those of a folder are cropped as in its tests, others stay as they are."""
    crop = name.startswith("image_folder:")
    with Interpreter(labelled(binary_tflite.read_bytes(), dataset=name)) as interpreter:
        fed = ((fit(image, 8, 8, 32, crop_all=crop) - 100.0) / 50.0).astype(np.float32)
        expected = interpreter.predict(fed[None])[0]
        classes = interpreter.classify(image, top=10)
    assert {each.index: each.score for each in classes} == pytest.approx(dict(enumerate(expected)), abs=1e-6)


@pytest.mark.parametrize(
    ("output", "top", "message"),
    [
        (np.zeros((1, 4, 4, 2), np.float32), 5, "the file is not a classifier: its output is [1, 4, 4, 2]"),
        (np.zeros((2, 4), np.float32), 5, "the file is not a classifier: its output is [2, 4]"),
        (np.zeros((1, 4), np.float32), 0, "0 classes cannot be named. Ask for 1 or more"),
    ],
)
def test_outputs_that_are_no_classes(output: np.ndarray, top: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        class_scores(output, None, DETAIL, top)
    assert str(caught.value).startswith(message)


def test_int8_inputs(tiny_model: Any, image: np.ndarray) -> None:
    """A whole file in int8, as TensorFlow's converter makes them."""
    from mobile_bnn.legacy_keras import tf

    tf.keras.utils.set_random_seed(1)
    small = tf.keras.initializers.RandomNormal(0, 0.01)
    dense = tf.keras.layers.Dense(10, activation="softmax", kernel_initializer=small)
    net = tf.keras.Sequential([tf.keras.layers.Input((8, 8, 32)), tf.keras.layers.Flatten(), dense])
    normal = np.random.default_rng(0).normal(size=(32, 1, 8, 8, 32)).astype(np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([each] for each in normal)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    expected = net.predict(((image[None] - 100.0) / 50.0).astype(np.float32), verbose=0)[0]
    with Interpreter(labelled(converter.convert())) as interpreter:
        classes = interpreter.classify(image, top=10)
    assert classes[0].index == expected.argmax()
    assert {each.index: each.score for each in classes} == pytest.approx(dict(enumerate(expected)), abs=0.05)
