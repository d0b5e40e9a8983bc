"""Models beside each other: where accuracies are from, which are on the front, and the page of several runs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mobile_bnn.cli.main import app
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History
from mobile_bnn.report import charts, pareto
from mobile_bnn.report.pareto import Entry, Score
from mobile_bnn.report.records import read
from mobile_bnn.run_folder import RunFolder


def entry(name: str, median_ms: float, accuracy: float | None, **changes: object) -> Entry:
    """A file on one target."""
    score = None if accuracy is None else Score(accuracy, "imagenet")
    fields = {"engine": "delegate", "target": "local", "threads": 1, "size_bytes": 1000, "memory_bytes": 2000}
    return Entry(model=name, median_ms=median_ms, score=score, **(fields | changes))  # type: ignore[arg-type]


def front(*found: Entry) -> list[str]:
    return [each.model for each in found if pareto._is_front(each, found)]


def test_the_front_is_what_nothing_beats() -> None:
    fast, good, bad = entry("fast", 1, 0.5), entry("good", 9, 0.8), entry("bad", 5, 0.4)
    assert front(fast, good, bad) == ["fast", "good"]
    assert front(fast, good, entry("same", 9, 0.8)) == ["fast", "good", "same"]
    assert front(fast, entry("unknown", 0.1, None)) == ["fast"]
    elsewhere = entry("bad", 5, 0.4, target="ssh://pi")
    assert front(fast, elsewhere) == ["fast", "bad"]
    other_data = Entry(**{**vars(bad), "score": Score(0.4, "digits")})
    assert front(fast, other_data) == ["fast", "bad"]


def test_accuracies_are_of_the_run_its_twin_and_of_baselines(real_file_run: RunFolder, tmp_path: Path) -> None:
    baseline = tmp_path / "mobilenet.tflite"
    baseline.write_bytes(b"")
    facts = {"model": "MobileNetV2", "accuracy": 0.713, "dataset": "imagenet", "source": "a table"}
    (tmp_path / "mobilenet_baseline.json").write_text(json.dumps(facts))
    profile = Profile.load(real_file_run.profile())
    other = profile.measurements[-1].model_copy(
        update={"file": str(baseline), "file_sha256": "b" * 64, "graph_sha256": "b" * 64}
    )
    unknown = other.model_copy(update={"file": str(tmp_path / "x.tflite"), "graph_sha256": "c" * 64})
    changed = profile.model_copy(update={"measurements": [*profile.measurements, other, unknown]})
    changed.save(real_file_run.profile())
    found = {each.model: each for each in pareto.entries([read(real_file_run)])}
    own, twin = found["binary_lenet · bnn · digits"], found["binary_lenet · bnn · digits (float)"]
    assert own.score is not None
    assert twin.score is not None
    assert (own.score.value, own.score.dataset) == (351 / 360, "digits")
    assert twin.score.value == 352 / 360
    assert found["MobileNetV2"].score == Score(0.713, "imagenet", published=True, source="a table")
    assert found["x"].score is None
    assert pareto.sources(list(found.values())) == ["MobileNetV2: 71.30 %, a table"]
    assert [chart.title for chart in charts.pareto(list(found.values()))] == [
        "Accuracy on digits against latency",
        "Accuracy on imagenet against latency",
    ]


def test_several_runs_make_one_page(real_file_run: RunFolder, tmp_path: Path) -> None:
    page = tmp_path / "all.html"
    arguments = ["report", str(real_file_run), str(real_file_run), "--output", str(page)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert "2 models on local" in text
    assert page.stat().st_size < 500_000
    result = CliRunner().invoke(app, [*arguments, "--json"])
    models = json.loads(result.stdout)["models"]
    assert {each["model"] for each in models} == {"binary_lenet · bnn · digits", "binary_lenet · bnn · digits (float)"}


def test_a_run_that_was_not_profiled_is_named(real_file_run: RunFolder, history: History, tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    history.save(other.history)
    other.recipe.write_text("")
    page = tmp_path / "all.html"
    result = CliRunner().invoke(app, ["report", str(real_file_run), str(other), "--output", str(page)])
    assert result.exit_code == 2
    assert f"{other} was not profiled. mbnn profile {other} does it" in result.output.replace("\n", "")
    assert not page.exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"model": 1}'])
def test_a_damaged_sidecar_tells_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "m_baseline.json").write_text(content)
    assert "accuracy" not in pareto._sidecar(str(tmp_path / "m.tflite"))
