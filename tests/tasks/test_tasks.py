"""Tasks: classification's figures, and a task from outside that trains, converts and verifies with nothing changed."""

import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn import data, tasks, training, zoo
from mobile_bnn.cli.app import app
from mobile_bnn.errors import UsageError
from mobile_bnn.records import History, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import read_metadata
from mobile_bnn.training import Recipe
from tests.support.fixtures import FIXTURES
from tests.tasks.pixel_parity import SIZE, PixelParity


def test_classification_takes_the_first_of_the_most_probable_classes():
    task = tasks.create("classification")
    predictions = task.decode([np.array([[0.1, 0.9], [0.5, 0.5], [0.8, 0.2]], np.float32)])
    assert predictions == [1, 0, 0]
    assert task.evaluate(predictions, [1, 1, 0]) == {"top-1": pytest.approx(2 / 3)}
    assert task.agreement(predictions, [1, 0, 1]) == pytest.approx(2 / 3)


def test_options_and_names_are_checked():
    with pytest.raises(UsageError, match=r"unknown task 'clasification'. Did you mean classification"):
        tasks.get("clasification")
    with pytest.raises(UsageError, match=r"recipe: task.label_smoothing: Input should be less than 1 \(got 1.0\)"):
        tasks.create("classification", "recipe", label_smoothing=1.0)


def test_a_verification_of_version_1_is_read():
    record = Verification.load(FIXTURES / "version_1" / "run" / "verification.json")
    assert (record.schema_version, record.task, record.headline) == (2, "classification", "top-1")
    assert record.metrics.keys() == {"top-1"}
    assert record.result.keras == pytest.approx(102 / 360)


@pytest.fixture(scope="module")
def run(once):
    """A trained run of the task from outside."""

    def make(folder):
        recipe = Recipe.make(
            zoo="resnet20", task="pixel_parity", dataset="parity_tiles", epochs=2, method="bi_real", learning_rate=0.01
        )
        training.train(recipe, folder / "run")

    return RunFolder(once("pixel parity", make) / "run")


def mbnn(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_targets_move_with_their_images():
    loaded = data.load("parity_tiles", batch_size=64, changes=PixelParity().training().augment)
    images, targets = next(loaded.train().as_numpy_iterator())
    pixels = np.round(images[..., 0] * 127.5 + 127.5).astype(int)
    np.testing.assert_array_equal(pixels % 2, targets)
    assert (pixels == 0).any(), "the crop reaches over the border"


def test_it_trains_with_its_own_metric(run):
    history = History.load(run.history)
    assert (history.metric, history.headline) == ("pixel_accuracy", "pixel accuracy")
    assert history.test["pixel_accuracy"] > 0.9
    assert "val_pixel_accuracy" in history.epochs[-1].metrics


def test_it_converts_and_verifies(run, tmp_path):
    mbnn("convert", run)
    metadata = read_metadata(run.tflite)
    assert metadata.task.model_dump() == {"name": "pixel_parity", "options": {"threshold": 0.5}}
    copy = tmp_path / "copy.tflite"
    mbnn("verify", run, "--output", copy)
    verification = Verification.load(run.verification)
    assert (verification.task, verification.headline) == ("pixel_parity", "pixel accuracy")
    assert verification.metrics.keys() == {"pixel accuracy", "whole images"}
    assert verification.result.tflite == pytest.approx(History.load(run.history).test["pixel_accuracy"], abs=1e-3)
    assert verification.agreement > 0.999
    assert len(verification.layers) == 6 + 6 + 1  # the third stage has no way to the head
    assert read_metadata(copy).accuracy.metrics == verification.metrics
    assert not run.predictions.exists()  # which are of classes


def test_its_report_names_its_metric(run):
    text = mbnn("report", run)
    assert "Pixel accuracy" in text
    assert "Top-1" not in text
    assert "Highest validation pixel_accuracy" in run.report.read_text(encoding="utf-8")


def test_a_network_takes_the_tasks_head():
    model = zoo.build("resnet20", "bnn", (SIZE, SIZE, 1), 2, task=PixelParity())
    assert model.output_shape == (None, SIZE, SIZE)
    assert model.layers[-2].name == "odd"


def test_the_half_that_devices_need_loads_no_method():
    code = "import sys, mobile_bnn.tasks as t; t.create('detection'); print('mobile_bnn.methods' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
