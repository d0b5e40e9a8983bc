"""Measures the float twin of packaged weights, and writes its metric into their record.

usage: python tools/zoo_weights/twin.py ARCHITECTURE TAG RUN [--data-dir FOLDER]

RUN was trained by the recipe of the weights (zoo/weights/ARCHITECTURE/TAG/recipe.toml) with --method full_precision.
"""

import argparse
import sys
from pathlib import Path

from mobile_bnn import pipeline
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import Recipe
from mobile_bnn.zoo.trained import records, trained
from mobile_bnn.zoo.trained.records import RECIPE, Trained


def main() -> int:
    """Measures one twin."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architecture", metavar="ARCHITECTURE")
    parser.add_argument("tag", metavar="TAG")
    parser.add_argument("run", metavar="RUN", type=RunFolder)
    parser.add_argument("--data-dir", type=Path)
    options = parser.parse_args()
    try:
        record = trained(options.architecture, options.tag)
        metric = measure(record, options.run, options.data_dir)
        record.model_copy(update={"float_twin": metric}).save(record.folder / records.RECORD)
    except MobileBnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{record}: {record.headline} {record.tflite:.2%}, its float twin {metric:.2%}")
    return 0


def measure(record: Trained, twin: RunFolder, data_dir: Path | None) -> float:
    """The metric of a twin on the test images of the weights, 0 to 1.

    Raises:
        MobileBnnError: the run is not the twin.
    """
    own = Recipe.read(twin.recipe)
    differences = Recipe.read(record.file(RECIPE)).differences(own)
    others = [each for each in differences if not each.startswith("method.")]
    if own.method.card.name != "full_precision" or others:
        raise MobileBnnError(f"{twin} is not the float twin", why="; ".join(others) or "it has binary layers")
    pipeline.convert(twin, pipeline.ConvertOptions(float_file=False, allow_float=("all",)), data_dir=data_dir)
    found = pipeline.verify(twin, data_dir=data_dir).record
    if found.samples != record.images:
        raise MobileBnnError(f"{twin} was measured on {found.samples} images, and {record} on {record.images}")
    return found.result.keras


if __name__ == "__main__":
    sys.exit(main())
