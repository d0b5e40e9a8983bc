"""What is wrong with a Keras model, in one line of our own instead of Keras's many."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

from mobile_bnn.converters.layers import flatten
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.legacy_keras import tf

_LAYER = re.compile(r"""^Exception encountered when calling layer ["'](.+)["'] \(type (\w+)\)""", re.MULTILINE)
_NO_OPERATOR = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")
_DESERIALIZED = re.compile(r"^Exception encountered: (.+)", re.MULTILINE)
_ELSEWHERE = ("Exception encountered when", "in user code")
_TRACE = re.compile(r'^ *File ".*\n.*\n', re.MULTILINE)
_ADVICE = re.compile(r"(?<=\.) (?:You can|If|Please|See|This carries)\b")
_OTHER_KERAS = "Build the model with tf_keras, or convert the SavedModel that its export() writes"
_LONGEST = 4096  # bytes of a metadata record


def cause_of(error: Exception) -> str:
    """What went wrong, and in which layer: without tracebacks and advice for those who call Keras themselves."""
    text = str(error)
    if missing := dict.fromkeys(_NO_OPERATOR.findall(text)):
        return f"TFLite has no operator for tf.{', tf.'.join(missing)}"
    lines = [line.strip() for line in _TRACE.sub("", text).splitlines() if line.strip()]
    told = _DESERIALIZED.findall(text) or [line for line in lines if not line.startswith(_ELSEWHERE)]
    cause = _ADVICE.split(told[0])[0].removesuffix(".") if told else first_line(error)
    layer = _LAYER.search(text)
    return f"layer {layer[1]} ({layer[2]}): {cause}" if layer else cause


def check_model(model: Any) -> None:
    """Refuses what cannot be exported, before TensorFlow says so in its own words.

    Raises:
        MobileBnnError: it is no Keras 2 model, its inputs are not known or not fixed, or it computes in other floats.
    """
    if not isinstance(model, tf.keras.Model):
        kind = type(model)
        raise MobileBnnError(
            f"{kind.__module__}.{kind.__qualname__} is no model of Keras 2, to which Larq's layers belong",
            cure=_OTHER_KERAS,
        )
    if not model.inputs:
        raise MobileBnnError(
            f"the inputs of model {model.name} are not known",
            cure="Convert tf.keras.Model(image, model(image)) with image = tf.keras.Input(shape)",
        )
    for image in model.inputs:
        if None in image.shape[1:]:
            raise MobileBnnError(
                f"the model's input shape {tuple(image.shape[1:])} is not fixed", cure="Give it a fixed one"
            )
    for layer in (*flatten(model), *model.submodules):
        precision = getattr(layer, "compute_dtype", None)
        if precision in ("float16", "bfloat16", "float64"):
            raise MobileBnnError(
                f"layer {layer.name} computes in {precision}",
                why="only float32 can be made binary",
                cure="Build the model under the policy float32 and load its weights into that",
            )


def loading_error(path: Path, error: Exception) -> MobileBnnError:
    """Why a file is no model that Keras 2 can load."""
    if path.is_file() and not _is_container(path):
        return MobileBnnError(
            f"{path} is no Keras model",
            why="it is neither a whole .keras nor an .h5 file",
            cure="Give one of those, or a SavedModel's folder",
        )
    version = _keras_version(path)
    if version.startswith("3."):
        return MobileBnnError(
            f"{path} was saved by Keras {version}",
            why="Larq's layers belong to Keras 2, which cannot load it",
            cure=_OTHER_KERAS,
        )
    return MobileBnnError(
        f"{path} is not a Keras 2 model that can be loaded",
        why=cause_of(error),
        cure="One with layers of your own can be converted from Python, where they are known",
    )


def _is_container(path: Path) -> bool:
    """Whether a file is of one of the two formats that Keras writes, sound or not."""
    import h5py

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    return bool(h5py.is_hdf5(path))


def _keras_version(path: Path) -> str:
    """Of the Keras that saved a file; an empty string if it does not tell."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive, archive.open("metadata.json") as record:
                return str(json.loads(record.read(_LONGEST))["keras_version"])
        import h5py

        with h5py.File(path) as file:
            return str(file.attrs["keras_version"])
    except Exception:  # a damaged file raises whatever its broken part leads to
        return ""
