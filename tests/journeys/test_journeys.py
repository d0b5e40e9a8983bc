"""The user's whole way, for each kind of data: train for an epoch with all defaults, convert, verify, profile, report.

All but the training happens from another working directory, as on another day.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from journey_sources import COLORS, write_cifar, write_idx, write_photos

from mobile_bnn.data import cifar, idx
from mobile_bnn.data.info import SPECS
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import DatasetRecord, History, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import read_metadata
from mobile_bnn.training import Recipe
from tests.support import tfds_sets

RUN = "../training/runs/mine"  # from elsewhere
DIGITS = list("0123456789")


@dataclass(frozen=True)
class Expected:
    """What a data set must have become: its training and test images, their shape, the class names."""

    train: int
    test: int
    shape: tuple[int, int, int]
    labels: list[str]


def whole_way(computer: Any, dataset: str, expected: Expected, *data_dir: object, absolute: str = "") -> RunFolder:
    """Goes the whole way, and reads what a user reads: the lines, the tables, the page, the records."""
    run = RunFolder(computer.training / "runs" / "mine")
    accuracy = trained(computer, dataset, expected, *data_dir, absolute=absolute or dataset)
    converted(computer, run, expected, *data_dir)
    verified(computer, run, expected, accuracy, *data_dir)
    profiled(computer, run)
    reported(computer, run, accuracy)
    return run


def trained(computer: Any, dataset: str, expected: Expected, *options: object, absolute: str) -> str:
    """The accuracy that was printed, e.g. "93.06"."""
    zoo = ("--zoo", "binary_lenet")
    answer = computer.mbnn("train", *zoo, "--dataset", dataset, "--epochs", 1, "--run", "runs/mine", *options)
    found = re.fullmatch(
        r"test accuracy (\d+\.\d\d)% \(Keras\) after 1 epoch\n"
        r"model runs/mine/model\.keras\nnext: mbnn convert runs/mine\n",
        answer.stdout,
    )
    assert found, answer.stdout
    assert f"on {expected.train:,} images of {absolute} into runs/mine" in answer.stderr
    assert re.search(r"^epoch 1/1 .* loss \d.* accuracy \d", answer.stderr, re.MULTILINE)
    run = RunFolder(computer.training / "runs" / "mine")
    assert Recipe.read(run.recipe).data.name == absolute
    record = DatasetRecord.load(run.dataset)
    assert (record.name, record.input_shape, record.labels) == (absolute, expected.shape, expected.labels)
    (epoch,) = History.load(run.history).epochs
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(epoch.metrics)
    return found[1]


def converted(computer: Any, run: RunFolder, expected: Expected, *options: object) -> None:
    answer = computer.mbnn("convert", RUN, *options, folder=computer.elsewhere)
    assert f"{RUN}/model.tflite  {run.tflite.stat().st_size:,} bytes" in answer.stdout
    assert re.search(r"^binary layers: 4, \d+\.\d% of the multiply-accumulates$", answer.stdout, re.MULTILINE)
    metadata = read_metadata(run.tflite)
    assert metadata is not None
    assert (metadata.labels, metadata.input_shape) == (expected.labels, expected.shape)


def verified(computer: Any, run: RunFolder, expected: Expected, accuracy: str, *options: object) -> None:
    answer = computer.mbnn("verify", RUN, *options, folder=computer.elsewhere)
    assert re.search(rf"^ *Top-1, Keras +{re.escape(accuracy)} %", answer.stdout, re.MULTILINE), answer.stdout
    assert re.search(rf"^ *Images compared +{expected.test:,} *$", answer.stdout, re.MULTILINE)
    verification = Verification.load(run.verification)
    test = History.load(run.history).test
    assert test is not None
    assert verification.result.keras == pytest.approx(test["accuracy"], abs=1e-6)
    assert (verification.samples, verification.split) == (expected.test, "test")
    assert verification.agreement >= 0.95
    assert abs(verification.result.keras - verification.result.tflite) <= 0.05
    assert [layer.layer for layer in verification.layers] == ["conv2", "conv3", "dense1", "dense2"]


def profiled(computer: Any, run: RunFolder) -> None:
    answer = computer.mbnn("profile", RUN, "--threads", 1, "--runs", 3, "--warmup", 1, folder=computer.elsewhere)
    assert re.search(r"^ *local +delegate · [\w-]+ +1 +[\d.]+ ", answer.stdout, re.MULTILINE), answer.stdout
    assert re.search(r"^ *local +litert · .*float +1 +[\d.]+ ", answer.stdout, re.MULTILINE), answer.stdout
    measured = {measurement.engine for measurement in Profile.load(run.profile()).measurements}
    assert {"delegate", "litert"} <= measured


def reported(computer: Any, run: RunFolder, accuracy: str) -> None:
    answer = computer.mbnn("report", RUN, "--output", "page.html", folder=computer.elsewhere)
    assert answer.stdout.endswith("report page.html\n")
    assert f"{accuracy} %" in answer.stdout
    page = (computer.elsewhere / "page.html").read_text(encoding="utf-8")
    assert f"{accuracy} %" in re.sub(r"[\s\u00a0\u202f]+", " ", page)
    for text in (answer.stdout, page):
        assert "another model.tflite" not in text
        assert "unknown file" not in text


def test_digits(computer):
    whole_way(computer, "digits", Expected(1257, 360, (8, 8, 1), DIGITS))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_files(computer, monkeypatch, name):
    monkeypatch.setattr(idx, "COUNTS", (240, 60))
    write_idx(computer.home / "sets" / idx.FOLDERS[name][1], (240, 60))
    expected = Expected(220, 60, (28, 28, 1), list(SPECS[name].labels))
    whole_way(computer, name, expected, "--data-dir", computer.home / "sets")


@pytest.mark.slow
@pytest.mark.parametrize("binary", [False, True], ids=["python", "binary"])
def test_the_archive_of_cifar(computer, monkeypatch, binary):
    monkeypatch.setattr(cifar, "PER_BATCH", 48)
    write_cifar(computer.home / "sets", 48, binary=binary)
    monkeypatch.setenv("MBNN_DATA_DIR", "~/sets")
    whole_way(computer, "cifar10", Expected(220, 48, (32, 32, 3), list(SPECS["cifar10"].labels)))


@pytest.mark.slow
def test_photos_in_folders_of_classes(computer):
    write_photos(computer.home / "my photos", 20)
    absolute = f"image_folder:{computer.home}/my photos"
    expected = Expected(50, 6, (96, 96, 3), sorted(COLORS))
    run = whole_way(computer, "image_folder:~/my photos", expected, absolute=absolute)
    assert_an_older_recipe_is_found(computer, run)


def assert_an_older_recipe_is_found(computer: Any, run: RunFolder) -> None:
    """A run folder that was written when recipes still held relative paths."""
    recipe = run.recipe.read_text(encoding="utf-8")
    run.recipe.write_text(recipe.replace(f"{computer.home}/my photos", "my photos"), encoding="utf-8")
    before = Verification.load(run.verification)
    computer.mbnn("verify", RUN, folder=computer.elsewhere)
    assert Verification.load(run.verification).result.keras == before.result.keras
    (computer.home / "my photos").rename(computer.home / "moved")
    answer = computer.run(["verify", RUN], computer.elsewhere)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr.strip() == (
        f"error: there is no image folder my photos in {computer.elsewhere}, "
        f"nor in {computer.elsewhere / RUN} or a folder above it"
    )


@pytest.mark.slow
def test_photos_in_folders_of_splits_with_the_real_command(real_computer):
    photos = real_computer.training / "photos [1]"
    for split, count in (("train", 10), ("Val", 4), ("test", 3)):
        write_photos(photos / split, count)
    (photos / "train" / "apple red" / ".ipynb_checkpoints").mkdir()
    (photos / "train" / "apple red" / ".ipynb_checkpoints" / "photo 0-checkpoint.jpg").write_bytes(b"half")
    (photos / "notes.txt").write_text("taken in May")
    expected = Expected(30, 9, (96, 96, 3), sorted(COLORS))
    whole_way(real_computer, "image_folder:photos [1]", expected, absolute=f"image_folder:{photos}")
    left_out = (
        f"left out of {photos}: 1 file that cannot be read as an image (notes.txt); "
        "1 hidden or system file (train/apple red/.ipynb_checkpoints)\n"
    )
    assert [answer.stderr.count(left_out) for answer in real_computer.answers] == [1, 1, 1, 0, 0]


SETS = {"svhn_cropped": ("train", "test", "extra"), "cifar100": ("train", "test")}


@pytest.fixture
def mocked(tmp_path):
    with tfds_sets.mocked(tmp_path / "tfds", SETS, samples=48):
        yield


@pytest.fixture
def streamed(monkeypatch):
    """Streams every set, as if it were larger than the memory that one may take."""
    from mobile_bnn.data import tfds_source

    monkeypatch.setattr(tfds_source, "MEMORY_LIMIT_BYTES", 0)


@pytest.mark.slow
def test_a_set_of_tfds_in_memory(computer, mocked):
    whole_way(computer, "svhn_cropped", Expected(44, 48, (32, 32, 3), DIGITS))


@pytest.mark.slow
def test_a_set_of_tfds_that_is_streamed(computer, mocked, streamed):
    import tensorflow_datasets as tfds

    labels = tfds.builder("cifar100").info.features["label"].names
    whole_way(computer, "cifar100", Expected(44, 48, (32, 32, 3), labels))


@pytest.mark.slow
def test_a_set_of_tfds_of_varying_size(computer):
    with tfds_sets.mocked(computer.home / "tfds", {"imagenet2012": ("train", "validation")}, samples=16):
        import tensorflow_datasets as tfds

        labels = tfds.builder("imagenet2012").info.features["label"].names
        whole_way(computer, "imagenet2012", Expected(15, 16, (224, 224, 3), labels))


def weights_of(run: Path) -> list[Any]:
    from mobile_bnn.legacy_keras import tf

    return list(tf.keras.models.load_model(RunFolder(run).model, compile=False).get_weights())


def assert_equal_weights(one: Path, other: Path) -> None:
    for mine, theirs in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["image_folder:photos", "svhn_cropped"])
def test_a_streamed_training_goes_on_as_if_it_had_not_ended(computer, mocked, streamed, name):
    write_photos(computer.training / "photos", 10)
    options = ("--zoo", "binary_lenet", "--dataset", name, "--schedule", "constant", "--batch-size", 8)
    computer.mbnn("train", *options, "--epochs", 2, "--run", "unbroken")
    computer.mbnn("train", *options, "--epochs", 1, "--run", "broken")
    resumed = computer.mbnn(
        "train", "--resume", "--epochs", 2, "--run", "../training/broken", folder=computer.elsewhere
    )
    assert "resuming after epoch 1 of 2" in resumed.stderr
    assert_equal_weights(computer.training / "unbroken", computer.training / "broken")
