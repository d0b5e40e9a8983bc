"""Profiles beside each other: in Python, on the command line, with limits and over time."""

import json
import re
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
from mobile_bnn.report.comparison import compare, table
from mobile_bnn.run_folder import RunFolder


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
        "rounds": [
            Round(runs=40, median_ms=float(np.median(part)), load_ms=3.0, first_ms=4.0)
            for part in np.split(np.asarray(latencies), 3)
        ],
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
    found = compare(before, after)
    slower, same = (each.median for each in found.measurements)
    assert slower.significant
    assert slower.low is not None
    assert slower.high is not None
    assert 1.06 < slower.low < slower.ratio < slower.high < 1.14
    assert same.significant is False
    assert found.slower_than(0.05) == ["model.tflite with delegate avx2-6x64, 1 thread is 9.8 % slower"]
    assert found.slower_than(0.15) == []
    shown, styles = table(found, "a")
    assert [row[7] for row in shown.rows[3:5]] == ["–", "exact"]
    assert [row[8] for row in shown.rows[:5]] == ["slower", "slower", "no change", "not told", "no change"]
    assert styles == ["red", "red", *[""] * 8]


def test_each_figure_changes_by_itself() -> None:
    before, slow = measurement(), measurement()
    tail = [ms * (3 if number % 5 == 0 else 1) for number, ms in enumerate(slow.latencies_ms)]
    after = slow.model_copy(
        update={
            "latencies_ms": tail,
            "median_ms": float(np.median(tail)),
            "p90_ms": float(np.percentile(tail, 90)),
            "load_ms": 6.0,
            "rounds": [
                each.model_copy(update={"load_ms": ms}) for each, ms in zip(slow.rounds, (5.9, 6, 6.1), strict=True)
            ],
            "peak_memory_bytes": 75_000_000,
            "file_bytes": 900,
        }
    )
    (found,) = compare(profile(before), profile(after)).measurements
    assert found.median.significant is False
    assert found.p90.significant is True
    assert found.p90.ratio > 2
    assert (found.load.ratio, found.load.significant) == (2.0, True)
    assert (found.memory.ratio, found.memory.significant, found.memory.low) == (1.5, None, None)
    assert (found.size.ratio, found.size.significant, found.size.low) == (0.9, True, 0.9)


def test_a_single_run_tells_no_interval_and_is_not_waved_through() -> None:
    one = measurement(latencies_ms=[2.0], median_ms=2.0, rounds=[], runs=1)
    two = measurement(latencies_ms=[3.0], median_ms=3.0, rounds=[], runs=1)
    found = compare(profile(one), profile(two))
    assert found.measurements[0].median.significant is None
    assert found.slower_than(0.05) == ["model.tflite with delegate avx2-6x64, 1 thread is 50.0 % slower (no interval)"]


def test_a_tool_that_prints_no_latencies_is_compared_by_its_rounds() -> None:
    silent = [measurement(seed=seed, speed=speed, latencies_ms=[]) for seed, speed in ((0, 1.0), (1, 1.2))]
    (found,) = compare(profile(silent[0]), profile(silent[1])).measurements
    assert found.median.significant is True
    assert found.p90.significant is None
    single = [each.model_copy(update={"rounds": each.rounds[:1]}) for each in silent]
    (found,) = compare(profile(single[0]), profile(single[1])).measurements
    assert found.median.significant is None


def test_another_instruction_set_and_another_folder_are_the_same_measurement() -> None:
    before = profile(measurement(), measurement(engine="litert", kernel="xnnpack", file="runs/a/model_float.tflite"))
    after = profile(
        measurement(kernel="avx512-6x64", file="runs/b/model.tflite", speed=0.5),
        measurement(engine="litert", kernel="xnnpack", file="runs/b/model_float.tflite"),
        measurement(engine="lce", kernel="bgemm", file="runs/b/model.tflite"),
    )
    found = compare(before, after)
    pairs = [(each.engine, each.kernel) for each in found.measurements]
    assert pairs == [("delegate", "avx512-6x64"), ("litert", "xnnpack")]
    assert found.only_before == []
    assert found.only_after == ["model.tflite with lce bgemm, 1 thread"]


def test_files_of_other_names_and_files_beside_them() -> None:
    mobilenet = measurement(engine="litert", kernel="xnnpack", file="m.tflite")
    before = profile(measurement(file="old.tflite"), mobilenet)
    after = profile(measurement(file="new.tflite"), mobilenet)
    assert [each.file for each in compare(before, after).measurements] == ["new.tflite", "m.tflite"]
    floats = profile(mobilenet), profile(measurement(engine="litert", kernel="xnnpack", file="v3.tflite"))
    assert [each.file for each in compare(*floats).measurements] == ["v3.tflite"]


def test_kernels_are_told_apart_where_one_profile_has_several() -> None:
    before = profile(measurement(kernel="avx2-6x64"), measurement(kernel="sse4-4x64", speed=2.0))
    after = profile(measurement(kernel="avx2-4x64"))
    found = compare(before, after)
    assert [each.kernel for each in found.measurements] == ["avx2-4x64"]
    assert found.measurements[0].median.before < 3
    assert found.only_before == ["model.tflite with delegate sse4-4x64, 1 thread"]


def test_what_cannot_be_compared_is_said() -> None:
    before = profile(measurement(), emulated=True)
    after = profile(
        measurement(engine_version="0.2.0", throttled=True, speed=3.0),
        target="ssh://pi@board",
        cpu="B",
        load_1min=3.0,
        governor="powersave",
    )
    found = compare(before, after)
    assert found.not_comparable == [
        "the targets differ: local and ssh://pi@board",
        "the processors differ: A and B",
        "the frequency governors differ: performance and powersave",
        "before was measured in an emulator",
        "heat or the supply slowed 1 of 1 measurement down (after)",
    ]
    assert found.remarks == [
        "Other programs ran (after): the load average was 3.0.",
        "The versions of delegate differ: 0.1.0 and 0.2.0.",
    ]
    assert found.slower_than(0.5)[0].endswith("% slower (throttled, emulated)")
    same = compare(profile(measurement()), profile(measurement()))
    assert (same.not_comparable, same.remarks) == ([], [])


def test_profiles_of_one_process_say_so() -> None:
    single = profile(measurement(rounds=[]))
    assert compare(profile(measurement()), single).remarks == [
        "One process measured (after): how others would differ is not in the intervals."
    ]


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
    board = history.add(older.model_copy(update={"target": "ssh://pi@board:22/"}), tmp_path / "boards")
    assert re.fullmatch(r"2026-01-02T03-04-05-ssh-pi@board%3A22%2F-[0-9a-f]{12}\.json", board.name)
    (tmp_path / "all" / "damaged.json").write_text("{")
    damaged: list[str] = []
    found = history.read(tmp_path / "all", lambda path, error: damaged.append(path.name))
    assert [one for _, one in found] == [older, newer]
    assert damaged == ["damaged.json"]
    with pytest.raises(UsageError, match="is not a folder"):
        history.add(older, tmp_path / "all" / "damaged.json")
    with pytest.raises(UsageError, match="there is no folder"):
        history.read(tmp_path / "none", lambda path, error: None)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.output


def test_the_command(tmp_path: Path) -> None:
    profile(measurement()).save(tmp_path / "a.json")
    profile(measurement(speed=1.2, seed=3), cpu="B").save(tmp_path / "b.json")
    code, text = run("compare", tmp_path / "a.json", tmp_path / "b.json")
    assert code == 0
    assert text.startswith("NOT COMPARABLE: the processors differ: A and B\n")
    assert [line.split()[-1] for line in text.splitlines() if " ms " in line] == ["slower", "slower", "change"]
    code, text = run("compare", tmp_path / "a.json", tmp_path / "b.json", "--json")
    content = json.loads(text)
    assert content["baseline"] == str(tmp_path / "a.json")
    assert content["comparisons"][0]["measurements"][0]["median"]["significant"] is True
    for limit in ("5%", "5"):
        code, text = run("compare", tmp_path / "a.json", tmp_path / "b.json", "--max-slower", limit)
        assert code == 1
        assert "limit: model.tflite with delegate avx2-6x64, 1 thread is 19.7 % slower" in text
    assert run("compare", tmp_path / "b.json", tmp_path / "a.json", "--max-slower", "5%")[0] == 0


def test_several_against_the_first(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.json" for name in "abc"]
    for path, speed in zip(paths, (1.0, 1.0, 1.5), strict=True):
        profile(measurement(speed=speed)).save(path)
    code, text = run("compare", *paths, "--max-slower", 5)
    assert code == 1
    assert f"limit: {paths[2]}: model.tflite" in text
    assert text.count("(before)") == 2
    assert text.count("limit:") == 1


def test_runs_are_compared_by_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, target in (("a", "ssh://pi@x"), ("b", "ssh://pi@x"), ("c", "local")):
        Path(name).mkdir()
        Path(name, "recipe.toml").write_text("")
        profile(measurement(), target=target).save(RunFolder(name).profile(target))
    assert run("compare", "a", "b")[0] == 0
    assert run("compare", "a", "b", "--target", "ssh://pi@x")[0] == 0
    code, text = run("compare", "a", "b", "--target", "local")
    assert code == 2
    assert "a has no profile of local. --target takes ssh://pi@x" in text
    code, text = run("compare", "a", "c")
    assert code == 0
    assert "NOT COMPARABLE: the targets differ: ssh://pi@x and local" in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "two profiles are compared. Name two or more, or a folder with --history"),
        (["a.json"], 2, "two profiles are compared. Name two or more"),
        (["a.json", "b.json", "--history", "."], 2, "--history shows the trend of a folder"),
        (["a.json", "a.json", "--output", "x.html"], 2, "--output writes the page of a trend. Give --history FOLDER"),
        (["a.json", "none.json"], 2, "there is no run folder none.json"),
        (["a.json", "lce.json"], 2, "a.json and lce.json have no measurement in common"),
        (["a.json", "damaged.json"], 1, "damaged.json is not a profile file"),
        (["a.json", "a.json", "--max-slower", "much"], 2, "--max-slower 'much' is not a number of per cent"),
        (["a.json", "a.json", "--max-slower", "0"], 2, "a limit of 0 % cannot be kept. Give a number above 0"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    arguments: list[str], code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    profile(measurement()).save("a.json")
    profile(measurement(engine="lce", kernel="bgemm")).save("lce.json")
    Path("damaged.json").write_text("{")
    found, text = run("compare", *arguments)
    assert found == code
    assert message in text
    assert "Traceback" not in text


def test_a_damaged_profile_is_an_error_in_python(tmp_path: Path) -> None:
    from mobile_bnn import pipeline

    (tmp_path / "damaged.json").write_text("[]")
    with pytest.raises(MobileBnnError, match="not a profile file"):
        pipeline.compare(tmp_path / "damaged.json", tmp_path / "damaged.json")
    with pytest.raises(UsageError, match="one profile cannot be compared"):
        pipeline.compare(tmp_path / "damaged.json")
