"""Profiles beside each other: in Python, on the command line, with limits and over time."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn.cli.main import app
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profile_records import Machine, Measurement, Profile, Round
from mobile_bnn.profiling import history
from mobile_bnn.profiling.limits import check_limits
from mobile_bnn.report.comparison import compare, sparkline


def measurement(**changes: Any) -> Measurement:
    """A binary file of about 2 ms in three rounds of 40."""
    speed = changes.pop("speed", 1.0)
    latencies = list(np.random.default_rng(changes.pop("seed", 0)).lognormal(np.log(2 * speed), 0.02, 120))
    fields = {
        "engine": "delegate",
        "engine_version": "0.1.0",
        "kernel": "avx2-6x64",
        "threads": 1,
        "file": "runs/a/model.tflite",
        "file_bytes": 1000,
        "file_sha256": "a" * 64,
        "warmup_runs": 9,
        "runs": 120,
        "latencies_ms": latencies,
        "median_ms": float(np.median(latencies)),
        "p90_ms": float(np.percentile(latencies, 90)),
        "p99_ms": float(np.percentile(latencies, 99)),
        "min_ms": min(latencies),
        "load_ms": 3.0,
        "peak_memory_bytes": 50_000_000,
        "rounds": [Round(runs=40, median_ms=2.0, load_ms=3.0, first_ms=4.0)] * 3,
    }
    return Measurement.model_validate(fields | changes)


def profile(*measurements: Measurement, target: str = "local", measured_at: str = "", **facts: Any) -> Profile:
    """Of a quiet machine."""
    fields = {"system": "Linux", "cpu": "A", "architecture": "x86_64", "logical_cores": 4, "memory_bytes": 1}
    machine = Machine.model_validate(
        fields | {"governor": "performance", "flags": [], "load_1min": 0.1, "python": "3.11"} | facts
    )
    return Profile(target=target, machine=machine, measured_at=measured_at, measurements=list(measurements))


def test_a_change_is_told_from_chance() -> None:
    before = profile(measurement(), measurement(threads=2))
    after = profile(measurement(speed=1.1, seed=1), measurement(threads=2, seed=2))
    slower, same = compare(before, after).rows
    assert slower.significant
    assert 1.08 < slower.low <= slower.median_ratio <= slower.high < 1.12
    assert not same.significant
    assert [row.threads for row in compare(before, after).slower_than(0.05)] == [1]
    assert compare(before, after).slower_than(0.15) == []


def test_another_instruction_set_and_another_folder_are_the_same_measurement() -> None:
    before = profile(measurement(), measurement(engine="litert", kernel="xnnpack", file="runs/a/model_float.tflite"))
    after = profile(
        measurement(kernel="avx512-6x64", file="runs/b/model.tflite", speed=0.5),
        measurement(engine="litert", kernel="xnnpack", file="runs/b/model_float.tflite"),
        measurement(engine="lce", kernel="bgemm", file="runs/b/model.tflite"),
    )
    found = compare(before, after)
    assert [(row.engine, row.kernel) for row in found.rows] == [("delegate", "avx512-6x64"), ("litert", "xnnpack")]
    assert found.only == ["only after: model.tflite with lce bgemm, 1 thread"]


def test_what_cannot_be_compared_is_said() -> None:
    before = profile(measurement(), emulated=True)
    after = profile(
        measurement(engine_version="0.2.0", throttled=True), target="ssh://pi@board", cpu="B", load_1min=3.0
    )
    assert compare(before, after).remarks == [
        "The targets differ: local and ssh://pi@board.",
        "The processors differ: A and B.",
        "Emulated (before): its times say nothing of a real device.",
        "Throttled (after): heat or the supply slowed 1 of its measurements down.",
        "Busy (after): other programs ran, the load average was 3.0.",
        "The versions of delegate differ: 0.1.0 and 0.2.0.",
    ]
    assert compare(profile(measurement()), profile(measurement())).remarks == []


@pytest.mark.parametrize(
    ("limits", "broken"),
    [
        ({"max_ms": 3.0, "max_mb": 60}, []),
        ({"max_ms": 1.0}, ["the median of 2 ms is above 1 ms (local, delegate avx2-6x64, 1 thread, throttled)"]),
        ({"max_mb": 40}, ["the peak memory of 50 MB is above 40 MB (local, delegate avx2-6x64, 1 thread, throttled)"]),
    ],
)
def test_limits(limits: dict[str, float], broken: list[str]) -> None:
    record = profile(
        measurement(median_ms=2.0, throttled=True),
        measurement(median_ms=0.1, file="other.tflite"),  # which the limits are not for
        measurement(median_ms=0.1, file="runs/a/model_float.tflite"),
    )
    assert check_limits(record, **limits) == broken


def test_a_limit_of_nothing() -> None:
    with pytest.raises(UsageError, match="a limit of 0 milliseconds cannot be kept"):
        check_limits(profile(measurement()), max_ms=0)


def test_a_history_keeps_each_profile_once(tmp_path: Path) -> None:
    older = profile(measurement(), measured_at="2026-01-02T03:04:05+00:00")
    newer = profile(measurement(speed=0.5), measured_at="2026-02-02T03:04:05+00:00")
    for each in (newer, older, older):
        history.add(each, tmp_path / "all")
    assert len(list((tmp_path / "all").iterdir())) == 2
    (tmp_path / "all" / "damaged.json").write_text("{")
    damaged: list[str] = []
    found = history.read(tmp_path / "all", lambda path, error: damaged.append(path.name))
    assert [one for _, one in found] == [older, newer]
    assert damaged == ["damaged.json"]
    with pytest.raises(UsageError, match="is not a folder"):
        history.add(older, tmp_path / "all" / "damaged.json")
    with pytest.raises(UsageError, match="there is no folder"):
        history.read(tmp_path / "none", lambda path, error: None)


def test_a_sparkline() -> None:
    assert sparkline([1, 2, 3, 8]) == "▁▂▃█"
    assert sparkline([5, 5]) == "▁▁"
    assert len(sparkline(list(range(100)))) == 24


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.output


def test_the_command(tmp_path: Path) -> None:
    profile(measurement()).save(tmp_path / "a.json")
    profile(measurement(speed=1.2, seed=3)).save(tmp_path / "b.json")
    code, text = run("compare", tmp_path / "a.json", tmp_path / "b.json")
    assert code == 0
    assert "slower" in text
    code, text = run("compare", tmp_path / "a.json", tmp_path / "b.json", "--json")
    content = json.loads(text)
    assert content["measurements"][0]["significant"] is True
    code, text = run("compare", tmp_path / "a.json", tmp_path / "b.json", "--max-slower", 5)
    assert code == 1
    assert "limit: model.tflite with delegate avx2-6x64, 1 thread, is 19.7% slower" in text
    assert run("compare", tmp_path / "b.json", tmp_path / "a.json", "--max-slower", 5)[0] == 0


def test_the_trend(tmp_path: Path) -> None:
    for month, speed in ((1, 1.0), (2, 2.0), (3, 0.5)):
        history.add(profile(measurement(speed=speed), measured_at=f"2026-0{month}-01T00:00:00+00:00"), tmp_path)
    (tmp_path / "damaged.json").write_text("{")
    code, text = run("compare", "--history", tmp_path)
    assert code == 0
    assert "▄█▁" in text or "▃█▁" in text
    assert "left out" in text
    code, text = run("compare", "--history", tmp_path, "--json")
    assert [len(each["measurements"]) for each in json.loads(text[text.index("{") :])["profiles"]] == [1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "two profiles are compared. Name two, or a folder with --history"),
        (["a.json", "b.json", "--history", "."], 2, "--history shows the trend of a folder. Leave the profiles out"),
        (["a.json", "none.json"], 2, "there is no run folder none.json"),
        (["a.json", "lce.json"], 2, "a.json and lce.json have no measurement in common"),
        (["a.json", "damaged.json"], 1, "damaged.json is not a profile file"),
        (["--history", "empty"], 2, "empty holds no profile"),
        (["--history", ".", "--target", "adb://X"], 2, ". holds no profile of adb://X. --target takes local"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    arguments: list[str], code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    profile(measurement()).save("a.json")
    profile(measurement(engine="lce", kernel="bgemm")).save("lce.json")
    Path("damaged.json").write_text("{")
    Path("empty").mkdir()
    found, text = run("compare", *arguments)
    assert found == code
    assert message in text
    assert "Traceback" not in text


def test_a_damaged_profile_is_an_error_in_python(tmp_path: Path) -> None:
    from mobile_bnn import pipeline

    (tmp_path / "damaged.json").write_text("[]")
    with pytest.raises(MobileBnnError, match="not a profile file"):
        pipeline.compare(tmp_path / "damaged.json", tmp_path / "damaged.json")
