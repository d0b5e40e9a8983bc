"""What a verification counts of each class, and the pictures that it keeps of mistakes."""

import base64
import io
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobile_bnn import pipeline
from mobile_bnn.data import DatasetInfo
from mobile_bnn.pipeline.predictions import PredictionCounter, thumbnail
from mobile_bnn.prediction_records import Predictions
from mobile_bnn.records import Pair, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.typing import Array

MEAN, STD = (125.3, 122.9, 113.8), (62.9, 62.1, 66.7)


def info(channels: int = 3) -> DatasetInfo:
    normalized = {"mean": MEAN[:channels], "std": STD[:channels]}
    sizes = {"train_size": 1, "validation_size": 0, "test_size": 1}
    return DatasetInfo(
        "photos", (8, 8, channels), ("cat", "dog"), **normalized, **sizes, augmentation="none", origin="here"
    )


def normalized(pixels: Array) -> Array:
    channels = pixels.shape[-1]
    moved = pixels.astype(np.float32) - np.array(MEAN[:channels], np.float32)
    return (moved / np.array(STD[:channels], np.float32)).astype(np.float32)


def decoded(url: str) -> Image.Image:
    head, content = url.split(",")
    image = Image.open(io.BytesIO(base64.b64decode(content, validate=True)))
    assert head == f"data:image/{(image.format or '').lower()};base64"
    return image


def verification(samples: int) -> Verification:
    fields = {"headline": "top-1", "metrics": {"top-1": Pair(keras=1, tflite=1)}, "agreement": 1, "layers": []}
    more = {"samples": samples, "largest_difference": 0, "layer_samples": 0, "graph_sha256": "7" * 64}
    return Verification(dataset="photos", split="test", **fields, **more)


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 6, 3), (20, 20, 3)])
def test_a_small_image_is_kept_to_the_last_bit(shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    image = decoded(thumbnail(normalized(pixels), info(shape[2])))
    assert (image.format, image.mode) == ("PNG", "L" if shape[2] == 1 else "RGB")
    np.testing.assert_array_equal(np.asarray(image).reshape(shape), pixels)


def test_a_photo_is_made_small() -> None:
    rows, columns = np.mgrid[0:160, 0:224]
    noise = np.random.default_rng(2).normal(0, 6, (160, 224, 3))
    smooth = np.stack([rows * 1.5, columns, 255 - rows], axis=-1) + noise
    pixels = np.clip(smooth, 0, 255).astype(np.uint8)
    url = thumbnail(normalized(pixels), info())
    image = decoded(url)
    assert (image.format, image.size) == ("JPEG", (64, 46))
    assert len(url) < 5000
    shrunk = np.asarray(Image.fromarray(pixels).resize((64, 46), Image.Resampling.LANCZOS), np.float32)
    assert np.abs(np.asarray(image, np.float32) - shrunk).mean() < 4


def test_pixels_that_are_no_picture() -> None:
    assert thumbnail(np.zeros((8, 8, 4), np.float32), info()) == ""
    assert thumbnail(np.zeros(8, np.float32), info()) == ""
    wild = np.full((4, 4, 1), np.nan, np.float32)
    wild[0, 0], wild[1, 1] = np.inf, -1e30
    with np.errstate(invalid="raise"):  # what a processor makes of NaN as an integer is its own affair
        image = np.asarray(decoded(thumbnail(wild, info(1))))
    assert (image[0, 0], image[1, 1], image[3, 3]) == (255, 0, 0)


def test_the_cells_are_counted_over_batches() -> None:
    counter, expected = PredictionCounter(info()), Counter[tuple[int, int]]()
    generator = np.random.default_rng(3)
    for size in (16, 16, 5):
        images = generator.normal(size=(size, 8, 8, 3)).astype(np.float32)
        predicted, true = generator.integers(0, 3, (2, size)).tolist()
        counter.add(images, predicted, np.array(true))
        expected.update(zip(true, predicted, strict=True))
    found = counter.record(verification(37))
    assert {(cell.true, cell.predicted): cell.images for cell in found.confusion} == expected
    assert (found.dataset, found.samples, found.graph_sha256) == ("photos", 37, "7" * 64)
    assert found.labels == ["cat", "dog"]
    assert found.name(2) == "class 2"
    with pytest.raises(ValueError, match="37 images, not 36"):
        counter.record(verification(36))


def test_the_mistakes_kept_are_spread_over_a_split_that_is_sorted_by_class() -> None:
    """Of 50 classes, 20 mistakes each, in order; every picture tells its number."""
    numbers = np.arange(1000)

    def keep() -> Predictions:
        counter = PredictionCounter(info(1))
        for start in range(0, 1000, 64):
            batch = numbers[start : start + 64]
            images = np.zeros((len(batch), 2, 1, 1), np.float32)
            images[:, 0, 0, 0], images[:, 1, 0, 0] = batch // 250, batch % 250
            images = normalized(images)
            counter.add(images, [50] * len(batch), batch // 20)
            images[:] = 0  # the batch's memory is used again
        return counter.record(verification(1000))

    found = keep()
    assert keep() == found
    indexes = [mistake.index for mistake in found.mistakes]
    assert indexes == sorted(set(indexes))
    assert len(indexes) == 24
    assert len({mistake.true for mistake in found.mistakes}) > 12
    assert 350 < np.mean(indexes) < 650  # 0 to 999, evenly: 500 ± 59
    for mistake in found.mistakes:
        high, low = np.asarray(decoded(mistake.image)).ravel().tolist()
        assert high * 250 + low == mistake.index
        assert mistake.true == mistake.index // 20


@pytest.mark.filterwarnings("ignore")
def test_a_run_is_counted_while_it_is_verified(small_run: Path, tmp_path: Path) -> None:
    run = RunFolder(shutil.copytree(small_run, tmp_path / "run"))
    run.predictions.unlink(missing_ok=True)
    verified = pipeline.verify(run)
    found = Predictions.load(run.predictions)
    assert found == verified.predictions
    assert found.is_of(Verification.load(run.verification))
    assert found.labels == list("0123456789")
    right = sum(cell.images for cell in found.confusion if cell.true == cell.predicted)
    assert right / found.samples == verified.record.metrics["top-1"].tflite
    assert found.samples == 360
    _the_pictures_are_the_data_sets(found)


def _the_pictures_are_the_data_sets(found: Predictions) -> None:
    from mobile_bnn import data

    images, labels = data.load("digits").test_arrays()
    assert found.mistakes
    for mistake in found.mistakes:
        assert labels[mistake.index] == mistake.true != mistake.predicted
        pixels = np.rint(images[mistake.index, :, :, 0] * 127.5 + 127.5)
        np.testing.assert_array_equal(np.asarray(decoded(mistake.image)), pixels)


@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_kept_costs_the_predictions_alone(small_run: Path, tmp_path: Path) -> None:
    run = RunFolder(shutil.copytree(small_run, tmp_path / "run"))
    run.predictions.unlink(missing_ok=True)
    run.predictions.mkdir()  # no file can take the place of a folder
    verified = pipeline.verify(run, limit=16)
    assert verified.kept.path == run.verification
    assert verified.kept.not_kept == f"Is a directory: {run.predictions}"
    assert Verification.load(run.verification).samples == 16
