"""Sentences that count: what the commands say of one and of several, and of the last of several."""

import io
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mobile_bnn import pipeline
from mobile_bnn.cli import progress
from mobile_bnn.cli.console import PlainConsole
from mobile_bnn.cli.main import app
from mobile_bnn.run_folder import RunFolder


def test_one_epoch(tmp_path: Path) -> None:
    line = ["train", "--zoo", "binary_lenet", "--batch-size", "256", "--run", str(tmp_path / "run"), "--epochs", "1"]
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 0, result.output
    assert "after 1 epoch\n" in result.stdout


def test_no_measurement_is_counted_beyond_the_last(own_run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status line of a profile of two in three rounds, as a terminal shows it."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(progress, "err", PlainConsole(stderr=True))
    watcher = progress.Terminal()
    pipeline.profile(own_run, engines=["delegate"], threads=[1, 2], runs=3, watcher=watcher)
    counted = re.findall(r"profiling (\d+) of 6: .*?(\d threads?|done)", sys.stderr.getvalue())
    assert {count for count, _ in counted} <= set("123456")
    assert ("1", "1 thread") in counted
    assert ("2", "2 threads") in counted
    assert ("6", "2 threads") in counted


def test_what_is_missing_is_said_in_small_letters(own_run: RunFolder) -> None:
    for path in (own_run.operators, own_run.verification, own_run.profile(), own_run.tflite):
        path.unlink()
    result = CliRunner().invoke(app, ["report", str(own_run)])
    assert result.exit_code == 0, result.output
    for part, command in (("operators", "convert"), ("latency", "profile")):
        assert f"No {part} yet: mbnn {command} {own_run}" in result.stdout.replace("\n", "")


def test_one_binary_layer(tmp_path: Path) -> None:
    from mobile_bnn.legacy_keras import larq, tf

    sign = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    conv = larq.layers.QuantConv2D(32, 3, **sign)
    tf.keras.Sequential([tf.keras.layers.Input((8, 8, 32)), conv]).save(tmp_path / "m.keras")
    for line in (["convert", tmp_path / "m.keras"], ["export-weights", tmp_path / "m.tflite"]):
        result = CliRunner().invoke(app, [str(part) for part in line])
        assert result.exit_code == 0, result.output
    assert result.stdout.endswith(" bytes, 1 binary layer\n")
