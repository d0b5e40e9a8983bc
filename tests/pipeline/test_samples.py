"""The inputs that files are compared on and calibrated with: what --samples takes and refuses, and what a run has."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn import data
from mobile_bnn.cli.main import app
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.pipeline import Watcher, samples
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import Recipe, train

IMAGES = np.random.default_rng(0).normal(size=(9, 8, 8, 1)).astype(np.float32)
CURE = "Give a .npy of float32 [N, ...], or a .npz with one for each input"
NOT_READ = "is no .npy or .npz of samples: "
FOREIGN = "it holds Python objects or something that NumPy did not write"


def test_one_array(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    given = samples.of_file(tmp_path / "a.npy")
    for inputs in (given.compared, given.calibration):
        assert inputs is not None
        np.testing.assert_array_equal(inputs, [IMAGES])


def test_an_array_for_each_input_in_the_order_of_the_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", z=IMAGES, a=IMAGES[..., 0])
    given = samples.of_file(tmp_path / "a.npz").compared
    assert given is not None
    assert [array.shape for array in given] == [(9, 8, 8, 1), (9, 8, 8)]


# Of an .npy file, of an .npz file, or the bytes of something else.
Content = np.ndarray | np.float32 | dict[str, np.ndarray] | bytes
REFUSED: dict[str, tuple[str, Content, str]] = {
    "float64": ("a.npy", IMAGES.astype(np.float64), f"holds float64 [9, 8, 8, 1], not float32 [N, ...]. {CURE}"),
    "pixels": ("a.npy", IMAGES.astype(np.uint8), f"holds uint8 [9, 8, 8, 1], not float32 [N, ...]. {CURE}"),
    "no sample": ("a.npy", IMAGES[:0], f"holds float32 [0, 8, 8, 1], not float32 [N, ...]. {CURE}"),
    "a number": ("a.npy", np.float32(3), f"holds float32 [], not float32 [N, ...]. {CURE}"),
    "a row": ("a.npy", IMAGES[:, 0, 0, 0], f"holds float32 [9], not float32 [N, ...]. {CURE}"),
    "NaN": ("a.npy", np.full_like(IMAGES, np.nan), "holds numbers that are infinite or NaN"),
    "infinite": ("a.npy", np.full_like(IMAGES, np.inf), "holds numbers that are infinite or NaN"),
    "a pickle": ("a.npy", np.array([{}], dtype=object), f"{NOT_READ}{FOREIGN}. {CURE}"),
    "an image": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(64), f"{NOT_READ}{FOREIGN}. {CURE}"),
    "an empty file": ("a.npy", b"", f"{NOT_READ}No data left in file. {CURE}"),
    "half an archive": ("a.npz", b"PK\x03\x04" + bytes(64), f"{NOT_READ}File is not a zip file. {CURE}"),
    "nothing": ("a.npz", {}, f"holds no array. {CURE}"),
    "fewer of one": ("a.npz", {"a": IMAGES, "b": IMAGES[:7]}, "holds 9 and 7 samples, not as many for each input"),
    "a pickle among arrays": ("a.npz", {"a": np.array([{}], dtype=object)}, f"{NOT_READ}{FOREIGN}. {CURE}"),
}


@pytest.mark.parametrize(("name", "content", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_no_samples(tmp_path: Path, name: str, content: Content, message: str) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        np.savez(path, **content)
    else:
        np.save(path, content, allow_pickle=True)
    with pytest.raises(UsageError) as caught:
        samples.of_file(path)
    assert str(caught.value) == f"{path} {message}"


def test_half_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:1000])
    with pytest.raises(UsageError, match=r"is no .npy or .npz of samples: cannot reshape array of size"):
        samples.of_file(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["nowhere.npy", "."])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="there is no file of samples "):
        samples.of_file(tmp_path / name)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "mine")
    train(Recipe.of_zoo("binary_lenet", dataset="digits", epochs=8), folder)
    return folder


@pytest.fixture
def without_data(run: RunFolder, tmp_path: Path) -> RunFolder:
    """The run, after somebody removed the images that it was trained on."""
    shutil.copytree(run, tmp_path / "gone")
    gone = RunFolder(tmp_path / "gone")
    recipe = gone.recipe.read_text()
    gone.recipe.write_text(recipe.replace('name = "digits"', 'name = "image_folder:/nowhere"'))
    return gone


def test_a_run_is_compared_on_its_first_test_images(run: RunFolder) -> None:
    given = samples.of_run(run, None, Watcher(), needed=False)
    assert given.compared is not None
    assert given.calibration is None
    np.testing.assert_array_equal(given.compared[0], data.load("digits").test_arrays(64)[0])


def test_a_run_is_calibrated_on_training_images(run: RunFolder) -> None:
    given = samples.of_run(run, None, Watcher(), needed=True)
    assert given.calibration is not None
    (images,) = given.calibration
    assert images.dtype == np.float32
    assert len(images) >= 256
    assert images.shape[1:] == (8, 8, 1)
    test = {image.tobytes() for image in data.load("digits").test_arrays(360)[0]}
    assert sum(image.tobytes() in test for image in images) == 0


def test_a_run_without_its_data_is_compared_on_random_inputs(without_data: RunFolder) -> None:
    result = CliRunner().invoke(app, ["convert", str(without_data), "--no-float"])
    assert result.exit_code == 0
    assert result.stderr == "compared on random inputs: there is no image folder /nowhere\n"
    assert "binary layers: 4" in result.stdout


def test_a_run_without_its_data_cannot_be_calibrated(without_data: RunFolder) -> None:
    result = CliRunner().invoke(app, ["convert", str(without_data), "--int8"])
    assert result.exit_code == 1
    assert result.stderr == (
        "error: --int8 has no images to calibrate on: there is no image folder /nowhere. "
        "Give --samples, a .npy of float32 [N, ...]\n"
    )
    assert not without_data.tflite.exists()


def test_samples_take_the_place_of_the_data(without_data: RunFolder, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    result = CliRunner().invoke(app, ["convert", str(without_data), "--int8", "--samples", str(tmp_path / "a.npy")])
    assert result.exit_code == 0, result.stderr
    assert "of 9 samples" in result.stdout
    assert result.stderr == ""


def test_a_folder_that_the_user_named_must_have_the_data(run: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "mine")
    mine = RunFolder(tmp_path / "mine")
    mine.recipe.write_text(mine.recipe.read_text().replace('name = "digits"', 'name = "mnist"'))
    with pytest.raises(MobileBnnError, match="/nowhere, is not a folder"):
        samples.of_run(mine, Path("/nowhere"), Watcher(), needed=False)


def test_samples_of_another_shape(tmp_path: Path) -> None:
    sign = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    model = tf.keras.Sequential([tf.keras.layers.Input((6, 6, 1)), larq.layers.QuantConv2D(4, 3, **sign)])
    model.save(tmp_path / "m.keras")
    np.save(tmp_path / "a.npy", IMAGES)
    result = CliRunner().invoke(app, ["convert", str(tmp_path / "m.keras"), "--samples", str(tmp_path / "a.npy")])
    assert result.exit_code == 2
    assert result.stderr == "error: the model takes inputs [N, 6, 6, 1], the samples are [N, 8, 8, 1]\n"


def test_a_run_in_int8_from_end_to_end_is_verified_on_its_images(run: RunFolder, tmp_path: Path) -> None:
    """Images are scaled to the file's inputs, and its outputs back."""
    shutil.copytree(run, tmp_path / "mine")
    options = ["--int8", "--input-type", "int8", "--output-type", "int8", "--no-float"]
    converted = CliRunner().invoke(app, ["convert", str(tmp_path / "mine"), *options])
    assert converted.exit_code == 0, converted.stderr
    verified = CliRunner().invoke(app, ["verify", str(tmp_path / "mine"), "--json"])
    assert verified.exit_code == 0, verified.stderr
    found = json.loads(verified.stdout)
    assert found["agreement"] > 0.9
    assert found["largest_difference"] <= 1  # of probabilities; of int8 it would be over 100
    assert all(layer["flips"] < 0.1 * layer["bits"] for layer in found["layers"])
