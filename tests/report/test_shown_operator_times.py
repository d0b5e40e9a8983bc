"""Time by operator: the binary ones as the engine tells them, the float ones as what is left of the inference."""

import shutil
from pathlib import Path

import pytest

from mobile_bnn.profile_records import OperatorLatency
from mobile_bnn.records import Operator
from mobile_bnn.report import as_json, everything, operator_times, write_html
from mobile_bnn.report.operator_kinds import KINDS, operator_kind
from mobile_bnn.report.plain import as_text
from mobile_bnn.report.records import read
from mobile_bnn.run_folder import ModelFile, RunFolder
from tests.support.tools import ROOT


def test_what_operators_leave_of_the_inference_is_outside(timed_run: RunFolder) -> None:
    measured = operator_times.timed(read(timed_run).profiles[0], read(timed_run))
    assert measured is not None
    assert (measured.threads, measured.median_ms) == (2, 0.08)
    split = operator_times.breakdown(measured)
    assert (split.operators, split.outside, split.whole) == pytest.approx((0.06, 0.02, 0.08))
    assert split.by_kind() == pytest.approx({"packing": 0.01, "binary": 0.05, "outside": 0.02})
    kinds, each = operator_times.tables(measured, "local")
    assert each.caption == "Time of each operator, local · delegate · avx2-6x64 · 2 threads"
    assert each.rows == [
        ["0", "LceQuantize", "tiny/conv_1/quantize", "packing", "0.0100", "12.5 %", "", "", ""],
        ["1", "LceBconv2d+ADD", "<b>conv_1</b>", "binary", "0.0500", "62.5 %", "", "", ""],
        ["", "", KINDS["outside"], "outside", "0.0200", "25.0 %", "", "", ""],
    ]
    assert each.totals[4:6] == ["0.0800", "100.0 %"]
    assert [row[2:] for row in kinds.rows] == [["0.0500", "62.5 %"], ["0.0100", "12.5 %"], ["0.0200", "25.0 %"]]
    assert kinds.totals == ["whole inference", "", "0.0800", "100.0 %"]


def test_operators_that_took_longer_leave_nothing(timed_run: RunFolder) -> None:
    measured = read(timed_run).profiles[0].measurements[1].model_copy(update={"median_ms": 0.05})
    split = operator_times.breakdown(measured)
    assert (split.outside, split.whole) == (0.0, split.operators)


@pytest.mark.parametrize(
    ("name", "runs_in", "kind"),
    [
        ("LceBconv2d", "delegate", "binary"),
        ("ADD+LceBconv2d+LceQuantize", "delegate", "binary"),
        ("LceBMaxPool2d", "delegate", "binary"),
        ("BATCH_MATMUL", "delegate", "binary"),
        ("LceQuantize", "delegate", "packing"),
        ("LceQuantize+LceDequantize", "delegate", "packing"),
        ("ADD+MUL", "delegate", "glue"),
        ("ADD+LceQuantize", "delegate", "glue"),
        ("CONV_2D+ADD", "xnnpack", "float"),
        ("BATCH_MATMUL", "litert", "float"),
        ("LceBconv2d", "litert", "float"),
    ],
)
def test_kinds_of_work(name: str, runs_in: str, kind: str) -> None:
    operator = OperatorLatency(operator=0, name=name, layer="", median_ms=1.0, runs_in=runs_in)
    assert operator_kind(operator) == kind


def test_what_a_layer_achieves(timed_run: RunFolder) -> None:
    """Of 2 cores that did 100 Gbit-MAC/s each, in a loop of 3 steps."""
    measured = read(timed_run).profiles[0].measurements[1].model_copy(update={"peak_gmacs": 100.0, "threads": 2})
    rows = [
        Operator(
            index=index, name="LceBconv2d", layer="x", binary=True, output_shape=[1], output_type="float32",
            binary_macs=macs, float_macs=0, weight_bytes=0, output_bytes=0,
        )
        for index, macs in enumerate((0, 2_000_000))
    ]  # fmt: skip
    packing, binary = operator_times.breakdown(measured, rows, layers=["quantize", "conv"]).rows
    assert (packing.binary_macs, packing.gmacs, packing.layer) == (0, None, "quantize")
    assert (binary.binary_macs, binary.layer) == (2_000_000, "conv")
    assert (binary.gmacs, binary.of_peak) == pytest.approx((40.0, 0.2))
    called = measured.operator_times[1].model_copy(update={"calls": 3})
    looped = measured.model_copy(update={"operator_times": [called]})
    assert operator_times.breakdown(looped, rows).rows[0].gmacs == pytest.approx(120.0)


def test_the_terminal_and_json_tell_them(timed_run: RunFolder) -> None:
    text = as_text(everything(timed_run))
    for part in ("Time by kind of work, local", "copying in and out", "LceBconv2d+ADD"):
        assert part in text
    (target,) = as_json(timed_run)["targets"]
    told = target["operator_times"]
    assert (told["engine"], told["kernel"], told["threads"]) == ("delegate", "avx2-6x64", 2)
    assert (told["binary_ms"], told["float_ms"]) == pytest.approx((0.06, 0.02))
    assert told["parts"] == pytest.approx({"packing": 0.01, "binary": 0.05, "outside": 0.02})
    assert [each["name"] for each in told["operators"]] == ["LceQuantize", "LceBconv2d+ADD"]


def test_times_of_another_file_are_left_out(timed_run: RunFolder) -> None:
    timed_run.tflite.write_bytes(timed_run.float_tflite.read_bytes())
    assert as_json(timed_run)["targets"][0]["operator_times"] is None
    assert "Time of each operator" not in as_text(everything(timed_run))


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
