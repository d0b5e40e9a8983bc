"""Profiles as CSV and as a trace, against the rules of the Trace Event Format."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from mobile_bnn import pipeline
from mobile_bnn.cli import export_profile
from mobile_bnn.cli.console import reported
from mobile_bnn.errors import UsageError
from mobile_bnn.profile_records import Energy, OperatorLatency, Parity, Profile
from mobile_bnn.report.csv_export import measurements_csv, operators_csv
from mobile_bnn.report.trace_export import trace_json
from mobile_bnn.runtime import graph_sha256, operator_table
from tests.report.test_compared_profiles import measurement, profile


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


@pytest.fixture
def timed(binary_tflite: Path) -> Profile:
    """Of the tiny network's file: its operators with XNNPACK, two of which run as one, and without."""
    times = [
        OperatorLatency(operator=0, name="LceQuantize", layer="quantize", median_ms=0.1),
        OperatorLatency(operator=1, name="LceBconv2d", layer='conv "1"', median_ms=0.2, calls=1),
        OperatorLatency(operator=2, name="CONV+ADD", layer="rest", median_ms=0.3, operators=[2, 3], runs_in="xnnpack"),
    ]
    measured = measurement(
        file=str(binary_tflite),
        graph_sha256=graph_sha256(binary_tflite),
        median_ms=0.7,
        operator_times=times,
        operator_times_plain=times[:2],
    )
    return profile(measured, measured.model_copy(update={"threads": 2}), measurement(engine="lce", kernel="bgemm"))


def test_measurements(timed: Profile) -> None:
    parity = Parity(reference="m_float.tflite", inputs="random", samples=8, largest_difference=1e-6, top1_agreement=1.0)
    told = measurement(parity=parity, energy=Energy(millijoules=3.5, source="RAPL package"), file='a,"b".tflite')
    found = rows(measurements_csv([timed, profile(told, target="ssh://pi@x", board="Pi 4")]))
    assert len(found) == 4
    assert [each["target"] for each in found] == ["local"] * 3 + ["ssh://pi@x"]
    assert float(found[0]["median_ms"]) == 0.7
    assert found[0]["energy_mj"] == found[0]["parity_samples"] == ""
    last = found[-1]
    assert (last["file"], last["board"], last["energy_mj"], last["parity_top1_agreement"]) == (
        'a,"b".tflite',
        "Pi 4",
        "3.5",
        "1.0",
    )
    assert last["rounds"] == "3"
    assert last["timed_runs"] == "120"


def test_operators(timed: Profile, binary_tflite: Path) -> None:
    table = operator_table(binary_tflite)
    found = rows(operators_csv([timed], {table.graph_sha256: table}))
    assert len(found) == 10
    assert [each["xnnpack"] for each in found[:5]] == ["True", "True", "True", "False", "False"]
    assert found[1]["layer"] == 'conv "1"'
    assert int(found[1]["binary_macs"]) == table.operators[1].binary_macs > 0
    assert found[2]["operators"] == "2 3"
    assert int(found[2]["binary_macs"]) == table.operators[2].binary_macs + table.operators[3].binary_macs
    assert rows(operators_csv([timed]))[1]["binary_macs"] == ""


def check_trace(text: str) -> list[dict[str, Any]]:
    """Asserts the rules of the Trace Event Format, and returns the slices."""
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert content["displayTimeUnit"] in ("ms", "ns")
    named: set[tuple[int, int]] = set()
    slices: list[dict[str, Any]] = []
    for event in content["traceEvents"]:
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert isinstance(event["name"], str)
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name", "thread_sort_index")
            wanted = int if event["name"] == "thread_sort_index" else str
            assert isinstance(event["args"]["sort_index" if wanted is int else "name"], wanted)
            named.add((event["pid"], event["tid"]))
        else:
            assert event["ph"] == "X"
            assert isinstance(event["cat"], str)
            assert event["ts"] >= 0
            assert event["dur"] >= 0
            slices.append(event)
    for track in {(each["pid"], each["tid"]) for each in slices}:
        assert track in named
        assert (track[0], 0) in named
        check_nesting([each for each in slices if (each["pid"], each["tid"]) == track])
    return slices


def check_nesting(slices: list[dict[str, Any]]) -> None:
    """Slices of a track lie in one another or apart."""
    open_until: list[float] = []
    for each in sorted(slices, key=lambda event: (event["ts"], -event["dur"])):
        while open_until and open_until[-1] <= each["ts"] + 1e-6:
            open_until.pop()
        end = each["ts"] + each["dur"]
        assert not open_until or end <= open_until[-1] + 1e-6
        open_until.append(end)


def test_a_trace(timed: Profile, binary_tflite: Path) -> None:
    table = operator_table(binary_tflite)
    slices = check_trace(
        trace_json([timed, timed.model_copy(update={"target": "adb://X"})], {table.graph_sha256: table})
    )
    assert {each["pid"] for each in slices} == {1, 2}  # an engine on each target; lce tells no operators
    assert {each["tid"] for each in slices} == {1, 2, 3, 4}  # two thread counts, each with and without XNNPACK
    track = [each for each in slices if (each["pid"], each["tid"]) == (1, 1)]
    assert [each["name"] for each in track] == [
        "inference of model.tflite",
        "LceQuantize",
        "LceBconv2d",
        "CONV+ADD",
        "outside of operators",
    ]
    assert [each["dur"] for each in track] == pytest.approx([700, 100, 200, 300, 100])
    assert [each["ts"] for each in track] == pytest.approx([0, 0, 100, 300, 600])
    facts = track[2]["args"]
    assert facts["layer"] == 'conv "1"'
    assert facts["gmacs_per_second"] == pytest.approx(table.operators[1].binary_macs / 0.2e-3 / 1e9)
    plain = [each for each in slices if (each["pid"], each["tid"]) == (1, 2)]
    assert [each["name"] for each in plain] == ["inference of model.tflite", "LceQuantize", "LceBconv2d"]


def test_operators_that_add_up_to_more_than_the_median_stay_inside(timed: Profile) -> None:
    short = timed.measurements[0].model_copy(update={"median_ms": 0.1})
    slices = check_trace(trace_json([timed.model_copy(update={"measurements": [short]})]))
    assert slices[0]["dur"] == pytest.approx(600)
    assert "gmacs_per_second" not in slices[2]["args"]


def test_awkward_times_nest(timed: Profile) -> None:
    times = [OperatorLatency(operator=n, name="MUL", layer="x", median_ms=1 / 3 / (n + 1)) for n in range(50)]
    odd = timed.measurements[0].model_copy(update={"operator_times": times, "median_ms": 1.23456789})
    check_trace(trace_json([timed.model_copy(update={"measurements": [odd]})]))


def run(*arguments: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(reported(export_profile.command))
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.output


def test_the_command(timed: Profile, tmp_path: Path) -> None:
    timed.save(tmp_path / "p.json")
    names = {"--csv": "m.csv", "--operators-csv": "o.csv", "--trace": "t.json"}
    options = [part for option, name in names.items() for part in (option, tmp_path / name)]
    code, text = run(tmp_path / "p.json", *options, "--json")
    assert code == 0
    assert json.loads(text) == {"written": [str(tmp_path / name) for name in names.values()]}
    assert len(rows((tmp_path / "m.csv").read_text(encoding="utf-8"))) == 3
    slices = check_trace((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert slices[2]["args"]["binary_macs"] > 0  # the file that was measured lies there still


def test_what_cannot_be_exported_is_one_line(timed: Profile, tmp_path: Path) -> None:
    timed.save(tmp_path / "p.json")
    untimed = timed.model_copy(update={"measurements": timed.measurements[2:]})
    untimed.save(tmp_path / "untimed.json")
    code, text = run(tmp_path / "p.json")
    assert code == 2
    assert "nothing is to be written. Name a profile, and at least one of --csv" in text
    code, text = run(tmp_path / "untimed.json", "--trace", tmp_path / "t.json")
    assert code == 2
    assert "no operators were timed: no engine of the profile tells their times. Leave all but --csv out" in text
    assert not (tmp_path / "t.json").exists()
    assert run(tmp_path / "untimed.json", "--csv", tmp_path / "m.csv")[0] == 0
    with pytest.raises(UsageError, match="no profile is named"):
        pipeline.export_profile(csv=tmp_path / "m.csv")
