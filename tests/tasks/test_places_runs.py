"""Detection and segmentation all the way, on small images: train, resume, convert, verify, report, predict, draw."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mobile_bnn import pipeline, training
from mobile_bnn.cli.app import app
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.records import History, Operators, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import Interpreter, read_metadata, with_metadata
from mobile_bnn.training import Recipe
from tests.support.annotated_folders import voc

OPTIONS = {
    "detection": {"strides": [2, 4], "width": 16, "score_threshold": 0.001},
    "segmentation": {"output_stride": 2, "width": 16},
}
HEADLINES = {"detection": "mAP@0.5", "segmentation": "mIoU"}


def mbnn(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def images(once) -> Path:
    return once("annotated images", lambda folder: voc(folder / "voc", 24)) / "voc"


def recipe(task: str, images: Path, epochs: int) -> Recipe:
    options = {f"task.{name}": value for name, value in OPTIONS[task].items()}
    return Recipe.make(
        zoo="binary_lenet",
        task={"name": task},
        dataset=f"voc_folder:{images}",
        image_size=16,
        batch_size=8,
        epochs=epochs,
        method="bnn",
        schedule="constant",
        flip_ratio=False,
        **options,
    )


@pytest.fixture(scope="module", params=["detection", "segmentation"])
def run(request, once, images) -> RunFolder:
    """A run of two epochs that was broken off after the first, converted and verified."""

    def make(folder: Path) -> None:
        training.train(recipe(request.param, images, 1), folder / "run")
        training.train(recipe(request.param, images, 2), folder / "run", resume=True)
        mbnn("convert", folder / "run")
        mbnn("verify", folder / "run")

    return RunFolder(once(f"a run of {request.param}", make) / "run")


def task_of(run: RunFolder) -> str:
    return Recipe.read(run.recipe).task.name


def test_a_resumed_training_is_bit_equal_to_an_unbroken_one(run, images, tmp_path):
    unbroken, history = training.train(recipe(task_of(run), images, 2), tmp_path / "unbroken")
    from mobile_bnn.converters.source import load_model

    resumed = load_model(run.model, ())
    for one, other in zip(unbroken.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert History.load(run.history).test == history.test


def test_every_binary_layer_is_binary_in_the_file(run):
    operators = Operators.load(run.operators)
    heads = {"detection": 4, "segmentation": 6}  # two blocks on each of two maps; two of three dilations
    assert sum(each.binary and each.binary_macs > 0 for each in operators.operators) == 2 + heads[task_of(run)]
    assert not operators.float_layers


def test_the_file_tells_how_to_read_its_outputs(run):
    metadata = read_metadata(run.tflite)
    assert metadata.task.name == task_of(run)
    with Interpreter(run.tflite) as interpreter:
        if task_of(run) == "detection":
            assert interpreter.output_names == ["boxes", "scores"]
            assert metadata.task.options["maps"] == [[8, 8], [4, 4]]
            assert metadata.labels == ["ball", "cup"]
        else:
            assert interpreter.output_names == ["classes"]
            assert metadata.labels[:2] == ["background", "aeroplane"]


def test_it_is_verified_by_its_own_metric(run):
    verification = Verification.load(run.verification)
    assert (verification.task, verification.headline) == (task_of(run), HEADLINES[task_of(run)])
    assert verification.result.keras == pytest.approx(verification.result.tflite, abs=0.02)
    assert verification.agreement > 0.9
    assert set() != set(verification.classes) <= set(read_metadata(run.tflite).labels)
    mean = np.mean([pair.tflite for pair in verification.classes.values()])
    assert mean == pytest.approx(verification.result.tflite)


def test_its_report_names_its_metric_and_classes(run):
    text = mbnn("report", run)
    assert HEADLINES[task_of(run)] in text
    assert "Top-1" not in text
    page = run.report.read_text(encoding="utf-8")
    assert "by class" in page
    assert next(iter(Verification.load(run.verification).classes)) in page


def test_predictions_are_printed_and_drawn(run, images, tmp_path):
    chosen = images / "JPEGImages" / "im1.png"
    arguments = ["--draw", tmp_path / "drawn", "--score", "0", "--csv", tmp_path / "all.csv"]
    text = mbnn("predict", run, chosen, chosen, *arguments)
    assert "2 images, " in text
    assert f"drawn: {tmp_path}/drawn/im1-2.png" in text.replace("\n", "")
    drawn = Image.open(tmp_path / "drawn" / "im1.png")
    assert drawn.size == (400, 300)  # ten times 40 x 30
    plain = Image.open(chosen).convert("RGB").resize(drawn.size, Image.Resampling.NEAREST)
    found = json.loads(mbnn("predict", run, chosen, "--json", "--score", "0"))
    (one,) = found["predictions"]
    assert found["task"] == task_of(run)
    rows = list(csv.DictReader((tmp_path / "all.csv").open(encoding="utf-8")))
    if task_of(run) == "detection":
        assert one["objects"]
        assert all(0 <= value <= 1 for each in one["objects"] for value in each["box"])
        assert [each["score"] for each in one["objects"]] == sorted(each["score"] for each in one["objects"])[::-1]
        assert rows[0]["y1"] == str(one["objects"][0]["box"][2])
        assert np.asarray(drawn).tobytes() != np.asarray(plain).tobytes()
    else:
        assert sum(each["share"] for each in one["areas"]) == pytest.approx(1)
        assert float(rows[0]["share"]) == one["areas"][0]["share"]


def test_a_camera_shows_classes_alone(run, images):
    result = CliRunner().invoke(app, ["predict", str(run), "--camera", str(images / "JPEGImages")])
    assert result.exit_code == 2
    said = " ".join(result.output.split())
    assert f"--camera shows classes, and the file is for {task_of(run)}. Give images" in said


@pytest.mark.parametrize("run", ["detection"], indirect=True)  # the record of a segmenter has no sizes
def test_a_file_whose_record_does_not_fit_its_outputs_is_refused_in_one_line(run, images, tmp_path):
    flatbuffer = run.tflite.read_bytes()
    metadata = read_metadata(flatbuffer)
    options = {**metadata.task.options, "maps": [[60000, 60000]]}
    wrong = metadata.model_copy(update={"task": metadata.task.model_copy(update={"options": options})})
    (tmp_path / "wrong.tflite").write_bytes(with_metadata(flatbuffer, wrong))
    predicted = pipeline.predict(tmp_path / "wrong.tflite", [images / "JPEGImages" / "im1.png"])
    assert not predicted.predictions
    assert "the file's outputs are not those of a detector" in predicted.unreadable[0]
    bad = metadata.model_copy(update={"task": metadata.task.model_copy(update={"options": {"maps": "large"}})})
    (tmp_path / "bad.tflite").write_bytes(with_metadata(flatbuffer, bad))
    with pytest.raises(MobileBnnError, match=r"the file's metadata: task.maps: "):
        pipeline.predict(tmp_path / "bad.tflite", [images / "JPEGImages" / "im1.png"])
