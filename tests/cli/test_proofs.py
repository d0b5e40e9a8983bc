"""No false record: what a report, a file or a folder says is of the very file that it is said of."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mobile_bnn.cli.main import app
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History, Operators, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import graph_sha256, read_metadata

RUNNER = CliRunner()


def mbnn(*arguments, code=0):
    result = RUNNER.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def _one_line(text: str) -> str:
    return " ".join(text.split())


def test_every_record_names_the_file_that_lies_there(own_run: RunFolder) -> None:
    graph = graph_sha256(own_run.tflite)
    assert Operators.load(own_run.operators).graph_sha256 == graph
    assert Verification.load(own_run.verification).graph_sha256 == graph
    measured = {Path(m.file).name: m.graph_sha256 for m in Profile.load(own_run.profile()).measurements}
    assert measured == {"model.tflite": graph, "model_float.tflite": graph_sha256(own_run.float_tflite)}


def test_verifying_changes_nothing_and_what_was_measured_before_stays_true(own_run: RunFolder) -> None:
    before = own_run.tflite.read_bytes()
    mbnn("profile", own_run, "--runs", 5, "--threads", 1)
    mbnn("verify", own_run, "--limit", 64)
    assert own_run.tflite.read_bytes() == before
    assert "another" not in mbnn("report", own_run).stdout


def test_a_new_file_does_not_inherit_the_old_ones_proof(own_run: RunFolder) -> None:
    assert "Top-1 of the file" in mbnn("report", own_run).stdout
    mbnn("convert", own_run, "--int8")
    text = _one_line(mbnn("report", own_run).stdout)
    assert "Top-1 of the file" not in text
    assert "Median latency" not in text
    assert f"verified on another model.tflite than the one that is in the folder now. mbnn verify {own_run}" in text
    assert f"measured on another model.tflite than the one that is in the folder now. mbnn profile {own_run}" in text
    mbnn("verify", own_run, "--limit", 64)
    mbnn("profile", own_run, "--runs", 5, "--threads", 1)
    text = _one_line(mbnn("report", own_run).stdout)
    assert "Top-1 of the file" in text
    assert "another model" not in text


def test_the_same_conversion_again_leaves_the_proofs_true(own_run: RunFolder) -> None:
    mbnn("convert", own_run)
    assert "another model" not in mbnn("report", own_run).stdout


def test_the_accuracy_goes_into_a_copy_of_the_file(own_run: RunFolder, tmp_path: Path) -> None:
    copy = tmp_path / "to ship.tflite"
    mbnn("verify", own_run, "--limit", 64, "--output", copy)
    accuracy = read_metadata(copy).accuracy
    verification = Verification.load(own_run.verification)
    assert (accuracy.samples, accuracy.metrics) == (64, verification.metrics)
    assert graph_sha256(copy) == graph_sha256(own_run.tflite)
    assert read_metadata(own_run.tflite).accuracy is None
    assert "does not end in .tflite" in mbnn("verify", own_run, "--output", tmp_path / "x", code=2).stderr


@pytest.mark.parametrize("source", ["", "model.keras"])
def test_a_model_of_a_run_is_converted_as_the_runs(own_run: RunFolder, source: str) -> None:
    own_run.tflite.unlink()
    mbnn("convert", own_run.path / source)
    metadata = read_metadata(own_run.tflite)
    assert metadata.labels == list("0123456789")
    assert metadata.normalization.mean == [127.5]
    assert "another model" not in mbnn("report", own_run).stdout


def test_a_file_of_a_run_is_profiled_verified_and_reported_as_the_runs(own_run: RunFolder) -> None:
    for path in (own_run.verification, own_run.profile()):
        path.unlink()
    mbnn("verify", own_run.tflite, "--limit", 32)
    mbnn("profile", own_run.tflite, "--runs", 3, "--threads", 1)
    mbnn("report", own_run.tflite)
    assert Verification.load(own_run.verification).samples == 32
    assert {m.engine for m in Profile.load(own_run.profile()).measurements} == {"delegate", "lce", "litert"}
    assert own_run.report.is_file()


def test_a_file_alone_has_records_and_a_report_beside_it(own_run: RunFolder, tmp_path: Path) -> None:
    folder = tmp_path / "my files"
    folder.mkdir()
    mine = folder / "net.tflite"
    shutil.copy(own_run.tflite, mine)
    shutil.copy(own_run.float_tflite, folder / "net_float.tflite")
    assert "12 binary layers" not in mbnn("report", mine).stdout
    mbnn("profile", mine, "--runs", 3, "--threads", 1)
    mbnn("verify", mine, "--model", own_run.model, "--dataset", "digits", "--limit", 32)
    text = _one_line(mbnn("report", mine).stdout)
    assert {m.engine for m in Profile.load(folder / "net_profiles" / "local.json").measurements} == {
        "delegate",
        "lce",
        "litert",
    }
    for part in ("Top-1 of the file", "Speed against float", "LceBconv2d"):
        assert part in text
    assert "another" not in text
    assert sorted(path.name for path in folder.iterdir()) == [
        "net.tflite", "net_float.tflite", "net_predictions.json", "net_profiles", "net_report.html",
        "net_verification.json",
    ]  # fmt: skip
    content = bytearray(mine.read_bytes())
    content[content.index(b"conv2/") + 4] = ord("9")  # another file now
    mine.write_bytes(bytes(content))
    assert "verified on another net.tflite than the one" in _one_line(mbnn("report", mine).stdout)


def test_a_runs_file_against_a_model_of_ones_own_leaves_the_runs_record(own_run: RunFolder, tmp_path: Path) -> None:
    before = own_run.verification.read_bytes()
    copy = shutil.copy(own_run.model, tmp_path / "copy.keras")
    mbnn("verify", own_run.tflite, "--model", copy, "--dataset", "digits", "--limit", 16)
    assert own_run.verification.read_bytes() == before
    assert not list(own_run.path.glob("model_verification*"))


@pytest.mark.slow
def test_going_on_for_longer_says_what_is_lost_and_makes_the_file_old(own_run: RunFolder) -> None:
    result = mbnn("train", "--resume", "--run", own_run, "--epochs", 3)
    assert "epochs: 2 before, 3 now. The learning rate of 2 epochs fell along a cosine over 2" in result.stderr
    assert "after 3 epochs" in result.stdout
    assert len(History.load(own_run.history).epochs) == 3
    text = _one_line(mbnn("report", own_run).stdout)
    assert "model.tflite was converted from another model.keras than the one that is in the folder now." in text
    mbnn("convert", own_run)
    assert "converted from another" not in _one_line(mbnn("report", own_run).stdout)
    fewer = mbnn("train", "--resume", "--run", own_run, "--epochs", 1, code=2)
    assert "3 epochs are trained already, more than 1. Resume with --epochs 3 or more" in fewer.stderr
    other = mbnn("train", "--resume", "--run", own_run, "--seed", 4, code=2)
    assert "with another recipe: runtime.seed: 0 → 4. --fresh starts anew" in other.stderr


@pytest.mark.slow
def test_a_constant_rate_loses_nothing_by_going_on(tmp_path: Path) -> None:
    options = ["--zoo", "binary_lenet", "--schedule", "constant", "--batch-size", 256]
    mbnn("train", *options, "--epochs", 2, "--run", tmp_path / "whole")
    mbnn("train", *options, "--epochs", 1, "--run", tmp_path / "parts")
    longer = mbnn("train", "--resume", "--epochs", 2, "--run", tmp_path / "parts")
    assert "epochs: 1 before, 2 now." in longer.stderr
    assert "cosine" not in longer.stderr
    whole, parts = (History.load(RunFolder(tmp_path / name).history) for name in ("whole", "parts"))
    assert parts.test == whole.test
    assert parts.epochs[-1].metrics == whole.epochs[-1].metrics


def test_resuming_where_nothing_is_says_so(tmp_path: Path) -> None:
    result = mbnn("train", "--resume", "--run", tmp_path / "nothere", code=2)
    assert f"{tmp_path / 'nothere'} holds no training to resume. Name an architecture (--zoo)" in result.stderr
    assert not (tmp_path / "nothere").exists()


def test_a_mistake_leaves_no_run_folder(tmp_path: Path) -> None:
    for mistake in (["--dataset", "digitz"], ["--zoo", "quicknet_small"], ["--set", "image_size=64"]):
        options = ["--zoo", "binary_lenet", "--dataset", "digits", "--epochs", 1, "--run", tmp_path / "run"]
        mbnn("train", *options, *mistake, code=2)
        assert not (tmp_path / "run").exists()


def test_defaults_that_were_never_given_do_not_stand_in_the_way(tmp_path: Path) -> None:
    options = ["--zoo", "quicknet_small", "--dataset", "digits", "--run", tmp_path / "run"]
    result = mbnn("train", *options, "--epochs", 1, code=2)
    assert "Leave image_size out" not in result.stderr
    assert "quicknet_small cannot take images of 8x8: it needs at least" in result.stderr
    result = mbnn("train", *options, "--set", "image_size=", "--set", "warmup_epochs=", code=2)
    assert "quicknet_small cannot take images of 8x8" in result.stderr


def test_records_of_before_are_shown_as_of_an_unknown_file(own_run: RunFolder) -> None:
    for path in (own_run.verification, own_run.profile(), own_run.operators):
        fields = json.loads(path.read_text())
        for part in (fields, *fields.get("measurements", [])):
            part.pop("graph_sha256", None)
            part.pop("model_sha256", None)
            if "file_sha256" in part:
                part["file_sha256"] = "0" * 64  # verify used to write the file anew
        path.write_text(json.dumps(fields))
    text = _one_line(mbnn("report", own_run).stdout)
    assert "The accuracy was verified on an unknown file" in text
    assert "The latencies were measured on an unknown file" in text
    assert "of an unknown file" in text.partition("Top-1 of the file")[2].partition("File size")[0]


def test_an_engine_that_refuses_a_file_does_not_cost_the_others_figures(tmp_path: Path) -> None:
    """LCE's default kernel has no grouped convolutions."""
    from mobile_bnn.legacy_keras import larq, tf

    sign = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    layers = [tf.keras.layers.Input((4, 4, 64)), larq.layers.QuantConv2D(64, 3, groups=2, **sign)]
    tf.keras.Sequential(layers).save(tmp_path / "groups.keras")
    mbnn("convert", tmp_path / "groups.keras")
    result = mbnn("profile", tmp_path / "groups.tflite", "--runs", 3, "--threads", 1)
    assert "left out: groups.tflite with lce (bgemm), 1 thread: cannot profile" in result.stderr
    measured = Profile.load(tmp_path / "groups_profiles" / "local.json").measurements
    assert [m.engine for m in measured] == ["delegate", "lce", "litert"]
    refused = mbnn("profile", tmp_path / "groups.tflite", "--engine", "lce:bgemm", "--runs", 3, code=1)
    assert "the engine lce refuses the file" in refused.stderr


def test_the_device_side_reads_a_run_without_tensorflow(own_run: RunFolder, tmp_path: Path) -> None:
    """As on a Raspberry Pi, to which a run folder was copied; nor has the process that measures any of it."""
    absent = """
from importlib import util
import sys

real, training_side = util.find_spec, {"tensorflow", "larq", "tf_keras", "keras", "larq_compute_engine"}
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in training_side:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
util.find_spec = lambda name, package=None: None if name in training_side else real(name, package)
"""
    (tmp_path / "device").mkdir()
    (tmp_path / "device" / "sitecustomize.py").write_text(absent, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "device")}
    for command in (["inspect"], ["report"], ["profile", "--runs", "3", "--threads", "1"], ["export-weights"]):
        arguments = [sys.executable, "-m", "mobile_bnn.cli.main", command[0], str(own_run), *command[1:]]
        ended = subprocess.run(arguments, capture_output=True, text=True, env=environment)
        assert ended.returncode == 0, ended.stderr
    measured = Profile.load(own_run.profile()).measurements
    assert {m.engine for m in measured} == {"delegate", "litert"}
    arguments = [sys.executable, "-m", "mobile_bnn.cli.main", "verify", str(own_run)]
    needs = subprocess.run(arguments, capture_output=True, text=True, env=environment)
    assert (needs.returncode, needs.stderr.count("\n")) == (1, 1)
    assert "pip install 'mobile-bnn[train]'" in needs.stderr
