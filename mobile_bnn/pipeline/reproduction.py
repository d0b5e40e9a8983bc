"""`reproduce`: trains a published recipe, converts and verifies it, and keeps the row of the table."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobile_bnn import __version__
from mobile_bnn.pipeline.conversion import ConvertOptions, convert
from mobile_bnn.pipeline.results import Shown
from mobile_bnn.pipeline.verification import verify
from mobile_bnn.pipeline.watcher import Watcher
from mobile_bnn.run_folder import RunFolder

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from mobile_bnn.training.reproductions import Reproduction, Row


@dataclass(frozen=True)
class Reproducing(Shown):
    """What came of a reproduction, and where its row is kept; None outside of a checkout."""

    reproduction: "Reproduction"
    run: Path
    row: "Row"
    kept: Path | None

    def __rich__(self) -> "RenderableType":
        from rich.text import Text

        from mobile_bnn.report.formats import percent, plural

        row, published = self.row, self.reproduction.published
        measured = f"{row.headline} {percent(row.keras)} in Keras, {percent(row.tflite)} as .tflite"
        trained = f"on {plural(row.images, 'image')}, after {plural(row.epochs, 'epoch')}"
        lines = [f"{self.reproduction.name}: {measured}, {trained}"]
        if published:
            lines.append(f"published: {published.value:g}% ({published.network}, {published.source})")
        lines.append(f"row written to {self.kept}" if self.kept else f"run {self.run}")
        return Text("\n".join(lines))


def reproduce(
    name: str,
    run: Path | str | None = None,
    *,
    data_dir: Path | str | None = None,
    console: "Console | None" = None,
    watcher: Watcher | None = None,
) -> Reproducing:
    """Trains a recipe of `training.reproductions`, or goes on with it, converts and verifies the model.

    Args:
        name: of the reproduction.
        run: its folder; runs/reproduce/NAME by default.
        data_dir: local copies of data sets.
        console: where the training's progress is shown.
        watcher: is told what else goes on.

    Raises:
        UsageError: there is no such reproduction, or the run folder holds another training.
        MobileBnnError: the data set cannot be loaded, or the file does not compute what Keras computes.
    """
    from mobile_bnn.training.reproductions import Row, get, keep

    found, folder = get(name), RunFolder(run or Path("runs") / "reproduce" / name)
    watcher = watcher or Watcher()
    with watcher.status("loading TensorFlow"):
        from mobile_bnn.legacy_keras import tf
        from mobile_bnn.profiling.machine import local_machine
        from mobile_bnn.training.loop import train
    _, history = train(found.recipe, folder, data_dir=data_dir, resume=True, console=console)
    # Methods of binary weights alone have no binary convolution.
    allowed = () if found.recipe.method.card.binary_convolutions else ("all",)
    convert(folder, ConvertOptions(allow_float=allowed), data_dir=data_dir, watcher=watcher)
    record = verify(folder, data_dir=data_dir, watcher=watcher).record
    row = Row(
        headline=record.headline,
        keras=record.result.keras,
        tflite=record.result.tflite,
        images=record.samples,
        epochs=len(history.epochs),
        hours=round(sum(epoch.seconds for epoch in history.epochs) / 3600, 3),
        processor=local_machine().cpu,
        versions=f"mobile_bnn {__version__}, TensorFlow {tf.__version__}",
    )
    return Reproducing(found, folder.path, row, keep(name, row))
