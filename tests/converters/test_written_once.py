"""The file is written once, whole and last: what fails before leaves an older one as it was, and no other file."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from mobile_bnn import converters
from mobile_bnn.converters import conversion
from mobile_bnn.converters.conversion import Int8
from mobile_bnn.converters.keras import lce_converter
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import ModelMetadata, Normalization, graph_sha256, operator_table, read_metadata
from mobile_bnn.typing import KerasModel, KerasTensor, Options

OLD = b"what was there before"
SAMPLES = np.random.default_rng(0).uniform(-1, 1, (16, 6, 6, 32)).astype(np.float32)
SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}


@pytest.fixture(scope="module")
def model() -> KerasModel:
    tf.keras.utils.set_random_seed(1)
    layers = tf.keras.layers
    conv = larq.layers.QuantConv2D(32, 3, name="conv", **SIGN)
    return tf.keras.Sequential([layers.Input((6, 6, 32)), conv, layers.Flatten(), layers.Dense(10, name="head")])


def record(*labels: str) -> ModelMetadata:
    none = Normalization(mean=[0.0], std=[1.0])
    return ModelMetadata(labels=list(labels), input_shape=(6, 6, 32), normalization=none, binary_macs=0, float_macs=0)


def fails(*_: object, **__: object) -> NoReturn:
    raise MobileBnnError("an engine is gone")


FAILURES: dict[str, tuple[Options, str]] = {
    "a record that is no text": ({"metadata": record("a\udc80")}, "the metadata record cannot be written as JSON: "),
    "samples of another shape": ({"samples": SAMPLES[:, 1:]}, "the samples are "),
    "too few samples to calibrate with": ({"int8": Int8([SAMPLES[:0]])}, "0 samples cannot fill a batch"),
    "a layer that is not there": ({"allow_float": ["nothing"]}, "unknown layer 'nothing'"),
    "an agreement that fails": ({"float_weights": "int8"}, "an engine is gone"),
}


@pytest.mark.parametrize("older", [True, False], ids=["an older file", "no file"])
@pytest.mark.parametrize(("options", "message"), FAILURES.values(), ids=list(FAILURES))
def test_what_fails_leaves_what_was_there(
    model: KerasModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: Options,
    message: str,
    older: bool,
) -> None:
    monkeypatch.setattr(conversion, "agreement", fails)
    path = tmp_path / "m.tflite"
    if older:
        path.write_bytes(OLD)
    with pytest.raises(MobileBnnError, match=message):
        converters.convert(model, path, **options)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("m.tflite", OLD)] * older


def test_a_float_twin_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "f.tflite").write_bytes(OLD)
    image = tf.keras.layers.Input((4, 4, 1))
    fourier = tf.keras.layers.Lambda(lambda x: tf.math.real(tf.signal.fft2d(tf.cast(x, tf.complex64))))
    with pytest.raises(MobileBnnError, match="TensorFlow's converter refuses the model"):
        converters.convert_float(tf.keras.Model(image, fourier(image)), tmp_path / "f.tflite")
    with pytest.raises(MobileBnnError, match="is not a model of Keras 2"):
        converters.convert_float(None, tmp_path / "f.tflite")
    with pytest.raises(UsageError, match="there is no Keras model"):
        converters.convert_float("nowhere.keras", tmp_path / "f.tflite")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("f.tflite", OLD)]


class Branching(tf.keras.layers.Layer):  # type: ignore[misc]
    """Cannot be traced for a batch of one."""

    def call(self, x: KerasTensor) -> KerasTensor:
        return x if x.shape[0] is None or bool(tf.reduce_sum(x) > 0) else -x


def test_a_layer_that_cannot_be_traced_is_named(tmp_path: Path) -> None:
    model = tf.keras.Sequential([tf.keras.layers.Input((4,)), Branching(name="branching")])
    with pytest.raises(MobileBnnError, match=r"refuses the model: .*layer 'branching' \(type Branching\)$"):
        converters.convert_float(model, tmp_path / "f.tflite")
    assert not list(tmp_path.iterdir())


def test_the_binary_file_and_its_float_twin_are_written_together(
    model: KerasModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / "m.tflite", tmp_path / "f.tflite"]
    for path in paths:
        path.write_bytes(OLD)
    with monkeypatch.context() as broken:
        broken.setattr(lce_converter, "to_float", fails)
        with pytest.raises(MobileBnnError, match="an engine is gone"):
            converters.convert(model, paths[0], float_path=str(paths[1]))
    assert [path.read_bytes() for path in paths] == [OLD, OLD]
    converters.convert(model, paths[0], float_path=str(paths[1]))
    converters.convert_float(model, tmp_path / "alone.tflite")
    assert paths[1].read_bytes() == (tmp_path / "alone.tflite").read_bytes()
    with pytest.raises(UsageError, match="the source has no Keras model"):
        converters.convert(converters.Source.load(paths[1]), paths[0], float_path=paths[1])


@contextmanager
def disk(folder: Path, options: str) -> Iterator[Path]:
    """A small disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        (folder / "m.tflite").write_bytes(OLD)
        subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


CONVERSIONS: list[Callable[[KerasModel, Path], object]] = [converters.convert, converters.convert_float]


@pytest.mark.parametrize("convert", CONVERSIONS, ids=["binary", "float"])
@pytest.mark.parametrize(
    ("options", "message"),
    [("size=16k", "No space left on device"), ("ro", "Read-only file system")],
    ids=["full", "read-only"],
)
def test_a_disk_that_cannot_be_written_to_keeps_what_it_has(
    model: KerasModel, tmp_path: Path, convert: Callable[[KerasModel, Path], object], options: str, message: str
) -> None:
    with disk(tmp_path, options) as folder:
        with pytest.raises(OSError, match=message) as caught:
            convert(model, folder / "m.tflite")
        assert caught.value.filename == str(folder / "m.tflite")
        assert [(file.name, file.read_bytes()) for file in folder.iterdir()] == [("m.tflite", OLD)]


@pytest.mark.parametrize("convert", CONVERSIONS, ids=["binary", "float"])
def test_a_folder_at_the_path_stays(
    model: KerasModel, tmp_path: Path, convert: Callable[[KerasModel, Path], object]
) -> None:
    (tmp_path / "m.tflite").mkdir()
    with pytest.raises(IsADirectoryError):
        convert(model, tmp_path / "m.tflite")
    assert list(tmp_path.rglob("*")) == [tmp_path / "m.tflite"]


def test_whoever_looks_sees_a_whole_file_with_its_record(model: KerasModel, tmp_path: Path) -> None:
    """Also the moment between two writes, in which kill -9 would have left a file without a record."""
    path, seen, stop = tmp_path / "m.tflite", dict[int, bytes](), threading.Event()

    def watch() -> None:
        while not stop.is_set():
            if path.exists():
                content = path.read_bytes()
                seen.setdefault(hash(content), content)
            time.sleep(0.0005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for label in ("one", "two", "three"):
            converters.convert(model, path, metadata=record(label))
            time.sleep(0.1)
    finally:
        stop.set()
        watcher.join()
    found = [read_metadata(content) for content in seen.values()]
    assert [each.labels for each in found if each] == [["one"], ["two"], ["three"]]
    assert len(found) == 3


@pytest.mark.parametrize("options", [{}, {"float_weights": "int8"}, {"via": "lce"}], ids=["plain", "int8", "LCE"])
def test_the_answer_is_about_the_file_that_was_written(model: KerasModel, tmp_path: Path, options: Options) -> None:
    made = converters.convert(model, tmp_path / "m.tflite", **options)
    assert made.operators == operator_table(tmp_path / "m.tflite") == operator_table(str(tmp_path / "m.tflite"))
    assert made.operators == operator_table((tmp_path / "m.tflite").read_bytes())
    assert made.operators.graph_sha256 == graph_sha256(tmp_path / "m.tflite") != ""


def test_the_file_names_what_it_was_made_from(model: KerasModel, tmp_path: Path) -> None:
    from mobile_bnn.files import sha256

    model.save(tmp_path / "m.keras")
    converters.convert(tmp_path / "m.keras", tmp_path / "m.tflite")
    found = read_metadata(tmp_path / "m.tflite")
    assert found is not None
    assert found.source_sha256 == sha256(tmp_path / "m.keras")
    assert set(found.versions) >= {"mobile_bnn", "tensorflow", "larq", "ai-edge-litert"}
    converters.convert(model, tmp_path / "m.tflite")  # which was never a file
    assert (again := read_metadata(tmp_path / "m.tflite")) is not None
    assert again.source_sha256 == ""


def test_outputs_that_are_no_floats_agree_too(tmp_path: Path) -> None:
    """Booleans have no difference, and bytes wrap around."""
    layers = tf.keras.layers
    image = layers.Input((6, 6, 32))
    x = layers.Dense(64)(layers.Flatten()(larq.layers.QuantConv2D(32, 3, **SIGN)(image)))
    model = tf.keras.Model(image, layers.Lambda(lambda y: y > 0)(x))
    made = converters.convert(model, tmp_path / "m.tflite", samples=SAMPLES, float_weights="int8")
    assert made.agreement is not None
    assert 0 <= made.agreement.difference < 0.1
