"""A training step of ResNet-20 with every method, beside `bnn` and beside plain Larq and Keras, in one run.

make bench-training, or: python benchmarks/training [METHOD ...] [--batch 32] [--rounds 15] [--output FILE]

Three models take turns, a step each: a copy of the network that holds nothing but Larq's and Keras's layers, compiled
with Keras's Adam; ours with bnn; ours with a method, in its last phase. The figures are the least
times on the CPU: what else runs on the machine only adds to them.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn import data, methods
from mobile_bnn.cli.console import err, out, reported
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.report.layout import Column, Fitted, Table
from mobile_bnn.training import Recipe
from mobile_bnn.training.building import build_stage, compile_stage
from mobile_bnn.training.loop import load_data
from mobile_bnn.training.schedules import follow
from mobile_bnn.training.stages import stages
from mobile_bnn.typing import KerasModel

ZOO = "resnet20"
WARM = 3  # steps before the clock runs: the first one traces
Step = Callable[[], None]


def main(
    names: Annotated[list[str] | None, typer.Argument(metavar="METHOD", help="All of ours by default.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images of a step.")] = 32,
    rounds: Annotated[int, typer.Option(min=3, help="Steps of each model that are timed.")] = 15,
    output: Annotated[Path | None, typer.Option(help="Keep the figures here, as JSON.")] = None,
) -> None:
    """Print a row for each method as it is measured, then the table."""
    dataset = _dataset(batch)
    beside = [_plain_step(dataset, batch), _our_step("bnn", dataset, batch)]
    rows = {}
    for name in names or [name for name in methods.names() if methods.get(name).__module__.startswith("mobile_bnn.")]:
        rows[name] = _least_times([*beside, _our_step(name, dataset, batch)], rounds)
        err.print(f"{name}: {rows[name][2]:.1f} ms, bnn {rows[name][1]:.1f} ms, plain {rows[name][0]:.1f} ms")
    if output:
        figures = {name: dict(zip(("plain_ms", "bnn_ms", "step_ms"), row, strict=True)) for name, row in rows.items()}
        output.write_text(json.dumps({"zoo": ZOO, "batch": batch, "steps": figures}, indent=1) + "\n", encoding="utf-8")
    out.print(Fitted(_table(rows)))


def _dataset(batch: int) -> data.Dataset:
    """The digits, as if they had CIFAR-10's shape: a step gets random images."""
    dataset = load_data(_recipe("bnn", batch))
    return replace(dataset, info=replace(dataset.info, input_shape=(32, 32, 3)))


def _recipe(method: str, batch: int) -> Recipe:
    return Recipe.of_zoo(ZOO, method=method, dataset="digits", batch_size=batch, flip_ratio=False)


def _our_step(method: str, dataset: data.Dataset, batch: int) -> Step:
    """What the training loop runs for a batch, with the method's schedules in it."""
    recipe = _recipe(method, batch)
    stage, task = stages(recipe)[-1], recipe.task.training()
    model = build_stage(recipe, dataset, stage)
    trained = compile_stage(model, recipe, dataset, task, stage, None)
    follow(trained, recipe.method.all_schedules(model), 0, recipe.epochs * dataset.steps_per_epoch)
    return _stepper(trained, batch)


def _plain_step(dataset: data.Dataset, batch: int) -> Step:
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


def _stepper(model: KerasModel, batch: int) -> Step:
    classes = model.output_shape[-1]
    images, labels = tf.random.normal((batch, *model.input_shape[1:])), tf.one_hot(tf.range(batch) % classes, classes)
    batches = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())
    function = model.make_train_function()

    def step() -> None:
        function(batches)["loss"].numpy()  # waits for the step to end

    return step


def _least_times(steps: Sequence[Step], rounds: int) -> list[float]:
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


def _table(rows: dict[str, list[float]]) -> Table:
    headers = ("step ms", "beside bnn", "beside plain", "bnn beside plain")
    columns = [Column("method", unbroken=60), *(Column(header, number=True) for header in headers)]
    cells = [
        [name, f"{step:.1f}", f"{step / bnn:.2f}", f"{step / plain:.2f}", f"{bnn / plain:.2f}"]
        for name, (plain, bnn, step) in rows.items()
    ]
    return Table(f"a training step of {ZOO}", columns, cells)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(reported(main))
    app()
