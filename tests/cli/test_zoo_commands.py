"""`mbnn zoo list`, `show` and `load`, `mbnn reproduce`, and trainings that begin with the package's weights."""

import json

import pytest
from typer.testing import CliRunner

from mobile_bnn import zoo
from mobile_bnn.cli.app import app
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.zoo.figures import figures

EVERY = set(zoo.names())


def ran(*words, code=0):
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result


def listed(*words):
    return json.loads(ran("zoo", "list", *words, "--json").stdout)


def test_everything_is_listed_with_its_figures():
    content = listed()
    assert set(content) == EVERY
    for name, measured in figures().items():
        entry = content[name]
        assert (entry["parameters"], entry["binary_macs"]) == (measured.parameters, measured.binary_macs)
        assert (entry["file_bytes"], entry["latency_ms"]) == (measured.file_bytes, measured.latency_ms)


def test_a_pattern_chooses_by_name():
    assert set(listed("*resnet*")) == {name for name in EVERY if "resnet" in name}
    assert set(listed("resnet20")) == {"resnet20"}
    assert listed("nothing") == {}


def test_weights_choose_those_that_have_some():
    content = listed("--weights")
    assert set(content) == {name for name in EVERY if zoo.tags(name)}
    assert content["resnet20"]["weights"]["digits"]["tflite"] == zoo.trained("resnet20", "digits").tflite
    assert "binary_lenet" not in listed("--weights", "--task", "detection")
    assert "binary_lenet" in listed("--weights", "--task", "classification")


def test_a_task_chooses_those_that_can_carry_its_head():
    assert {"quicknet_small", "resnet20"} <= set(listed("--task", "segmentation"))
    assert set(listed("--task", "classification")) == EVERY


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["zoo", "list", "*nothing*"], "no architecture matches. mbnn zoo list shows all of them"),
        (["zoo", "list", "--task", "detektion"], "unknown task 'detektion'. Did you mean detection?"),
        (["zoo", "show", "resnet2"], "unknown zoo model 'resnet2'. Did you mean resnet20"),
        (
            ["zoo", "load", "resnet20", "--weights", "digit"],
            "unknown weights of resnet20 'digit'. Did you mean",
        ),
        (["zoo", "load", "xnornet", "--weights", "x"], "there are no trained weights of xnornet. Choose one of "),
        (["train", "--zoo", "xnornet", "--weights", "x"], "there are no trained weights of xnornet. Choose one of "),
        (
            ["train", "--weights", "digits"],
            "digits is a tag of an architecture's weights. Name the",
        ),
        (["reproduce", "resnet20-digit"], "unknown reproduction 'resnet20-digit'. Did you mean resnet20-digits"),
    ],
)
def test_mistakes_are_told_in_one_line(words, message):
    result = ran(*words, code=2)
    assert message in " ".join(result.stderr.split())
    assert result.stderr.count("\n") == 1


def test_one_network_is_shown_with_its_recipes_method():
    content = json.loads(ran("zoo", "show", "resnet20", "--json").stdout)
    assert (content["method"], content["parameters"], content["binary_macs"]) == ("bi_real", 274_042, 40_108_032)
    assert set(content["weights"]) == set(zoo.tags("resnet20"))
    text = ran("zoo", "show", "resnet20").stdout
    assert "weights              digits (top-1 97.50%)" in text
    assert "stage3_6_conv" in text


def test_weights_become_a_run_that_trains_on(tmp_path):
    loaded = RunFolder(tmp_path / "loaded")
    said = ran("zoo", "load", "binary_lenet", "--weights", "digits", "--run", str(loaded)).stdout
    assert "top-1 97.50% of 360 images of digits, after 60 epochs" in " ".join(said.split())
    verified = json.loads(ran("verify", str(loaded), "--json").stdout)
    assert verified["metrics"]["top-1"]["tflite"] == zoo.trained("binary_lenet", "digits").tflite
    again = ran("zoo", "load", "binary_lenet", "--weights", "digits", "--run", str(loaded), code=2)
    assert "already holds a training" in again.stderr
    # From its weights one epoch is enough for what 60 reached.
    words = ["--epochs", "1", "--learning-rate", "0.0001", "--run", str(tmp_path / "on"), "--json"]
    for source in (["--weights", str(loaded)], ["--zoo", "binary_lenet", "--weights", "digits", "--fresh"]):
        assert json.loads(ran("train", *source, *words).stdout)["test"]["accuracy"] > 0.9


def test_the_table_of_reproductions():
    content = json.loads(ran("reproduce", "--json").stdout)["table"]
    entry = content["ir_net-resnet20-cifar10"]
    assert (entry["method"], entry["published"]["value"], entry["reproduced"]) == ("ir_net", 86.5, None)
    assert content["resnet20-digits"]["reproduced"]["headline"] == "top-1"
    assert "ir_net-resnet20-cifar10" in ran("reproduce").stdout
