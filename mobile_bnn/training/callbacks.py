"""What happens at the end of every epoch, and what the user sees meanwhile."""

import csv
import io
import time

from rich.console import Console
from rich.progress import Progress

from mobile_bnn.files import write_text
from mobile_bnn.legacy_keras import tf
from mobile_bnn.progress_columns import progress_columns
from mobile_bnn.records import Epoch, History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training.checkpoints import Checkpoints
from mobile_bnn.training.optimizers import current_learning_rate
from mobile_bnn.typing import KerasModel

# What Keras tells at the end of a batch or an epoch: metrics by name.
Logs = dict[str, float]


def write_history(run: RunFolder, history: History) -> None:
    """Writes the history as JSON and as CSV, one row an epoch."""
    history.save(run.history)
    names = sorted({name for epoch in history.epochs for name in epoch.metrics})
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["epoch", "seconds", "learning_rate", *names])
    for epoch in history.epochs:
        rows.writerow([epoch.epoch, epoch.seconds, epoch.learning_rate, *(epoch.metrics.get(name) for name in names)])
    write_text(run.history_csv, table.getvalue())


def _metrics(model: KerasModel, logs: Logs) -> dict[str, float]:
    """The epoch's metrics: flip ratios named after their layers instead of their quantizers, and the mean of them all.

    Those of the validation are dropped: nothing flips there.
    """
    quantizers = ((layer, getattr(layer, "kernel_quantizer", None)) for layer in model.layers)
    names = {f"flip_ratio/{quantizer.name}": f"flip_ratio/{layer.name}" for layer, quantizer in quantizers if quantizer}
    metrics = {names.get(name, name): float(value) for name, value in logs.items() if "val_flip_ratio" not in name}
    ratios = [metrics[name] for name in names.values() if name in metrics]
    return {**metrics, "flip_ratio": sum(ratios) / len(ratios)} if ratios else metrics


class Recorder(tf.keras.callbacks.Callback):  # type: ignore[misc]
    """Appends each finished epoch to the history and saves a checkpoint; the checkpoint is what counts on resuming."""

    def __init__(
        self, run: RunFolder, checkpoints: Checkpoints, history: History, trained: KerasModel, *, chief: bool
    ) -> None:
        super().__init__()
        self._run, self._checkpoints, self._chief = run, checkpoints, chief
        self._trained = trained
        self.history = history

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Keras's hook."""
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keras's hook."""
        entry = Epoch(
            epoch=epoch + 1,
            seconds=round(time.monotonic() - self._began, 3),
            learning_rate=current_learning_rate(self.model.optimizer),
            metrics=_metrics(self._trained, logs or {}),
        )
        self.history = self.history.model_copy(update={"epochs": [*self.history.epochs, entry]})
        self._checkpoints.save(self.history)
        if self._chief:
            write_history(self._run, self.history)


class ProgressBar(tf.keras.callbacks.Callback):  # type: ignore[misc]
    """A progress bar over all steps with the remaining time, and a line per epoch; lines only where no one watches."""

    def __init__(self, console: Console, epochs: int, steps_per_epoch: int, first_epoch: int, metric: str) -> None:
        super().__init__()
        self._metric = metric
        self._console, self._epochs, self._steps = console, epochs, steps_per_epoch
        self._bar = Progress(
            *progress_columns(console.width, "steps"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(
            "training", total=epochs * steps_per_epoch, completed=first_epoch * steps_per_epoch
        )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Keras's hook."""
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Keras's hook."""
        self._bar.update(self._task, description=f"epoch {epoch + 1}/{self._epochs}", completed=epoch * self._steps)
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Keras's hook."""
        self._bar.advance(self._task)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keras's hook."""
        logs = logs or {}
        line = f"loss {logs['loss']:.4f}  {self._metric} {logs[self._metric]:.4f}"
        if "val_loss" in logs:
            line += f"  validation {logs['val_loss']:.4f} / {logs[f'val_{self._metric}']:.4f}"
        seconds = time.monotonic() - self._began
        width = len(str(self._epochs))
        self._bar.console.print(
            f"epoch {epoch + 1:{width}}/{self._epochs}  {seconds:6.1f} s  {line}",
            highlight=False,
            soft_wrap=True,
        )

    def stop(self) -> None:
        """Takes the bar off the screen, also after an interruption."""
        self._bar.stop()
