"""The tables as a terminal of 100 columns shows them: the page's figures, and names that are never markup."""

import json
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History, Operators, Verification
from mobile_bnn.report import (
    everything,
    operator_table,
    profile_table,
    summary,
    training_table,
    verification_table,
    write_html,
)
from mobile_bnn.run_folder import RunFolder


def _shown(renderable: RenderableType) -> str:
    console = Console(record=True, width=100, quiet=False, file=_nowhere())
    console.print(renderable)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 100
    return text


def _nowhere() -> StringIO:
    return StringIO()


def _row(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.strip().startswith(start))
    return line.split()


def test_training_table(history: History) -> None:
    text = _shown(training_table(history))
    assert _row(text, "12 ") == ["12", "1.70", "1.70e−05", "0.1148", "0.9790", "0.1711", "0.9658", "0.0003663"]
    assert _row(text, "2 ")[5] == "nan"
    assert "conv_2" not in text, "of flip ratios the mean is enough"


def test_verification_table(verification: Verification) -> None:
    text = _shown(verification_table(verification))
    assert "Keras and the file on the test split of digits" in text
    assert _row(text, "Top-1, file")[-2:] == ["97.50", "%"]
    assert _row(text, "conv_2") == ["conv_2", "2", "2,097,152", "2", "0.0001", "%", "2", "–", "0", "0"]
    assert _row(text, "total") == ["total", "2,752,512", "3", "0.0001", "%", "2", "–", "0", "1"]
    assert "conv�[31m[red]" in text


@pytest.mark.parametrize(("rounding", "shown"), [(2.44e-5, "2e-05"), (0.0, "none")])
def test_what_rounding_may_move_stands_beside_the_ties(verification: Verification, rounding: float, shown: str) -> None:
    layers = [layer.model_copy(update={"rounding": rounding}) for layer in verification.layers]
    text = _shown(verification_table(verification.model_copy(update={"layers": layers})))
    assert _row(text, "conv_2")[-4:] == ["2", shown, "0", "0"]
    assert _row(text, "total")[-4:] == ["2", shown, "0", "1"]


def test_verification_without_binary_layers_has_no_flip_table(verification: Verification) -> None:
    assert "share" not in _shown(verification_table(verification.model_copy(update={"layers": []})))


def test_operator_table(operators: Operators) -> None:
    text = _shown(operator_table(operators))
    assert _row(text, "2 ")[-4:] == ["1,179,648", "0", "2,816", "16,384"]
    assert _row(text, "total") == ["total", "1,769,472", "19,072", "11,816", "33,488"]


def test_profile_table(profile: Profile) -> None:
    text = _shown(profile_table(profile))
    assert "LCE has no fast kernels for x86 processors (x86_64)" in text
    assert f"{profile.measurements[0].median_ms:.3f}" in text
    assert "AMD EPYC 9B14" in text


def test_summary_shows_what_the_page_shows(recorded_run: RunFolder) -> None:
    text = _shown(summary(recorded_run))
    assert "binary_lenet · bnn · digits" in text
    assert "slower than float LiteRT" in text
    page = write_html(recorded_run).read_text(encoding="utf-8")
    for figure in ("97.50 %", "21.5 kB", "98.93 %", "0.44×"):
        assert figure in text
        assert figure in page


def test_summary_names_the_commands_of_what_is_missing(empty_run: RunFolder, profile: Profile) -> None:
    profile.save(empty_run.profile())
    text = _shown(summary(empty_run)).replace("\n", "")
    assert "No training yet: mbnn train" in text
    assert "No operators yet: mbnn convert" in text
    assert "No latency" not in text


@pytest.mark.parametrize("part", ["Training by epoch", "Sign flips", "Operators of the file", "Recipe", "Versions"])
def test_everything(recorded_run: RunFolder, part: str) -> None:
    assert part in _shown(everything(recorded_run))


def test_records_of_before_say_auto_and_count_their_latencies(recorded_run: RunFolder, profile: Profile) -> None:
    first = profile.measurements[0].model_copy(update={"engine": "delegate", "kernel": "auto"})
    content = profile.model_copy(update={"measurements": [first]}).model_dump()
    del content["measurements"][0]["runs"], content["measurements"][0]["graph_sha256"]
    recorded_run.profile().write_text(json.dumps(content), encoding="utf-8")
    text = _shown(everything(recorded_run))
    assert "delegate · auto" in text
    assert "Latency, batch 1, 200 runs each" in text


def test_runs_of_different_numbers_are_told(profile: Profile) -> None:
    numbers = [1, 12_345, 300, 300, 300, 300]
    measurements = [
        each.model_copy(update={"runs": runs}) for each, runs in zip(profile.measurements, numbers, strict=True)
    ]
    text = _shown(profile_table(profile.model_copy(update={"measurements": measurements})))
    assert "Latency, batch 1, 1 to 12,345 runs each" in text
    one = profile.model_copy(update={"measurements": measurements[:1]})
    assert "Latency, batch 1, 1 run each" in _shown(profile_table(one))


def test_one_image_is_one_image(verification: Verification) -> None:
    text = _shown(verification_table(verification.model_copy(update={"layer_samples": 1})))
    assert "Sign flips at the inputs of binary layers, on 1 image\n" in text
