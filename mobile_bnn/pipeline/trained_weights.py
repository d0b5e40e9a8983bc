"""`load_trained`: weights of the package as a run folder, with which every other command goes on."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mobile_bnn.errors import UsageError
from mobile_bnn.files import atomic_file
from mobile_bnn.pipeline.watcher import Watcher
from mobile_bnn.run_folder import RunFolder

if TYPE_CHECKING:
    from mobile_bnn.zoo import Trained


def load_trained(name: str, weights: str, run: Path | str, *, watcher: Watcher | None = None) -> "Trained":
    """Writes packaged weights as a run folder: model.keras, model.tflite, recipe, history and data set.

    Args:
        name: of an architecture.
        weights: a tag of its trained weights.
        run: the folder, which must not hold a training.
        watcher: is told what goes on.

    Returns:
        What is known of the weights.

    Raises:
        UsageError: there are no such weights, or the folder holds a training.
        MobileBnnError: the package's files are damaged.
        OSError: the folder cannot be written.
    """
    from mobile_bnn import zoo
    from mobile_bnn.zoo.trained.records import DATASET, HISTORY, RECIPE, TFLITE

    record = zoo.trained(zoo.get(name).name, weights)
    folder, watcher = RunFolder(run), watcher or Watcher()
    with watcher.status("loading TensorFlow"):
        model = zoo.load(name, weights).model
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.writing():
        if folder.recipe.exists():
            raise UsageError(f"{folder} already holds a training", cure="Name another folder: --run FOLDER")
        with atomic_file(folder.model) as part:
            model.save(part, save_format="keras")
        copies = {TFLITE: folder.tflite, HISTORY: folder.history, DATASET: folder.dataset, RECIPE: folder.recipe}
        for file, path in copies.items():  # the recipe last: it makes a run of the folder
            with atomic_file(path) as part:
                shutil.copyfile(record.file(file), part)
    return record
