"""What every command prints with --json: one object, as docs/json.md says it."""

import json
import re
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from mobile_bnn import report
from mobile_bnn.cli.console import print_json
from mobile_bnn.cli.main import app
from mobile_bnn.records import Epoch, History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.typing import Json

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools" / "json_docs"))

import json_page  # noqa: E402
from json_outputs import OUTPUTS, schemas  # noqa: E402

COMMANDS = {
    "demo": "demo --epochs 1 --run {run}",
    "train": "train --resume --epochs 3 --run {run}",
    "lint": "lint {run}",
    "convert": "convert {run} --int8",
    "verify": "verify {run} --limit 16",
    "inspect": "inspect {run}",
    "export-weights": "export-weights {run}",
    "import-weights": "import-weights reactnet_a {checkpoint} --set width=0.03125 --output {run}/imported.keras",
    "profile": "profile {run} --runs 3 --threads 1",
    "predict": "predict {run} {image}",
    "compare": "compare {run} {run}",
    "export-profile": "export-profile {run} --csv {run}/latency.csv",
    "devices": "devices local",
    "report": "report {run}",
    "reproduce": "reproduce",
    "doctor": "doctor",
    "zoo list": "zoo list",
    "zoo show": "zoo show binary_lenet",
    "zoo load": "zoo load binary_lenet --weights digits --run {run}-loaded",
    "zoo baseline": "zoo baseline",
    "methods list": "methods list",
    "methods show": "methods show dorefa",
}


IMAGE = ROOT / "docs" / "report.png"
CHECKPOINT = ROOT / "tests" / "zoo" / "importing" / "torch_files" / "reactnet_a.pth"
WITH_DEVICES = {"deploy"}  # which tests/devices runs


def strict(text: str) -> Json:
    """Reads JSON as every other program does, which knows no NaN."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def answer(command: str, run: RunFolder) -> Json:
    result = CliRunner().invoke(app, [*command.format(run=run, image=IMAGE, checkpoint=CHECKPOINT).split(), "--json"])
    assert result.exit_code == 0, result.output
    return strict(result.stdout)


def commands_with_json() -> set[str]:
    import typer

    found = set()
    for name, command in typer.main.get_command(app).commands.items():
        for sub, leaf in getattr(command, "commands", {"": command}).items():
            if any("--json" in parameter.opts for parameter in leaf.params):
                found.add(f"{name} {sub}".strip())
    return found


def test_every_command_is_documented() -> None:
    assert set(OUTPUTS) == {*COMMANDS, *WITH_DEVICES} == commands_with_json()
    headings = re.findall(r"^## mbnn (.+) --json$", (ROOT / "docs" / "json.md").read_text(encoding="utf-8"), re.M)
    assert headings == list(OUTPUTS)


def test_the_page_is_what_the_models_say() -> None:
    """Else run tools/json_docs/json_page.py."""
    assert (ROOT / "docs" / "json.md").read_text(encoding="utf-8") == json_page.page()
    assert json.loads((ROOT / "docs" / "json.schema.json").read_text(encoding="utf-8")) == schemas()


def test_every_link_of_the_page_leads_to_a_heading() -> None:
    text = json_page.page()
    headings = {heading.lower() for heading in re.findall(r"^### (\w+)$", text, re.M)}
    assert set(re.findall(r"\]\(#(\w+)\)", text)) == headings


def same_keys(found: Json, documented: Json) -> None:
    if isinstance(documented, dict):
        assert set(found) == set(documented)
        for key, value in documented.items():
            same_keys(found[key], value)
    elif isinstance(documented, list):
        assert len(found) == len(documented)
        for one, other in zip(found, documented, strict=True):
            same_keys(one, other)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name == "demo" else []) for name in COMMANDS]
)
@pytest.mark.filterwarnings("ignore")
def test_a_command_prints_one_object_with_the_documented_keys(own_run: RunFolder, name: str) -> None:
    content = answer(COMMANDS[name], own_run)
    assert isinstance(content, dict)
    model: type[BaseModel] = OUTPUTS[name]
    # Validation refuses keys that are not documented; those that it adds by default would be documented and not there.
    same_keys(content, model.model_validate(content).model_dump(mode="json"))


def test_report_tells_what_the_page_shows(own_run: RunFolder) -> None:
    content = answer("report {run}", own_run)
    assert content["report"] == str(own_run.report)
    page = own_run.report.read_text(encoding="utf-8")
    assert len(content["key_figures"]) == 5
    for figure in content["key_figures"]:
        assert figure["value"] in page
    best = min((each for each in content["latency"] if not each["float_baseline"]), key=lambda each: each["median_ms"])
    assert content["key_figures"][2]["lines"][0] == f"{best['engine']} · {best['kernel']}"
    assert content["verification_of_file"] == "current"
    assert {each["of_file"] for each in content["latency"]} == {"current"}
    assert content["speed_against_float"] == pytest.approx(
        min(each["median_ms"] for each in content["latency"] if each["float_baseline"]) / best["median_ms"]
    )
    assert content["training"]["epochs"] == 2
    assert content["missing"] == []


def test_report_of_another_file_says_so(own_run: RunFolder) -> None:
    assert CliRunner().invoke(app, ["convert", str(own_run), "--int8"]).exit_code == 0
    content = answer("report {run}", own_run)
    assert content["verification_of_file"] == "another"
    assert {each["of_file"] for each in content["latency"] if not each["float_baseline"]} == {"another"}
    assert content["speed_against_float"] is None
    assert len(content["cautions"]) >= 2


def test_report_of_a_run_that_only_trained(own_run: RunFolder) -> None:
    for path in (own_run.tflite, own_run.verification, own_run.operators, own_run.profile()):
        path.unlink()
    content = report.as_json(own_run)
    assert (content["latency"], content["verification"], content["machine"], content["file"]["bytes"]) == (
        [],
        None,
        None,
        None,
    )
    assert [missing["title"] for missing in content["missing"]] == [
        "Operators",
        "Accuracy before and after conversion",
        "Latency",
    ]


def test_numbers_that_json_lacks(own_run: RunFolder) -> None:
    metrics = {"loss": float("nan"), "accuracy": float("inf"), "val_accuracy": float("-inf")}
    diverged = History(epochs=[Epoch(epoch=1, seconds=1.0, learning_rate=1.0, metrics=metrics)], test=metrics)
    diverged.save(own_run.history)
    content = answer("report {run}", own_run)
    assert content["training"]["test"] == {"loss": "NaN", "accuracy": "Infinity", "val_accuracy": "-Infinity"}
    assert content["training"]["best_epoch"] is None


def test_an_error_prints_no_object(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["report", str(tmp_path / "nowhere"), "--json"])
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_number_inside_lists_and_tuples(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [(float("nan"), 1.5)], "b": {"c": (float("inf"),)}})
    assert strict(capsys.readouterr().out) == {"a": [["NaN", 1.5]], "b": {"c": ["Infinity"]}}
