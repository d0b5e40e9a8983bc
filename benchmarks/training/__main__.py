"""A training step of ResNet-20 with every method, beside `bnn` and beside plain Larq and Keras, in one run.

make bench-training, or: python benchmarks/training [METHOD ...] [--batch 32] [--rounds 15] [--output FILE]

Three models take turns, a step each: a copy of the network that holds nothing but Larq's and Keras's layers, compiled
with Keras's Adam; ours with bnn; ours with a method, in its last phase. The figures are the least times: what else runs
on the machine only adds to them.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

sys.path.append(str(Path(__file__).parents[1] / "bench"))

import typer
from records import cpu_of, read_all
from step_page import PAGE, table, update
from step_record import Step, StepResult

from mobile_bnn import data, methods
from mobile_bnn.cli.console import err, out, reported
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.profiling import local_machine
from mobile_bnn.training import Recipe
from mobile_bnn.training.building import build_stage, compile_stage
from mobile_bnn.training.loop import load_data
from mobile_bnn.training.schedules import follow
from mobile_bnn.training.stages import stages
from mobile_bnn.typing import KerasModel

RESULTS = Path(__file__).parents[1] / "results" / "training"
PACKAGES = ("mobile-bnn", "larq", "tensorflow")
ZOO = "resnet20"
WARM = 3  # steps before the clock runs: the first one traces
TakeStep = Callable[[], None]


def main(
    names: Annotated[list[str] | None, typer.Argument(metavar="METHOD", help="All of ours by default.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images of a step.")] = 32,
    rounds: Annotated[int, typer.Option(min=3, help="Steps of each model that are timed.")] = 15,
    output: Annotated[
        Path | None, typer.Option(help="Keep the result (JSON) here, and leave the page as it is.")
    ] = None,
) -> None:
    """Print a row for each method as it is measured, then the table, and bring docs/performance.md up to date.

    The result is kept in benchmarks/results/training/, and goes into the page, if no methods were named.
    """
    ours = [name for name in methods.names() if methods.get(name).__module__.startswith("mobile_bnn.")]
    result = _measure([methods.get(name).card.name for name in names or ours], batch, rounds)
    out.print(f"{result.cpu}, load {result.machine.load_1min:.1f} before the run")
    out.print(table(result).to_rich())
    if output:
        result.save(output)
    elif not names:
        result.save(RESULTS / result.file_name)
        update(PAGE, read_all(RESULTS, StepResult))
        err.print(f"kept as {RESULTS / result.file_name}, shown in {PAGE}", soft_wrap=True)


def _measure(names: Sequence[str], batch: int, rounds: int) -> StepResult:
    machine, dataset = local_machine(), _dataset(batch)
    beside = [_plain_step(dataset, batch), _our_step("bnn", dataset, batch)]
    steps = []
    for name in names:
        plain, bnn, own = _least_times([*beside, _our_step(name, dataset, batch)], rounds)
        steps.append(Step(method=name, step_ms=own, bnn_ms=bnn, plain_ms=plain))
        err.print(f"{name}: {own:.1f} ms, bnn {bnn:.1f} ms, plain {plain:.1f} ms")
    return StepResult(
        cpu=cpu_of(machine),
        machine=machine,
        versions={package: version(package) for package in PACKAGES},
        rounds=rounds,
        zoo=ZOO,
        batch=batch,
        steps=steps,
    )


def _dataset(batch: int) -> data.Dataset:
    """The digits, as if they had CIFAR-10's shape: a step gets random images."""
    dataset = load_data(_recipe("bnn", batch))
    return replace(dataset, info=replace(dataset.info, input_shape=(32, 32, 3)))


def _recipe(method: str, batch: int) -> Recipe:
    return Recipe.of_zoo(ZOO, method=method, dataset="digits", batch_size=batch, flip_ratio=False)


def _our_step(method: str, dataset: data.Dataset, batch: int) -> TakeStep:
    """What the training loop runs for a batch, with the method's schedules in it."""
    recipe = _recipe(method, batch)
    stage, task = stages(recipe)[-1], recipe.task.training()
    model = build_stage(recipe, dataset, stage)
    trained = compile_stage(model, recipe, dataset, task, stage, None)
    follow(trained, recipe.method.all_schedules(model), 0, recipe.epochs * dataset.steps_per_epoch)
    return _stepper(trained, batch)


def _plain_step(dataset: data.Dataset, batch: int) -> TakeStep:
    """The same network of Larq's layers and Larq's quantizers, compiled as Keras's users do."""
    model = build_stage(_recipe("bnn", batch), dataset, stages(_recipe("bnn", batch))[-1])
    plain = tf.keras.models.clone_model(model, clone_function=_plain_layer)
    plain.compile(tf.keras.optimizers.Adam(0.01), "categorical_crossentropy", ["accuracy"])
    return _stepper(plain, batch)


def _plain_layer(layer: tf.keras.layers.Layer) -> tf.keras.layers.Layer:
    config = layer.get_config()
    if isinstance(layer, larq.layers.QuantConv2D):
        config |= {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    return type(layer).from_config(config)


def _stepper(model: KerasModel, batch: int) -> TakeStep:
    classes = model.output_shape[-1]
    images, labels = tf.random.normal((batch, *model.input_shape[1:])), tf.one_hot(tf.range(batch) % classes, classes)
    batches = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())
    function = model.make_train_function()

    def step() -> None:
        function(batches)["loss"].numpy()  # waits for the step to end

    return step


def _least_times(steps: Sequence[TakeStep], rounds: int) -> list[float]:
    """Of each one's step in milliseconds, all taking turns; what else the machine does only adds."""
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(WARM):
        for step in steps:
            step()
    for _ in range(rounds):
        for step, taken in zip(steps, times, strict=True):
            began = time.perf_counter()
            step()
            taken.append(1000 * (time.perf_counter() - began))
    return [min(taken) for taken in times]


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(reported(main))
    app()
