"""`baseline`: a float network of Keras as a .tflite, float or int8, to stand beside binary ones."""

import json
from dataclasses import dataclass
from pathlib import Path

from mobile_bnn.errors import UsageError
from mobile_bnn.files import write_bytes, write_text
from mobile_bnn.pipeline.watcher import Watcher

_CALIBRATION_IMAGES = 4


@dataclass(frozen=True)
class WrittenBaseline:
    """A baseline's two files.

    Attributes:
        path: the .tflite.
        sidecar: what is published about it, beside it: STEM_baseline.json.
        facts: the content of that.
    """

    path: Path
    sidecar: Path
    facts: dict[str, str | float]


def baseline(name: str, path: Path | str, *, int8: bool = False, watcher: Watcher | None = None) -> WrittenBaseline:
    """Writes a baseline's .tflite, with random weights, and what is published about it beside it.

    Args:
        name: of `zoo.baselines.names()`.
        path: where to write; ends in .tflite.
        int8: let it compute in int8.
        watcher: is told what goes on.

    Raises:
        UsageError: there is no such baseline, or the path does not end in .tflite.
        MobileBnnError: ai-edge-quantizer is not installed.
        OSError: a file cannot be written.
    """
    from mobile_bnn.zoo.baselines import get

    path, chosen, watcher = Path(path), get(name), watcher or Watcher()
    if path.suffix != ".tflite":
        raise UsageError(f"{path} is not a name of a .tflite", cure=f"For example: {path.with_suffix('.tflite')}")
    with watcher.status("loading TensorFlow") as update:
        from mobile_bnn.converters.graph.tflite import TfliteModel
        from mobile_bnn.converters.keras.export import export
        from mobile_bnn.converters.storage.int8 import quantize_int8

        update(f"building {chosen.title}")
        model: TfliteModel = export(chosen.build())
        if int8:
            update(f"quantizing {chosen.title}")
            model = quantize_int8(model, [chosen.images(_CALIBRATION_IMAGES, seed=1)])
        write_bytes(path, model.write())
    of_float = "; of the float network, its int8 form was not measured" if int8 else ""
    facts: dict[str, str | float] = {
        "model": f"{chosen.title} int8" if int8 else chosen.title,
        "accuracy": chosen.top1,
        "headline": "top-1",
        "dataset": "imagenet",
        "source": f"{chosen.source}{of_float}",
        "weights": "random",
    }
    sidecar = path.with_name(f"{path.stem}_baseline.json")
    write_text(sidecar, json.dumps(facts, indent=1) + "\n")
    return WrittenBaseline(path, sidecar, facts)
