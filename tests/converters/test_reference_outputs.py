"""Every file that the converter writes records what it gives for the reference inputs."""

from pathlib import Path

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters.conversion import Int8
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.records import Pair
from mobile_bnn.runtime import (
    Accuracy,
    Interpreter,
    ModelMetadata,
    Normalization,
    Reference,
    TaskSpec,
    check_reference,
    read_metadata,
)
from mobile_bnn.runtime.reference_inputs import reference_input
from mobile_bnn.typing import KerasModel, Options
from tests.calibrated import calibrated

SAMPLES = np.random.default_rng(0).normal(size=(64, 8, 8, 3)).astype(np.float32)
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
RECORD = ModelMetadata(
    task=TaskSpec(name="classification"),
    labels=["a", "b", "c"],
    input_shape=(8, 8, 3),
    normalization=Normalization(mean=[120.0, 110.0, 100.0], std=[60.0, 61.0, 62.0]),
    binary_macs=0,
    float_macs=0,
    accuracy=Accuracy(
        dataset="d", split="test", samples=9, headline="top-1", metrics={"top-1": Pair(keras=1.0, tflite=1.0)}
    ),
    reference=Reference(samples=1, outputs=["AAAA"]),  # of another file
)


@pytest.fixture(scope="module")
def model() -> KerasModel:
    tf.keras.utils.set_random_seed(1)
    layers = tf.keras.layers
    stack = [layers.Input((8, 8, 3)), layers.Conv2D(32, 3), layers.BatchNormalization()]
    stack += [larq.layers.QuantConv2D(32, 3, **SIGN), layers.BatchNormalization(), layers.Flatten()]
    return calibrated(tf.keras.Sequential([*stack, layers.Dense(3, activation="softmax")]))


def reference_of(path: Path) -> Reference:
    metadata = read_metadata(path)
    assert metadata is not None
    assert metadata.reference is not None
    return metadata.reference


@pytest.mark.parametrize(
    ("options", "bytes_of_outputs"),
    [
        ({}, 2 * 3 * 4),
        ({"via": "lce"}, 2 * 3 * 4),
        ({"float_weights": "float16"}, 2 * 3 * 4),
        ({"batch_size": None}, 2 * 3 * 4),
        ({"batch_size": 4}, 2 * 3 * 4 * 4),
        ({"int8": Int8([SAMPLES])}, 2 * 3 * 4),
        ({"int8": Int8([SAMPLES], "int8", "int8")}, 2 * 3),
    ],
    ids=["plain", "LCE", "float16", "open batch", "batch of 4", "int8 inside", "int8"],
)
def test_every_kind_of_file_gives_what_it_records(
    model: KerasModel, tmp_path: Path, options: Options, bytes_of_outputs: int
) -> None:
    path = tmp_path / "m.tflite"
    made = converters.convert(model, path, metadata=RECORD, **options)
    assert made.operators.file_bytes == path.stat().st_size
    assert [len(content) for content in reference_of(path).contents()] == [bytes_of_outputs]
    found = check_reference(path)
    assert found is not None
    assert (found.samples, found.equal) == (2, True)


def test_the_float_twin_gives_about_the_same_for_the_same_inputs(model: KerasModel, tmp_path: Path) -> None:
    converters.convert(model, tmp_path / "m.tflite", metadata=RECORD, float_path=tmp_path / "f.tflite")
    twin = read_metadata(tmp_path / "f.tflite")
    assert twin is not None
    assert (twin.labels, twin.task, twin.normalization) == (RECORD.labels, RECORD.task, RECORD.normalization)
    assert twin.binary_macs == 0 < twin.float_macs
    assert twin.accuracy is None, "it is told of the binary file"
    ours, theirs = (
        np.frombuffer(reference_of(tmp_path / name).contents()[0], "<f4") for name in ("m.tflite", "f.tflite")
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    with Interpreter(tmp_path / "f.tflite") as interpreter:
        given = [reference_input(n, interpreter.input_details, RECORD.normalization)[0] for n in range(2)]
    np.testing.assert_allclose(model.predict(np.concatenate(given), verbose=0).ravel(), theirs, atol=1e-5)


def test_a_float_file_of_an_unknown_model_has_one_too(model: KerasModel, tmp_path: Path) -> None:
    found = read_metadata(converters.convert_float(model, tmp_path / "f.tflite"))
    assert found is not None
    assert found.normalization == Normalization(mean=[0.0] * 3, std=[1.0] * 3)
    assert (found.input_shape, found.reference is None) == ((8, 8, 3), False)


def test_files_are_the_same_when_made_again(model: KerasModel, tmp_path: Path) -> None:
    for name in ("one", "two"):
        converters.convert(model, tmp_path / name, metadata=RECORD, float_path=tmp_path / f"{name}_float")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one_float").read_bytes() == (tmp_path / "two_float").read_bytes()


def test_a_source_that_has_a_reference_does_not_pass_it_on(model: KerasModel, tmp_path: Path) -> None:
    converters.convert(model, tmp_path / "m.tflite", metadata=RECORD, float_path=tmp_path / "f.tflite")
    converters.convert(tmp_path / "f.tflite", tmp_path / "again.tflite")
    found = check_reference(tmp_path / "again.tflite")
    assert found is not None
    assert found.equal
    assert reference_of(tmp_path / "again.tflite") != reference_of(tmp_path / "f.tflite")


def test_outputs_that_have_no_room_are_not_recorded(tmp_path: Path) -> None:
    image = tf.keras.Input((64, 64, 8))
    wide = tf.keras.Model(image, larq.layers.QuantConv2D(8, 3, padding="same", pad_values=1.0, **SIGN)(image))
    converters.convert(wide, tmp_path / "m.tflite", float_path=tmp_path / "f.tflite")
    for name in ("m.tflite", "f.tflite"):
        found = read_metadata(tmp_path / name)
        assert found is not None
        assert found.reference is None
        assert check_reference(tmp_path / name) is None
