"""Puts a trained run into the package: bit-packed weights, the .tflite file, recipe, history and a record of them.

usage: python tools/zoo_weights/package.py NAME RUN TAG [--data-dir FOLDER]

NAME is the reproduction (`mbnn reproduce`) that trained RUN; TAG is what
`zoo.load(..., weights=TAG)` calls the weights. tools/zoo_weights/twin.py then adds what the float twin reaches.
"""

import argparse
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from mobile_bnn import __version__, pipeline, zoo
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
    parser.add_argument("--data-dir", type=Path)
    options = parser.parse_args()
    try:
        record = package(options.name, options.run, options.tag, options.data_dir)
    except MobileBnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in record.folder.iterdir())
    print(f"{record}: {record.headline} {record.tflite:.2%}, {size:,} bytes in {record.folder}")
    return 0


def package(name: str, run: RunFolder, tag: str, data_dir: Path | None) -> Trained:
    """Writes zoo/weights/ARCHITECTURE/TAG.

    Packing rounds scales, so the model that comes back is the one that is converted, verified and recorded.

    Raises:
        MobileBnnError: the run is not the reproduction's, or the model that comes back is worse.
    """
    recipe = get(name).recipe
    if differences := recipe.differences(Recipe.read(run.recipe)):
        raise MobileBnnError(f"{run} was not trained by {name}", why="; ".join(differences))
    data, history, nested = DatasetRecord.load(run.dataset), History.load(run.history), recipe.nested()
    import_module("mobile_bnn.layers")  # Keras looks quantizers up by name
    folder = records.FOLDER / recipe.zoo / tag
    with atomic_folder(folder) as part, tempfile.TemporaryDirectory() as beside:
        packed_weights.write(part / WEIGHTS, packed_weights.pack(tf.keras.models.load_model(run.model, compile=False)))
        back = RunFolder(beside)
        _build(recipe, data, part / WEIGHTS).save(back.model)
        for source in ("recipe", "dataset", "history"):
            shutil.copyfile(getattr(run, source), getattr(back, source))
        pipeline.convert(back, pipeline.ConvertOptions(float_file=False), data_dir=data_dir)
        verification = pipeline.verify(back, data_dir=data_dir).record
        _check(history, verification)
        for file, source in _COPIED.items():
            shutil.copyfile(getattr(back, source), part / file)
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
            command=f"mbnn reproduce {name}",
            trained_on=f"{local_machine().cpu}, mobile_bnn {__version__}, TensorFlow {tf.__version__}",
            sha256={file: sha256(part / file) for file in (WEIGHTS, *_COPIED)},
        )
        record.save(part / records.RECORD)
        shutil.rmtree(folder, ignore_errors=True)  # the former weights of that tag
    return record


def _build(recipe: Recipe, data: DatasetRecord, weights: Path) -> tf.keras.Model:
    """The network as `zoo.load` builds it."""
    model = zoo.build(recipe.zoo, recipe.method, data.input_shape, len(data.labels), recipe.task, recipe.network)
    named_weights.assign(model, packed_weights.read(weights), str(weights))
    return model


def _check(history: History, found: Verification) -> None:
    """Where the training measured what the verification did, on the same test images."""
    if history.headline != "top-1":  # of the other tasks Keras has no such metric
        return
    before = (history.test or {})[history.metric]
    if abs(found.result.keras - before) > 1e-3:
        raise MobileBnnError(
            "the packed weights compute something else", why=f"{found.result.keras:.2%} instead of {before:.2%}"
        )


if __name__ == "__main__":
    sys.exit(main())
