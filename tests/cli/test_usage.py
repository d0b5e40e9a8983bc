"""What the command line says without a run: lists, help, the doctor, and mistakes that are named before any work."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from mobile_bnn.cli.main import app

RUNNER = CliRunner()
COMMANDS = ["demo", "train", "lint", "convert", "verify", "inspect", "export-weights", "profile", "report", "doctor"]
COMMANDS += ["import-weights"]


def mbnn(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments])


def answer(*arguments):
    result = mbnn(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_lists():
    networks = set(answer("zoo", "list"))
    assert len(networks) >= 54
    assert {"binary_alexnet", "bnext_t", "pokebnn_100", "quicknet", "reactnet_a", "resnet20", "xnornet"} < networks
    methods = [entry["name"] for entry in answer("methods", "list")["methods"]]
    assert methods == sorted(methods)
    assert len(methods) == 47
    assert {"bi_real", "bnn", "dorefa", "full_precision", "ir_net", "xnor_net"} < set(methods)
    assert "resnet20" in mbnn("zoo", "list").stdout
    assert "Bi-Real Net" in mbnn("methods", "list").stdout


def test_show():
    assert answer("zoo", "show", "quicknet_small")["binary_macs"] == 1_156_055_040
    assert "1r" in answer("methods", "show", "dorefa")["deploys_as"]
    assert "ECCV 2018" in mbnn("methods", "show", "bi_real").stdout


def test_doctor():
    checks = {check["name"]: check for check in answer("doctor")["checks"]}
    assert checks["Python"]["cure"] == ""
    assert checks["TensorFlow with Keras 2"]["found"].startswith("2.")
    assert checks["LCE's interpreter"]["found"] == "0.16.0"
    assert checks["the native library"]["cure"] == ""
    assert {"LiteRT", "C++ compiler", "operating system"} <= set(checks)


def test_doctor_says_how_to_cure_what_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    checks = {check["name"]: check for check in answer("doctor")["checks"]}
    assert checks["C++ compiler"]["found"] == "not found"
    assert checks["C++ compiler"]["cure"] == "apt-get install g++"


def test_doctor_prints_a_packages_extras(monkeypatch):
    from mobile_bnn.cli import doctor

    cure = "pip install 'mobile-bnn[train]'"
    monkeypatch.setattr(doctor, "_CHECKS", [lambda: doctor.Check("Larq", "training", "not found", cure)])
    assert cure in mbnn("doctor").output


def test_doctor_fails_where_everything_would(monkeypatch):
    from mobile_bnn.cli import doctor

    monkeypatch.setattr(doctor.struct, "calcsize", lambda _: 4)
    result = mbnn("doctor")
    assert result.exit_code == 1
    assert "install a 64-bit system" in " ".join(result.stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    result = mbnn(command, "--help")
    assert result.exit_code == 0
    assert f"Example: mbnn {command}" in " ".join(result.stdout.split())


@pytest.mark.parametrize("group", ["zoo", "methods"])
@pytest.mark.parametrize("command", [[], ["list"], ["show"]])
def test_groups_have_an_example(group, command):
    shown = "list" if (group, command) == ("zoo", ["list"]) else "show"
    assert f"Example: mbnn {group} {shown}" in " ".join(mbnn(group, *command, "--help").stdout.split())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train"], 2, "nothing to train was named. Name an architecture (--zoo) or a recipe (--recipe)"),
        (["train", "--zoo", "resnet2"], 2, "unknown zoo model 'resnet2'. Did you mean resnet20"),
        (["train", "--zoo", "resnet20", "--method", "bireal"], 2, "unknown method 'bireal'. Did you mean bi_real"),
        (["train", "--zoo", "resnet20", "--epochs", "0"], 2, "epochs: Input should be greater than or equal to 1"),
        (["train", "--zoo", "resnet20", "--set", "epoch=3"], 2, "unknown field 'epoch'. Did you mean epochs"),
        (["train", "--zoo", "resnet20", "--set", "epoch"], 2, "--set 'epoch' is not FIELD=VALUE"),
        (["train", "--zoo", "resnet20", "--resume", "--fresh"], 2, "--resume goes on, --fresh starts anew"),
        (["train", "--recipe", "/nowhere.toml"], 2, "there is no recipe /nowhere.toml"),
        (["train", "--zoo", "resnet20", "--dataset", "fashon_mnist"], 2, "fashion_mnist"),
        (["convert", "/nowhere"], 2, "there is no model /nowhere"),
        (["convert", "/nowhere.keras", "--output", "out"], 2, "out does not end in .tflite"),
        (["convert", "/nowhere.keras", "--int8"], 2, "--int8 needs inputs to calibrate on. Give --samples, a .npy"),
        (["convert", "/nowhere.keras", "--int8", "--float-weights", "int8"], 2, "Leave --float-weights out"),
        (["convert", "/nowhere.keras", "--input-type", "int8"], 2, "--input-type and --output-type are for --int8"),
        (["convert", "/nowhere.keras", "--samples", "/nowhere.npy"], 2, "there is no file of samples /nowhere.npy"),
        (["verify", "/nowhere.tflite"], 2, "there is no .tflite file /nowhere.tflite"),
        (["verify", __file__], 2, "a .tflite is verified against a Keras model on a data set. Give --model and"),
        (["inspect", "/nowhere.tflite"], 2, "there is no .tflite file /nowhere.tflite"),
        (["export-weights", "/nowhere.tflite"], 2, "there is no .tflite file /nowhere.tflite"),
        (["export-weights", "/nowhere.tflite", "--output", "w.txt"], 2, "w.txt does not end in .npz"),
        (["import-weights", "quicknet", "/nowhere.h5"], 2, "there is no file /nowhere.h5"),
        (["import-weights", "quicknet", "w.h5", "--output", "w.h5"], 2, "w.h5 does not end in .keras"),
        (
            ["import-weights", "quicknet", "w.h5", "--set", "width"],
            2,
            "--set 'width' is not FIELD=VALUE. For example: --set width",
        ),
        (["import-weights", "quicknet", "w.h5", "--input-shape", "x=3"], 2, "'x=3' is not a shape. Give height, width"),
        (["profile", "/nowhere.tflite"], 2, "there is no .tflite file /nowhere.tflite"),
        (["report", "/nowhere"], 2, "there is no run folder /nowhere. mbnn train makes one"),
        (["zoo", "show", "quicknet_smal"], 2, "unknown zoo model 'quicknet_smal'. Did you mean quicknet_small"),
        (["methods", "show", "xnor"], 2, "unknown method 'xnor'. Did you mean xnor_net"),
    ],
)
def test_mistakes_end_in_one_line(arguments, code, message):
    result = mbnn(*arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_what_typer_refuses_is_bad_usage_too():
    assert mbnn("trian").exit_code == 2
    assert "Did you mean 'train'?" in mbnn("trian").stderr
    assert mbnn("train", "--epoch", "3").exit_code == 2
    assert mbnn("profile", "x.tflite", "--runs", "0").exit_code == 2


def test_a_folder_that_is_no_run(tmp_path):
    result = mbnn("report", tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path} is not a run folder: it holds no recipe.toml" in result.stderr


@pytest.mark.parametrize(("threads", "wrong"), [("257", "257"), ("1,0", "0"), ("1,2,-4,300", "-4")])
def test_threads_out_of_range_are_told_the_range(threads, wrong):
    result = mbnn("profile", __file__, f"--threads={threads}")
    assert result.exit_code == 2
    assert result.stderr == f"error: --threads {threads}: {wrong} is out of range. Give counts of 1 to 256\n"


def test_a_reader_that_has_seen_enough_is_no_error():
    command = f"{sys.executable} -m mobile_bnn.cli.main zoo list | head -1"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=os.environ)
    assert "Traceback" not in result.stderr


def test_version():
    from mobile_bnn import __version__

    assert mbnn("--version").stdout == f"mobile_bnn {__version__}\n"
