"""What a run folder holds: errors that a user meets, and the device side's promise to load no TensorFlow."""

import subprocess
import sys
from pathlib import Path

import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.records import History
from mobile_bnn.report import write_html
from mobile_bnn.report.records import read
from mobile_bnn.run_folder import RunFolder


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_html(RunFolder(tmp_path / "nowhere"))
    assert str(caught.value) == (
        f"there is no run folder {tmp_path / 'nowhere'}. mbnn train makes one, mbnn demo makes runs/demo"
    )


def test_nothing_to_report(empty_run: RunFolder) -> None:
    History().save(empty_run.history)  # training writes this before its first epoch ends
    with pytest.raises(UsageError) as caught:
        write_html(empty_run)
    assert str(caught.value) == (
        f"there is nothing to report in {empty_run}: "
        "it holds none of history.json, operators.json, verification.json, profiles. "
        f"Make them with mbnn train, mbnn convert {empty_run}, mbnn verify {empty_run}, mbnn profile {empty_run}"
    )
    assert not empty_run.report.exists()


@pytest.mark.parametrize("content", [b"zoo = ", b"\xff\xfe", b"a = " + b"[" * 5000])
def test_damaged_recipe(recorded_run: RunFolder, content: bytes) -> None:
    recorded_run.recipe.write_bytes(content)
    with pytest.raises(MobileBnnError, match=r"recipe\.toml is not a TOML file: ."):
        read(recorded_run)


def test_damaged_record(recorded_run: RunFolder) -> None:
    recorded_run.profile().write_text(recorded_run.profile().read_text()[:-40])
    with pytest.raises(MobileBnnError, match=r"profiles/local\.json is not a profile file"):
        write_html(recorded_run)
    assert not recorded_run.report.exists()


def test_damaged_tflite(recorded_run: RunFolder) -> None:
    recorded_run.tflite.write_bytes(b"no flatbuffer")
    with pytest.raises(MobileBnnError, match=r"model\.tflite is not a \.tflite file"):
        write_html(recorded_run)


def test_diverged_training_survives_the_file(recorded_run: RunFolder) -> None:
    history = read(recorded_run).history
    assert history is not None
    assert str(history.epochs[1].metrics["val_loss"]) == "nan"


def test_loads_no_tensorflow() -> None:
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['tensorflow', 'tf_keras', 'larq', 'larq_compute_engine']))\n"
        "import mobile_bnn.report, mobile_bnn.report.charts\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
