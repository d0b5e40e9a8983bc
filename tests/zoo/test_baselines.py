"""A float network of Keras becomes a float and an int8 file that LiteRT runs, with what is published beside it."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn import pipeline
from mobile_bnn.cli import zoo_baseline
from mobile_bnn.cli.console import reported
from mobile_bnn.errors import UsageError
from mobile_bnn.runtime import Interpreter, operator_table
from mobile_bnn.zoo import baselines

PUBLISHED = {"MobileNet": 70.4, "MobileNetV2": 71.3, "MobileNetV3Small": 68.1, "MobileNetV3Large": 75.6}
PUBLISHED["EfficientNetB0"] = 77.1


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pipeline.WrittenBaseline]:
    """MobileNetV2 in both forms."""
    folder = tmp_path_factory.mktemp("baselines")
    return {
        "float": pipeline.baseline("mobilenet_v2", folder / "v2.tflite"),
        "int8": pipeline.baseline("mobilenet_v2", folder / "v2_int8.tflite", int8=True),
    }


def operators(path: Path) -> Counter[str]:
    return Counter(each.name for each in operator_table(path).operators)


def test_the_operators_are_those_of_mobilenet_v2(files: dict[str, pipeline.WrittenBaseline]) -> None:
    """52 convolutions, 17 of them depthwise; 10 shortcuts; batch norms and paddings are folded into convolutions."""
    expected = {"CONV_2D": 35, "DEPTHWISE_CONV_2D": 17, "ADD": 10, "MEAN": 1, "FULLY_CONNECTED": 1, "SOFTMAX": 1}
    assert operators(files["float"].path) == expected
    assert operators(files["int8"].path) == expected | {"QUANTIZE": 1, "DEQUANTIZE": 1}
    table = operator_table(files["float"].path)
    assert table.total("float_macs") == pytest.approx(300e6, rel=0.01)  # the paper's figure
    assert operator_table(files["int8"].path).file_bytes < 0.3 * table.file_bytes


def test_litert_runs_both_and_they_agree(files: dict[str, pipeline.WrittenBaseline]) -> None:
    images = baselines.get("mobilenet_v2").images(2, seed=9)
    outputs = {}
    for form, written in files.items():
        with Interpreter(written.path) as interpreter:
            outputs[form] = np.asarray(interpreter.predict(images))
    assert outputs["float"].shape == (2, 1000)
    assert outputs["float"].sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert outputs["float"].std() > 1e-5  # the activations did not die on the way
    assert np.abs(outputs["float"] - outputs["int8"]).max() < 0.01


def test_int8_activations_are_not_all_zeros(files: dict[str, pipeline.WrittenBaseline]) -> None:
    types = Counter(each.output_type for each in operator_table(files["int8"].path).operators)
    assert types["int8"] >= 65
    with Interpreter(files["int8"].path) as interpreter:
        one, other = (interpreter.predict(baselines.get("mobilenet_v2").images(1, seed)) for seed in (1, 2))
    assert one.max() > 0
    assert not np.array_equal(one, np.zeros_like(other))


def test_what_is_published_lies_beside_the_file(files: dict[str, pipeline.WrittenBaseline]) -> None:
    assert files["float"].sidecar.name == "v2_baseline.json"
    facts = json.loads(files["float"].sidecar.read_text(encoding="utf-8"))
    assert facts == {
        "model": "MobileNetV2",
        "accuracy": 0.713,
        "headline": "top-1",
        "dataset": "imagenet",
        "source": "table of models at https://keras.io/api/applications/",
        "weights": "random",
    }
    int8 = json.loads(files["int8"].sidecar.read_text(encoding="utf-8"))
    assert int8["model"] == "MobileNetV2 int8"
    assert int8["accuracy"] == 0.713
    assert int8["source"].endswith("; of the float network, its int8 form was not measured")


def test_published_accuracies() -> None:
    every = map(baselines.get, baselines.names())
    assert {each.title: round(100 * each.top1, 1) for each in every} == PUBLISHED


def test_an_unknown_name_and_a_wrong_ending(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown baseline 'mobilnet'\. Did you mean mobilenet"):
        pipeline.baseline("mobilnet", tmp_path / "a.tflite")
    with pytest.raises(UsageError, match=r"is not a name of a \.tflite"):
        pipeline.baseline("mobilenet", tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_command_lists_them() -> None:
    import typer

    app = typer.Typer()
    app.command()(reported(zoo_baseline.command))
    shown = CliRunner().invoke(app, ["--json"])
    assert shown.exit_code == 0
    assert list(json.loads(shown.output)["baselines"]) == baselines.names()
    assert "efficientnet_b0" in CliRunner().invoke(app, []).output
    refused = CliRunner().invoke(app, ["--int8"])
    assert refused.exit_code == 2
    assert "which baseline is to be written is not said" in refused.output
