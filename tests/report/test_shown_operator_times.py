"""Time by operator: the binary ones as the engine tells them, the float ones as what is left of the inference."""

import shutil
from pathlib import Path

import pytest

from mobile_bnn.report import as_json, everything, operator_times, write_html
from mobile_bnn.report.plain import as_text
from mobile_bnn.report.records import read
from mobile_bnn.run_folder import ModelFile, RunFolder
from tests.support.tools import ROOT


def test_the_rest_of_the_inference_is_float_time(timed_run: RunFolder) -> None:
    measured = operator_times.timed(read(timed_run).profiles[0], read(timed_run))
    assert measured is not None
    assert (measured.threads, measured.median_ms) == (2, 0.08)
    split = operator_times.parts(measured)
    assert (split.binary, split.rest, split.whole) == pytest.approx((0.06, 0.02, 0.08))
    both, each = operator_times.tables(measured, "local")
    assert each.caption == "Time of each binary operator, local · delegate · avx2-6x64 · 2 threads"
    assert each.rows == [
        ["0", "LceQuantize", "tiny/conv_1/quantize", "0.0100", "12.5 %"],
        ["1", "LceBconv2d+ADD", "<b>conv_1</b>", "0.0500", "62.5 %"],
    ]
    assert each.totals[-2:] == ["0.0600", "75.0 %"]
    assert [row[1:] for row in both.rows] == [["0.0600", "75.0 %"], ["0.0200", "25.0 %"]]
    assert both.totals == ["whole inference", "0.0800", "100.0 %"]


def test_operators_that_took_longer_leave_nothing(timed_run: RunFolder) -> None:
    measured = read(timed_run).profiles[0].measurements[1].model_copy(update={"median_ms": 0.05})
    split = operator_times.parts(measured)
    assert (split.rest, split.whole) == (0.0, split.binary)


def test_the_terminal_and_json_tell_them(timed_run: RunFolder) -> None:
    text = as_text(everything(timed_run))
    for part in ("Binary and float time, local", "float operators, copying in and out", "LceBconv2d+ADD"):
        assert part in text
    (target,) = as_json(timed_run)["targets"]
    told = target["operator_times"]
    assert (told["engine"], told["kernel"], told["threads"]) == ("delegate", "avx2-6x64", 2)
    assert (told["binary_ms"], told["float_ms"]) == pytest.approx((0.06, 0.02))
    assert [each["name"] for each in told["operators"]] == ["LceQuantize", "LceBconv2d+ADD"]


def test_times_of_another_file_are_left_out(timed_run: RunFolder) -> None:
    timed_run.tflite.write_bytes(timed_run.float_tflite.read_bytes())
    assert as_json(timed_run)["targets"][0]["operator_times"] is None
    assert "Time of each binary operator" not in as_text(everything(timed_run))


def test_profiles_of_before_have_none(real_file_run: RunFolder) -> None:
    assert operator_times.timed(read(real_file_run).profiles[0]) is None
    assert "Time by operator" not in write_html(real_file_run).read_text(encoding="utf-8")


def test_any_tflite_is_reported(tmp_path: Path) -> None:
    """A float file from PyTorch, of which nothing else is known."""
    file = ModelFile(
        shutil.copy(ROOT / "tests" / "converters" / "pytorch" / "reactnet.tflite", tmp_path / "net.tflite")
    )
    found = as_json(str(file))
    assert (found["file"]["binary_macs"], found["latency"], found["verification"]) == (0, [], None)
    assert found["file"]["float_macs"] > 0
    assert "CONV_2D" in write_html(str(file)).read_text(encoding="utf-8")
    assert "CONV_2D" in as_text(everything(str(file)))
