"""What is wrong with a Keras model, in one line of our own instead of Keras's many."""

import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobile_bnn.converters.input_shapes import how_to_fix
from mobile_bnn.converters.keras.layers import flatten
from mobile_bnn.converters.keras.signing import input_names
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Json, KerasModel

_LAYER = re.compile(r"""^Exception encountered when calling layer ["'](.+)["'] \(type (\w+)\)""", re.MULTILINE)
_NO_OPERATOR = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")
_DESERIALIZED = re.compile(r"^Exception encountered: (.+)", re.MULTILINE)
_ELSEWHERE = ("Exception encountered when", "in user code")
_TRACE = re.compile(r'^ *File ".*\n.*\n', re.MULTILINE)
_ADVICE = re.compile(r"(?<=\.) (?:You can|If|Please|See|This carries)\b")
_UNKNOWN = re.compile(r"Unknown [\w ]+: '(?:[^'>]*>)?(\w+)'")
_LAMBDA = "deserialization of a Lambda layer"
_IMPORT = "--import my_layers.py (imports=[...] in Python)"
_OTHER_KERAS = "Build the model with tf_keras, or convert the SavedModel that its export() writes"
_LONGEST = 4096  # bytes of a metadata record


@dataclass(frozen=True)
class Cause:
    """What went wrong in Keras or TensorFlow.

    Attributes:
        text: one line.
        layer: in whose `call` it did, with its class; empty if in none.
    """

    text: str
    layer: str = ""

    def __str__(self) -> str:
        return f"layer {self.layer}: {self.text}" if self.layer else self.text


def cause_of(error: Exception) -> Cause:
    """What went wrong, and in which layer: without tracebacks and advice for those who call Keras themselves."""
    text = str(error)
    if missing := dict.fromkeys(_NO_OPERATOR.findall(text)):
        return Cause(f"TFLite has no operator for tf.{', tf.'.join(missing)}")
    lines = [line.strip() for line in _TRACE.sub("", text).splitlines() if line.strip()]
    told = _DESERIALIZED.findall(text) or [line for line in lines if not line.startswith(_ELSEWHERE)]
    cause = _ADVICE.split(told[0])[0].removesuffix(".") if told else first_line(error)
    layer = _LAYER.search(text)
    return Cause(cause, f"{layer[1]} ({layer[2]})" if layer else "")


def check_model(model: KerasModel) -> None:
    """Refuses what cannot be exported, before TensorFlow says so in its own words.

    Raises:
        MobileBnnError: it is no Keras 2 model, its inputs are not known or not fixed, or it computes in other floats.
    """
    if not isinstance(model, tf.keras.Model):
        kind = type(model)
        raise MobileBnnError(
            f"{kind.__module__}.{kind.__qualname__} is not a model of Keras 2, to which Larq's layers belong",
            cure=_OTHER_KERAS,
        )
    if not model.inputs:
        raise MobileBnnError(
            f"the inputs of model {model.name} are not known",
            cure="Call the model once, or convert tf.keras.Model(image, model(image)) with image = "
            "tf.keras.Input(shape)",
        )
    shapes = [tuple(image.shape[1:]) for image in model.inputs]
    if open_shape := next((shape for shape in shapes if None in shape), None):
        cure = how_to_fix(input_names(model), shapes)
        raise MobileBnnError(f"the model's input shape {open_shape} is not fixed", cure=cure)
    for layer in (*flatten(model), *model.submodules):
        precision = getattr(layer, "compute_dtype", None)
        if precision in ("float16", "bfloat16", "float64"):
            raise MobileBnnError(
                f"layer {layer.name} computes in {precision}",
                why="only float32 can be made binary",
                cure="Build the model under the policy float32 and load its weights into that",
            )


def loading_error(
    path: Path, error: Exception, imports: Iterable[Path | str] = (), known: Iterable[str] = ()
) -> MobileBnnError:
    """Why Keras 2 cannot load a file.

    Args:
        path: the file.
        error: what Keras raised.
        imports: files with layers of one's own that were run.
        known: the names that they define.
    """
    if path.is_file() and not _is_container(path):
        return MobileBnnError(
            f"{path} is not a Keras model",
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
    why, cure = _unknown(path, cause_of(error), [str(file) for file in imports], set(known))
    return MobileBnnError(f"{path} is not a Keras 2 model that can be loaded", why=why, cure=cure)


def _unknown(path: Path, cause: Cause, imports: Sequence[str], known: set[str]) -> tuple[str, str]:
    """What Keras does not know, as a rule something of the user's own, and how it gets to know it."""
    if _LAMBDA in cause.text:
        cure = "If you trust it: tf.keras.models.load_model(path, safe_mode=False), and convert that in Python"
        return cause.text, cure
    names = list(dict.fromkeys(_own_names(path)) or _UNKNOWN.findall(cause.text))
    if names == ["function"]:  # which is what Keras itself looks for
        why = "Keras cannot read a function of your own back from an .h5"
        return why, f"Save the model as .keras, and name the Python file that defines the function: {_IMPORT}"
    known = known | {name.rpartition(">")[2] for name in tf.keras.utils.get_custom_objects()}
    if not (missing := [name for name in names if name not in known]):
        cure = f"If it has layers or functions of your own, name the Python file that defines them: {_IMPORT}"
        return str(cause), cure
    what, it = f"Keras does not know {', '.join(missing)}", "it" if len(missing) == 1 else "them"
    if imports:
        return f"{what}, and {', '.join(imports)} does not define {it}", f"Name the Python file that does: {_IMPORT}"
    own = "it is" if it == "it" else "they are"
    return what, f"If {own} your own, name the Python file that defines {it}: {_IMPORT}"


def _own_names(path: Path) -> Iterator[str]:
    """The classes and functions in a .keras that are not Keras's, in their order."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except Exception:  # a folder, an .h5, or damaged in any way: then Keras's own words must do
        return
    found = [config]
    while found:
        part = found.pop()
        if isinstance(part, dict):
            yield from _own_name(part)
            part = list(part.values())
        if isinstance(part, list):
            found += reversed(part)


def _own_name(part: Mapping[str, Json]) -> list[str]:
    name, module = part.get("class_name"), str(part.get("module"))
    if name == "function":
        name = part.get("config")
    elif module.partition(".")[0] in ("keras", "tf_keras", "builtins"):
        return []
    return [name] if isinstance(name, str) else []


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
