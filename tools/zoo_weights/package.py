"""Puts a trained run into the package: bit-packed weights, the .tflite file, recipe, history and a record of them.

usage: python tools/zoo_weights/package.py NAME RUN TAG [--twin RUN]

NAME is the reproduction (`mbnn reproduce`) that trained RUN, which is converted and verified; TAG is what
`zoo.load(..., weights=TAG)` calls the weights; the twin is the run of the same recipe with method full_precision.
"""

import argparse
import shutil
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

from mobile_bnn import __version__, zoo
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import atomic_folder, sha256
from mobile_bnn.legacy_keras import tf
from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.records import DatasetRecord, History, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import Recipe
from mobile_bnn.training.reproductions import get
from mobile_bnn.zoo.trained import named_weights, packed_weights, records
from mobile_bnn.zoo.trained.records import DATASET, HISTORY, RECIPE, TFLITE, WEIGHTS, Trained

_COPIED = {TFLITE: "tflite", RECIPE: "recipe", HISTORY: "history", DATASET: "dataset"}


def main() -> int:
    """Packages one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("run", metavar="RUN", type=RunFolder)
    parser.add_argument("tag", metavar="TAG")
    parser.add_argument("--twin", type=RunFolder)
    options = parser.parse_args()
    try:
        record = package(options.name, options.run, options.tag, options.twin)
    except MobileBnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in record.folder.iterdir())
    print(f"{record}: {record.headline} {record.tflite:.2%}, {size:,} bytes in {record.folder}")
    return 0


def package(name: str, run: RunFolder, tag: str, twin: RunFolder | None) -> Trained:
    """Writes zoo/weights/ARCHITECTURE/TAG, once it is proved that the weights come back as they were.

    Raises:
        MobileBnnError: the run is not the reproduction's, or the weights read back compute something else.
    """
    recipe = get(name).recipe
    if differences := recipe.differences(Recipe.read(run.recipe)):
        raise MobileBnnError(f"{run} was not trained by {name}", why="; ".join(differences))
    verification, data = Verification.load(run.verification), DatasetRecord.load(run.dataset)
    import_module("mobile_bnn.layers")  # Keras looks quantizers up by name
    keras = tf.keras.models.load_model(run.model, compile=False)
    nested = recipe.nested()
    folder = records.FOLDER / recipe.zoo / tag
    with atomic_folder(folder) as part:
        packed_weights.write(part / WEIGHTS, packed_weights.pack(keras))
        _check(keras, recipe, data, part / WEIGHTS)
        for source, file in (
            (run.tflite, TFLITE),
            (run.recipe, RECIPE),
            (run.history, HISTORY),
            (run.dataset, DATASET),
        ):
            shutil.copyfile(source, part / file)
        record = Trained(
            zoo=recipe.zoo,
            tag=tag,
            task=nested["task"],
            method=nested["method"],
            network=nested.get("network", {}),
            input_shape=data.input_shape,
            num_classes=len(data.labels),
            dataset=data.name,
            images=verification.samples,
            epochs=recipe.epochs,
            seed=recipe.runtime.seed,
            headline=verification.headline,
            keras=verification.result.keras,
            tflite=verification.result.tflite,
            float_twin=_of_twin(twin, recipe) if twin else None,
            command=f"mbnn reproduce {name}",
            trained_on=f"{local_machine().cpu}, mobile_bnn {__version__}, TensorFlow {tf.__version__}",
            sha256={file: sha256(part / file) for file in (WEIGHTS, *_COPIED)},
        )
        record.save(part / records.RECORD)
        shutil.rmtree(folder, ignore_errors=True)  # the former weights of that tag
    return record


def _check(keras: tf.keras.Model, recipe: Recipe, data: DatasetRecord, path: Path) -> None:
    """The network that the zoo builds with what was written computes what the run's does."""
    built = zoo.build(recipe.zoo, recipe.method, data.input_shape, len(data.labels), recipe.task, recipe.network)
    named_weights.assign(built, packed_weights.read(path), str(path))
    images = np.random.default_rng(0).normal(size=(16, *data.input_shape)).astype(np.float32)
    for one, other in zip(tf.nest.flatten(keras(images)), tf.nest.flatten(built(images)), strict=True):
        largest, difference = float(abs(one).numpy().max()), float(abs(one - other).numpy().max())
        if difference > 1e-5 * largest:
            raise MobileBnnError("the packed weights compute something else", why=f"{difference} of {largest}")


def _of_twin(twin: RunFolder, recipe: Recipe) -> float:
    own = Recipe.read(twin.recipe)
    others = [each for each in recipe.differences(own) if not each.startswith("method.")]
    if own.method.card.name != "full_precision" or others:
        raise MobileBnnError(f"{twin} is not the float twin", why="; ".join(others) or "it has binary layers")
    history = History.load(twin.history)
    return float((history.test or {})[history.metric])


if __name__ == "__main__":
    sys.exit(main())
