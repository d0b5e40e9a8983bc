"""Training: equal recipes give equal weights, also through kill -9, Ctrl-C, replicas and workers."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from rich.console import Console

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.records import DatasetRecord, History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import Recipe, train
from tests.support.processes import popen_with_default_signals

SMALL = {"zoo": "binary_lenet", "dataset": "digits", "epochs": 3, "batch_size": 256}


def recipe(**fields):
    return Recipe.of_zoo(SMALL["zoo"], **{**SMALL, **fields})


def weights_of(run):
    return tf.keras.models.load_model(RunFolder(run).model, compile=False).get_weights()


def assert_equal_weights(one, other):
    for mine, theirs in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def mbnn(*arguments, **environment):
    return popen_with_default_signals(
        [sys.executable, "-m", "mobile_bnn.cli.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def unbroken(once):
    """A finished run, which tests only read, and the history that `train` returned."""

    def make(folder):
        _, history = train(recipe(), RunFolder(folder / "run"))
        history.save(folder / "returned.json")

    folder = once("unbroken", make)
    return RunFolder(folder / "run"), History.load(folder / "returned.json")


@pytest.fixture
def finished(unbroken, tmp_path):
    """A copy of the unbroken run, for tests that train into it, and its history."""
    run, history = unbroken
    return RunFolder(shutil.copytree(run.path, tmp_path / "finished")), history


def test_a_run_folder_holds_everything(unbroken):
    run, history = unbroken
    assert Recipe.read(run.recipe) == recipe()
    assert History.load(run.history) == history
    assert len(history.epochs) == 3
    last = history.epochs[-1]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "flip_ratio", "flip_ratio/conv2"} <= set(last.metrics)
    assert 0 < last.metrics["flip_ratio"] < 0.5
    assert history.epochs[0].learning_rate > last.learning_rate
    assert last.metrics["loss"] < history.epochs[0].metrics["loss"]
    assert set(history.test) == {"loss", "accuracy"}
    rows = run.history_csv.read_text().splitlines()
    assert rows[0].startswith("epoch,seconds,learning_rate,accuracy,")
    assert len(rows) == 4
    assert list(run.logs.rglob("events.out.tfevents.*"))
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["epoch-00002", "epoch-00003"]
    card = DatasetRecord.load(run.dataset)
    assert card.labels == list("0123456789")
    assert card.input_shape == (8, 8, 1)


def test_the_saved_model_reaches_the_reported_accuracy(unbroken):
    from mobile_bnn import data

    run, history = unbroken
    model = tf.keras.models.load_model(run.model, compile=False)
    images, labels = data.load("digits").test_arrays()
    accuracy = np.mean(model.predict(images, verbose=0).argmax(1) == labels)
    assert accuracy == pytest.approx(history.test["accuracy"], abs=1e-6)


@pytest.mark.slow
def test_equal_recipes_give_equal_weights_and_seeds_matter(unbroken, tmp_path):
    train(recipe(), RunFolder(tmp_path / "again"))
    assert_equal_weights(unbroken[0].path, tmp_path / "again")
    train(recipe(seed=1), RunFolder(tmp_path / "other"))
    assert any(
        (a != b).any() for a, b in zip(weights_of(unbroken[0].path), weights_of(tmp_path / "other"), strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "bop"])
def test_a_resumed_run_ends_with_the_weights_of_the_unbroken_one(tmp_path, optimizer):
    fields = {"optimizer": optimizer, "schedule": "step", "step_epochs": [2], "warmup_epochs": 0.5, "bop_gamma": 0.01}
    train(recipe(**fields), RunFolder(tmp_path / "whole"))
    broken = RunFolder(tmp_path / "broken")
    train(recipe(**fields), broken)
    # What a kill after the second epoch leaves: no third checkpoint, no model, and half-written files.
    broken.model.unlink()
    for path in (broken.checkpoints / "epoch-00003").iterdir():
        path.unlink()
    (broken.checkpoints / "epoch-00003").rmdir()
    (broken.checkpoints / ".epoch-00003.abc.part").mkdir()
    (broken.path / ".history.json.abc.part.json").write_text("{")
    _, history = train(recipe(**fields), broken, resume=True)
    assert_equal_weights(tmp_path / "whole", tmp_path / "broken")
    whole = History.load(RunFolder(tmp_path / "whole").history)
    for mine, theirs in zip(history.epochs, whole.epochs, strict=True):
        assert mine.learning_rate == theirs.learning_rate
        assert {k: v for k, v in mine.metrics.items() if "flip" not in k} == {
            k: v for k, v in theirs.metrics.items() if "flip" not in k
        }
    assert not list(broken.path.rglob(".*.part*"))


@pytest.mark.slow
def test_kill_9_at_random_moments_changes_nothing(unbroken, tmp_path):
    """The whole acceptance run (ten kills) is `python benchmarks/kill_and_resume.py`; this is its short form."""
    run = tmp_path / "run"
    arguments = ["train", "--zoo", SMALL["zoo"], "--dataset", SMALL["dataset"], "--run", run, "--resume"]
    arguments += ["--epochs", SMALL["epochs"], "--batch-size", SMALL["batch_size"]]
    moments = random.Random(5)
    for _ in range(2):
        process = mbnn(*arguments)
        time.sleep(moments.uniform(3, 8))
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = mbnn(*arguments)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert_equal_weights(unbroken[0].path, run)


@pytest.mark.slow
def test_ctrl_c_leaves_whole_files_and_says_so(tmp_path):
    run = RunFolder(tmp_path / "run")
    process = mbnn("train", "--zoo", "binary_lenet", "--run", run.path, "--epochs", 1000, "--batch-size", 256)
    deadline = time.monotonic() + 120
    while not list(run.checkpoints.glob("epoch-*")) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.rstrip().endswith("interrupted; every file that was written is whole")
    assert "Traceback" not in errors
    assert not list(run.path.rglob(".*.part*"))
    done = len(History.load(run.history).epochs)
    assert done >= 1
    assert sorted(run.checkpoints.iterdir())[-1].name == f"epoch-{done:05d}"


def test_two_trainings_are_not_mixed(finished):
    run, _ = finished
    with pytest.raises(UsageError, match=re.escape(f"{run} already holds a training. --resume goes on with it")):
        train(recipe(), run)
    with pytest.raises(UsageError, match=r"cannot resume .* with another recipe: runtime.seed: 0 → 7"):
        train(recipe(epochs=4, seed=7), run, resume=True)


@pytest.mark.slow
def test_fresh_starts_anew(tmp_path):
    run = RunFolder(tmp_path / "run")
    train(recipe(epochs=2), run)
    run.profile().parent.mkdir()
    for stale in (run.tflite, run.verification, run.profile(), run.path / "notes.txt"):
        stale.write_text("of the former training")
    _, history = train(recipe(epochs=1), run, fresh=True)
    assert not any(path.exists() for path in (run.tflite, run.verification, run.profile()))
    assert (run.path / "notes.txt").exists(), "what is not ours stays"
    assert len(history.epochs) == 1
    assert [path.name for path in run.checkpoints.iterdir()] == ["epoch-00001"]


def test_resuming_a_finished_run_gives_its_model(finished):
    run, history = finished
    before = weights_of(run.path)
    _, again = train(recipe(), run, resume=True)
    assert again == history
    for mine, theirs in zip(before, weights_of(run.path), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_checkpoint_of_another_model_is_named(unbroken, tmp_path):
    run = RunFolder(tmp_path / "run")
    shutil.copytree(unbroken[0].checkpoints, run.checkpoints)
    recipe(zoo="resnet20", epochs=1).write(run.recipe)
    with pytest.raises(MobileBnnError, match=r"cannot resume from .*epoch-00003: .*Train into a new run folder"):
        train(recipe(zoo="resnet20", epochs=1), run, resume=True)


def test_progress_is_a_line_an_epoch_where_no_one_watches(tmp_path):
    console = Console(record=True, force_terminal=False, width=120, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    train(recipe(epochs=2), RunFolder(tmp_path / "run"), console=console)
    lines = console.export_text().splitlines()
    assert lines[0].startswith("training binary_lenet with bnn on 1,257 images of digits into ")
    assert [line.split()[:2] for line in lines[1:]] == [["epoch", "1/2"], ["epoch", "2/2"]]
    assert re.search(r"loss \d\.\d{4}  accuracy 0\.\d{4}  validation \d\.\d{4} / 0\.\d{4}$", lines[1])


def test_latent_weights_stay_clipped(tmp_path):
    train(recipe(epochs=2, learning_rate=0.1, weight_clip=0.25), RunFolder(tmp_path / "run"))
    model = tf.keras.models.load_model(RunFolder(tmp_path / "run").model, compile=False)
    assert np.abs(model.get_layer("conv2").kernel.numpy()).max() == 0.25


@pytest.mark.slow
def test_label_smoothing_raises_the_loss_floor(tmp_path):
    _, plain = train(recipe(epochs=2), RunFolder(tmp_path / "plain"))
    _, smooth = train(recipe(epochs=2, label_smoothing=0.5), RunFolder(tmp_path / "smooth"))
    assert smooth.epochs[0].metrics["loss"] > plain.epochs[0].metrics["loss"]


MIRRORED = """
import sys
from mobile_bnn.legacy_keras import tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import Recipe, train
from tests.support.processes import popen_with_default_signals
from mobile_bnn.training import distribution
assert distribution.make("mirrored").num_replicas_in_sync == 2
recipe = Recipe.of_zoo("binary_lenet", epochs=5, strategy="mirrored")
_, history = train(recipe, RunFolder(sys.argv[1]))
print(history.test["accuracy"])
"""


@pytest.mark.slow
def test_mirrored_strategy_trains_on_two_devices(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", MIRRORED, str(tmp_path / "run")], capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert float(result.stdout.split()[-1]) > 0.7
    assert RunFolder(tmp_path / "run").model.is_file()


@pytest.mark.slow
def test_multi_worker_strategy_with_two_local_workers(tmp_path, ports):
    addresses = [f"127.0.0.1:{port}" for port in ports(2)]
    workers = []
    for index in range(2):
        config = json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
        arguments = ["train", "--zoo", "binary_lenet", "--epochs", 12, "--json"]
        arguments += ["--strategy", "multi_worker", "--run", tmp_path / "run"]
        workers.append(mbnn(*arguments, TF_CONFIG=config))
    outputs = [worker.communicate(timeout=300) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs[0][1][-2000:] + outputs[1][1][-2000:]
    chief, other = (json.loads(output) for output, _ in outputs)
    assert chief["test"]["accuracy"] > 0.7
    assert chief["test"] == other["test"], "both hold the same weights"
    run = RunFolder(tmp_path / "run")
    assert len(History.load(run.history).epochs) == 12
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["epoch-00011", "epoch-00012"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "strategy multi_worker needs the environment variable TF_CONFIG"),
        ("{", "TF_CONFIG does not describe a cluster of workers"),
        ('{"cluster": {}}', "TF_CONFIG does not describe a cluster of workers"),
        (
            '{"cluster": {"worker": ["127.0.0.1:1"]}, "task": {"type": "worker", "index": 3}}',
            "is not one of its 1 workers",
        ),
    ],
)
def test_multi_worker_without_a_cluster(monkeypatch, config, message):
    from mobile_bnn.training import distribution

    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config:
        monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UsageError, match=message):
        distribution.make("multi_worker")
