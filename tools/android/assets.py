"""Makes the networks that the app brings: of trained weights of the zoo the binary file and what it is measured beside.

The float file computes the same function as the binary one, its sums of ±1 as float convolutions. The int8 file is the
architecture without binary layers, for nobody would run signs in int8: TFLite has no such operator, and converts to
float and back around each one. Its weights are untrained, since it is there to be timed.

The metadata of each form records what it gives here for the reference inputs; the app's parity badge compares that with
what the phone computes.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mobile_bnn import __version__, data, tasks, zoo
from mobile_bnn import legacy_keras as keras2
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import sha256, write_bytes, write_text
from mobile_bnn.records import DatasetRecord
from mobile_bnn.runtime import graph_sha256, read_metadata, with_reference
from mobile_bnn.typing import Array, KerasModel
from mobile_bnn.zoo.batch_statistics import observe
from mobile_bnn.zoo.trained import Trained, tags, trained
from mobile_bnn.zoo.trained.records import FOLDER, RECORD

# Networks that name what is drawn come first, the best two of each data set; the app begins with this one.
FIRST = "resnet20"
OTHERS = (("quicknet_small", "synthetic_scenes"),)  # to measure alone
CATALOGUE = "catalogue.json"
_DATA_DIR = "/usr/share/datasets"  # of Debian's dataset-fashion-mnist
_CALIBRATION_IMAGES = 256
_OF_A_DATA_SET = 2  # classifiers at most, for an APK of 12 MB
_ROOT = Path(__file__).resolve().parents[2]
_CODE = ("converters", "zoo", "mobile_bnn/runtime", "tools/android/assets.py")  # that makes a network


def make(folder: Path) -> dict[str, bytes]:
    """The app's assets by name; what was made before, of the same weights by the same code, is taken from `folder`.

    Raises:
        MobileBnnError: the data that the int8 files are calibrated on are not here, or a conversion fails.
    """
    entries, files = [], {}
    for record in _chosen():
        entry, made = _network(record, folder / f"{record.zoo}-{record.tag}")
        entries.append(entry)
        files.update(made)
    files[CATALOGUE] = json.dumps({"schema_version": 1, "models": entries}, indent=1).encode()
    return files


def _chosen() -> list[Trained]:
    names = sorted({path.parts[-3] for path in FOLDER.glob(f"*/*/{RECORD}")}, key=lambda name: (name != FIRST, name))
    records = [trained(name, tag) for name in names for tag in tags(name)]
    classifiers = [record for record in records if record.task["name"] == "classification"]
    better = {id(one): sum(_is_better(other, one) for other in classifiers) for one in classifiers}
    best = [record for record in classifiers if better[id(record)] < _OF_A_DATA_SET]
    return best + [record for record in records if (record.zoo, record.tag) in OTHERS]


def _is_better(one: Trained, other: Trained) -> bool:
    return one.dataset == other.dataset and one.tflite > other.tflite


def _network(record: Trained, folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    stamp = folder / "stamp.json"
    state = json.dumps([__version__, record.sha256, _digest(_ROOT / each for each in _CODE)])
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != state:
        folder.mkdir(parents=True, exist_ok=True)
        _make(record, folder)
        write_text(stamp, state)
    forms = {}
    files = {}
    name = folder.name
    for form in ("binary", "float", "int8"):
        path = folder / f"{form}.tflite"
        # The others are deflated in the APK, where weights of two values take next to nothing; only what is stored can
        # be mapped.
        inside = f"models/{name}.tflite" if form == "binary" else f"models/{name}.{form}.network"
        files[inside] = path.read_bytes()
        forms[form] = {
            "path": inside,
            "bytes": path.stat().st_size,
            "sha256": sha256(path),
            "graph_sha256": graph_sha256(path),
        }
    entry = {
        "id": name,
        "title": record.zoo,
        "dataset": record.dataset,
        "task": record.task["name"],
        "forms": forms,
    }
    return entry, files


def _digest(places: Iterable[Path]) -> str:
    """Of the Python files in folders, and of files: their names and contents."""
    found = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(f"{path.relative_to(place.parent)} {sha256(path)}\n".encode())
    return found.hexdigest()


def _make(record: Trained, folder: Path) -> None:
    from mobile_bnn.converters import convert_float
    from mobile_bnn.converters.graph.tflite import TfliteModel
    from mobile_bnn.converters.storage.int8 import quantize_int8

    print(f"Converting {record} to float and int8", flush=True)
    loaded = zoo.load(record.zoo, weights=record.tag)
    binary = loaded.tflite.read_bytes()
    metadata = read_metadata(binary)
    if metadata is None:
        raise MobileBnnError(f"{loaded.tflite} has no metadata", cure="Pack the weights anew")
    write_bytes(folder / "binary.tflite", with_reference(binary, metadata))
    convert_float(loaded.model, folder / "float.tflite", metadata=metadata)
    images = _inputs(record)
    told = metadata.model_copy(update={"method": "full_precision", "dataset": None})  # it is untrained
    unquantized = convert_float(_without_binary_layers(record, images), folder / "unquantized.tflite", metadata=told)
    quantized = quantize_int8(TfliteModel.read(unquantized), [images]).write()
    write_bytes(folder / "int8.tflite", with_reference(quantized, read_metadata(unquantized) or told))


def _without_binary_layers(record: Trained, images: Array) -> KerasModel:
    """The architecture with float layers. Each kernel has two values: the APK holds them in a bit each.

    Args:
        record: says which architecture.
        images: what the batch norms take their statistics of.
    """
    keras2.tf.keras.utils.set_random_seed(0)
    task = tasks.create(**record.task)
    model = zoo.build(
        record.zoo, "full_precision", record.input_shape, record.num_classes, task, network=record.network
    )
    for weights in model.trainable_weights:
        if weights.shape.rank > 1:  # the others are biases and those of batch norms
            values = weights.numpy()
            weights.assign(np.where(values < 0, -values.std(), values.std()))
    observe(model, images)
    return model


def _inputs(record: Trained) -> Array:
    """Normalized images of the data set's test split, float32 [N, height, width, channels]."""
    where = os.environ.get("MBNN_DATA_DIR", _DATA_DIR)
    try:
        changes = tasks.create(**record.task).training().augment  # with which a data set gives boxes, too
        dataset = data.load(record.dataset, data_dir=where if Path(where).is_dir() else None, changes=changes)
    except MobileBnnError as error:
        raise MobileBnnError(
            f"the networks of {record.dataset} cannot be made",
            why=str(error),
            cure="apt-get install dataset-fashion-mnist, or set MBNN_DATA_DIR",
        ) from error
    told = DatasetRecord.load(record.file("dataset.json"))
    images: Array = dataset.test_arrays(_CALIBRATION_IMAGES)[0]
    if list(images.shape[1:]) != list(told.input_shape):
        raise MobileBnnError(f"{record} takes {told.input_shape}, and the data set has {images.shape[1:]}")
    return images
