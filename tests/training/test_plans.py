"""Schedules, phases and teachers: each trains a real network, and resumes to the weights of the unbroken training."""

import hashlib
import io
import shutil

import numpy as np
import pytest
from rich.console import Console

from mobile_bnn import converters, training, zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.records import History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import Recipe
from mobile_bnn.training.distillation import soft_loss
from mobile_bnn.training.stages import stages
from tests.support.fixtures import FIXTURES
from tests.support.registries import forget_registrations

EPOCHS = 4
KINDS = {
    "schedules": {"method": "ir_net", "method.t_min": 0.1},
    "phases": {"method": "bi_real", "method.float_start": 0.25, "method.float_kernels": 0.25},
    "float twin": {"teacher": "float_twin", "teacher.epochs": 2, "teacher.temperature": 2.0},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.02},
    "sharpening": {"method": "xnor_net", "method.input_gradient": "error_decay"},
}


def recipe(**fields):
    common = {"dataset": "digits", "batch_size": 256, "epochs": EPOCHS, "flip_ratio": False}
    return Recipe.of_zoo("binary_lenet", **{**common, **fields})


def weights_of(run):
    return tf.keras.models.load_model(RunFolder(run).model, compile=False).get_weights()


def break_after(run, epoch):
    """What a kill after an epoch leaves."""
    RunFolder(run).model.unlink()
    for path in RunFolder(run).checkpoints.iterdir():
        if int(path.name.removeprefix("epoch-")) > epoch:
            shutil.rmtree(path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_training_is_exact(kind, tmp_path):
    chosen = recipe(**KINDS[kind])
    _, whole = training.train(chosen, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "broken")
    break_after(tmp_path / "broken", EPOCHS - 1)
    _, history = training.train(chosen, tmp_path / "broken", resume=True)
    for mine, theirs in zip(weights_of(tmp_path / "whole"), weights_of(tmp_path / "broken"), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert [epoch.metrics for epoch in history.epochs] == [epoch.metrics for epoch in whole.epochs]
    assert [epoch.learning_rate for epoch in history.epochs] == [epoch.learning_rate for epoch in whole.epochs]
    converters.convert(RunFolder(tmp_path / "broken").model, tmp_path / "model.tflite")


@pytest.mark.slow
def test_xla_computes_the_same_steps(tmp_path, monkeypatch):
    forget_registrations(monkeypatch)

    @zoo.register("poolless", summary="S", source="S", input_shape=(8, 8, 1), num_classes=10, smallest_input=4)
    def poolless(method, image):
        x = method.conv2d(image, 16, 3, binary_input=False, strides=2, name="conv1")
        x = tf.keras.layers.BatchNormalization(name="norm1")(x)
        return {2: tf.keras.layers.BatchNormalization(name="norm2")(method.conv2d(x, 16, 3, name="conv2"))}

    fields = {"zoo": "poolless", "dataset": "digits", "epochs": 1, "batch_size": 512, "learning_rate": 1e-3}
    _, plain = training.train(Recipe.make(**fields), tmp_path / "plain")
    _, compiled = training.train(Recipe.make(jit=True, **fields), tmp_path / "compiled")
    losses = [history.epochs[0].metrics["loss"] for history in (plain, compiled)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)  # a sum in another order may turn a sign


def test_xla_is_refused_where_it_has_no_reproducible_gradient(tmp_path):
    with pytest.raises(UsageError, match=r"runtime.jit: binary_lenet has a maximum pool \(pool1\)"):
        training.train(recipe(jit=True), tmp_path / "run")


@pytest.mark.slow
def test_a_training_that_breaks_between_two_phases_goes_on_with_the_second(tmp_path):
    chosen = recipe(**KINDS["phases"], epochs=2)
    training.train(chosen, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "broken")
    break_after(tmp_path / "broken", 1)
    _, history = training.train(chosen, tmp_path / "broken", resume=True)
    for mine, theirs in zip(weights_of(tmp_path / "whole"), weights_of(tmp_path / "broken"), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    # The learning rate falls to 0 in each phase, for each begins with a new optimizer.
    assert [epoch.learning_rate for epoch in history.epochs] == [pytest.approx(0, abs=1e-9)] * 2


def test_going_on_for_longer_says_that_the_method_follows_the_progress(tmp_path):
    console = Console(record=True, force_terminal=False, width=300, file=io.StringIO())
    chosen = {"method": "ir_net", "schedule": "constant"}
    training.train(recipe(**chosen, epochs=1), tmp_path / "run")
    training.train(recipe(**chosen, epochs=2), tmp_path / "run", resume=True, console=console)
    text = console.export_text()
    assert "epochs: 1 before, 2 now. IR-Net follows the training's progress, which is that of 2 epochs" in text


def test_phases_are_ranges_of_epochs():
    first, second = stages(recipe(method="bnn", epochs=10, **{"method.float_kernels": 0.3}))
    assert (first.first, first.last, first.schedule_epochs, first.phase.binarize_kernels) == (0, 3, 3, False)
    assert (second.first, second.last, second.schedule_epochs, second.new_optimizer) == (3, 10, 7, True)
    float_first = stages(recipe(method="bnn", epochs=10, **{"method.float_start": 0.2, "method.float_kernels": 0.3}))
    assert [(stage.first, stage.last, stage.new_optimizer) for stage in float_first] == [
        (0, 2, True),
        (2, 5, True),
        (5, 10, True),
    ]
    assert [(stage.phase.binarize_inputs, stage.phase.binarize_kernels) for stage in float_first] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    (only,) = stages(recipe(method="bnn", epochs=10))
    assert (only.first, only.last, only.schedule_epochs) == (0, 10, 10)
    # A share of less than half an epoch is none.
    assert [each.first for each in stages(recipe(epochs=1, **{"method.float_kernels": 0.2}))] == [0]


def test_a_schedule_reaches_its_end(tmp_path):
    model, _ = training.train(recipe(method="ir_net", epochs=1), tmp_path / "run")
    quantizers = [layer.kernel_quantizer for layer in model.layers if hasattr(layer, "kernel_quantizer")]
    assert len(quantizers) == 5
    assert [float(quantizer.parameter) for quantizer in quantizers] == [pytest.approx(10.0, rel=1e-5)] * 5
    loaded = tf.keras.models.load_model(RunFolder(tmp_path / "run").model, compile=False)
    assert float(loaded.get_layer("conv2").kernel_quantizer.parameter) == float(quantizers[0].parameter)


def test_the_soft_loss_is_hintons():
    rng = np.random.default_rng(0)
    teacher, student = rng.normal(0, 3, (2, 5, 7)).astype(np.float32)

    def softmax(x):
        e = np.exp(x.astype(np.float64) - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    for temperature in (1.0, 4.0):
        p, q = softmax(teacher / temperature), softmax(student / temperature)
        expected = temperature**2 * (p * np.log(p / q)).sum(-1).mean()
        assert float(soft_loss(teacher, student, temperature)) == pytest.approx(expected, rel=1e-5)
    assert float(soft_loss(teacher, teacher, 2.0)) == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_another_run_teaches(tmp_path):
    _, taught = training.train(recipe(method="full_precision"), tmp_path / "teacher")
    assert taught.test["accuracy"] > 0.3  # of ten classes, after four epochs
    chosen = recipe(epochs=1, teacher="run", **{"teacher.run": str(tmp_path / "teacher"), "teacher.weight": 1.0})
    before = weights_of(tmp_path / "teacher")
    training.train(chosen, tmp_path / "student")
    training.train(recipe(epochs=1), tmp_path / "alone")
    assert any(
        (a != b).any() for a, b in zip(weights_of(tmp_path / "student"), weights_of(tmp_path / "alone"), strict=True)
    )
    for mine, theirs in zip(before, weights_of(tmp_path / "teacher"), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_teacher_that_does_not_fit_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"the teacher .*nobody has no trained model. Train it first"):
        training.train(recipe(teacher="run", **{"teacher.run": str(tmp_path / "nobody")}), tmp_path / "run")
    assert not (tmp_path / "run").exists(), "a mistake leaves no run folder"
    other = RunFolder(tmp_path / "other")
    other.path.mkdir()
    model = tf.keras.Sequential([tf.keras.layers.Input((4, 4, 1)), tf.keras.layers.Flatten()])
    model.save(other.model, save_format="keras")
    with pytest.raises(UsageError, match=r"the teacher does not fit: it has images of \(4, 4, 1\), the student"):
        training.train(recipe(teacher="run", **{"teacher.run": str(other)}), tmp_path / "second")


def test_a_run_of_version_1_goes_on(tmp_path):
    """Its flat recipe, its history and its checkpoint, with the very weights."""
    run = RunFolder(tmp_path / "run")
    shutil.copytree(FIXTURES / "version_1" / "run", run.path)
    recipe = Recipe.read(run.recipe)
    model, history = training.train(recipe, run, resume=True)
    assert history.epochs == History.load(FIXTURES / "version_1" / "run" / "history.json").epochs
    digest = hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest()
    assert digest == "585696253f0040f3cf00ae72cb51c5519fe6b8e205a6aed26865b7991e4c2104"
    _, longer = training.train(Recipe.read(run.recipe, epochs=3), run, resume=True)
    assert len(longer.epochs) == 3
