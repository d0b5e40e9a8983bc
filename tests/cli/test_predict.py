"""`mbnn predict` on images, folders and a camera whose frames are a folder's images."""

import csv
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mobile_bnn.cli.main import app
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.runtime import Interpreter
from mobile_bnn.runtime.cameras import open_camera
from tests.support.processes import popen_with_default_signals
from tests.support.shared import Once
from tests.support.tools import ROOT

FILE = ROOT / "tests" / "fixtures" / "version_1" / "run" / "model.tflite"  # hardly trained


@pytest.fixture(scope="session")
def trained(once: Once) -> Path:
    """A file that knows the digits, with the data set's normalization and labels."""

    def make(folder: Path) -> None:
        run = str(folder / "run")
        for command in (["train", "--zoo", "binary_lenet", "--epochs", "25", "--run", run], ["convert", run]):
            result = CliRunner().invoke(app, command)
            assert result.exit_code == 0, result.output

    return once("predicted-run", make) / "run"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten digits of scikit-learn in folders named after them, as images of the network's size."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    for label in range(10):
        place = tmp_path / "digits" / str(label)
        place.mkdir(parents=True)
        image = (pixels[list(labels).index(label)].reshape(8, 8) * 255 / 16).astype(np.uint8)
        Image.fromarray(image).save(place / "a.png")
    return tmp_path / "digits"


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    return result.exit_code, result.output


def test_a_folder_of_classes(trained: Path, folder: Path, tmp_path: Path) -> None:
    code, text = run(trained, folder, "--json", "--top", 3, "--csv", tmp_path / "all.csv")
    assert code == 0, text
    found = json.loads(text)
    assert [each["true"] for each in found["predictions"]] == [str(number) for number in range(10)]
    right = [each["classes"][0]["label"] == each["true"] for each in found["predictions"]]
    assert found["top1"] == sum(right) / 10
    assert found["top1"] > 0.7
    rows = list(csv.DictReader((tmp_path / "all.csv").open(encoding="utf-8")))
    assert len(rows) == 30
    assert [row["rank"] for row in rows[:3]] == ["1", "2", "3"]
    with Interpreter(trained / "model.tflite") as interpreter:
        expected = interpreter.classify(np.asarray(Image.open(folder / "3" / "a.png")), top=3)
    assert [each["label"] for each in found["predictions"][3]["classes"]] == [each.label for each in expected]


def test_the_table(folder: Path) -> None:
    code, text = run(FILE, folder / "7" / "a.png", folder / "1")
    assert code == 0
    assert "2 images, median " in text
    assert "top-1 " in text
    assert "█" in text


def test_what_cannot_be_read_is_named_and_left_out(folder: Path) -> None:
    (folder / "1" / "b.png").write_bytes(b"no image")
    (folder / ".thumbnails").mkdir()
    (folder / ".thumbnails" / "c.png").write_bytes(b"hidden")
    (folder / "notes.txt").write_text("no image either")
    code, text = run(FILE, folder)
    assert code == 1
    assert "10 images, median " in text
    assert f"left out: {folder}/1/b.png is not an image that can be read" in text.replace("\n", "")
    assert "c.png" not in text


@pytest.mark.skipif(sys.platform != "linux", reason="names must be UTF-8 here")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("L", (8, 8)).save(folder / os.fsdecode(b"\xff.png"), "png")
    (folder / "two\nlines\x1b[31m.png").write_bytes(b"no image")
    code, text = run(FILE, folder, "--csv", tmp_path / "all.csv", "--json", "--top", 1)
    assert code == 1
    assert b"/\xff.png,1," in (tmp_path / "all.csv").read_bytes()
    (line,) = (line for line in text.splitlines() if line.startswith("left out: "))
    assert line.endswith("lines\\x1b[31m.png is not an image that can be read")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([FILE], "there is nothing to predict. Name images, or folders of images"),
        ([FILE, "none.png"], "there is no image none.png"),
        ([FILE, "empty"], "empty holds no image: none ends in "),
        (["none.tflite", "x.png"], "there is no"),
        ([FILE, "x.png", "--camera", "auto"], "--camera shows what it sees, live"),
        ([FILE, "--web", "0"], "--web shows a camera. Give --camera auto too"),
        ([FILE, "--camera", "77"], "there is no camera /dev/video77"),
        ([FILE, "--camera", "empty"], "empty holds no image that can be read"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Image.new("L", (8, 8)).save("x.png")
    code, text = run(*arguments)
    assert code == 2
    assert message in text.replace("\n", " ")
    assert "Traceback" not in text


def test_a_file_without_metadata(binary_tflite: Path, folder: Path) -> None:
    code, text = run(binary_tflite, folder)
    assert code == 2
    assert "the file does not say how to feed it" in text


def test_a_folder_is_a_camera(folder: Path) -> None:
    camera = open_camera(str(folder / "5"))
    frames = camera.frames()
    assert np.array_equal(next(frames), next(frames))
    camera.close()
    assert list(frames) == []


def test_a_camera_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "video").touch()
    monkeypatch.setitem(sys.modules, "linuxpy.video.device", None)
    with pytest.raises(MobileBnnError, match=r"linuxpy is not installed. pip install 'mobile-bnn\[camera\]'"):
        open_camera(str(tmp_path / "video"))


def test_what_is_no_camera(tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"a file")
    with pytest.raises(MobileBnnError, match=r"the camera .*video cannot be started"):
        open_camera(str(tmp_path / "video"))
    with pytest.raises(UsageError, match="there is no camera /dev/nowhere"):
        open_camera("/dev/nowhere")


def test_a_page_shows_what_is_seen_until_ctrl_c(trained: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "mobile_bnn.cli.main", "predict", trained, "--camera", folder / "0", "--web", "0"]
    process = popen_with_default_signals(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{url}stream", timeout=30) as stream:
            assert stream.readline() == b"--frame\r\n"
            assert stream.readline() == b"Content-Type: image/jpeg\r\n"
        told: dict[str, Any] = {}
        while not told.get("frames_per_second"):  # of one frame there is none
            told = json.loads(urllib.request.urlopen(f"{url}classes", timeout=30).read())
        assert told["classes"][0]["label"] == "0"
        assert b"<img src=" in urllib.request.urlopen(url, timeout=30).read()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{url}../etc/passwd", timeout=30)
        stranger = urllib.request.Request(f"{url}classes", headers={"Host": "elsewhere.example:80"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(stranger, timeout=30)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
