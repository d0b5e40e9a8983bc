"""The names of a Keras model's inputs and outputs, in their order, as a file's signature.

What a model was given as a dict keeps the keys of that, which `fit` and `predict` know; the rest has Keras's own names,
which are those of its layers. Where dicts are nested, or stand in lists, the keys on the way are joined.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mobile_bnn.converters.graph.model import Graph, Signature
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.legacy_keras import tf
from mobile_bnn.runtime.describe import text
from mobile_bnn.typing import KerasModel

KEY = "serving_default"
_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/-]*")  # of an operation in TensorFlow


def input_names(model: KerasModel) -> list[str]:
    """Of each of `model.inputs`."""
    return _names(getattr(model, "_nested_inputs", None), model.input_names)


def output_names(model: KerasModel) -> list[str]:
    """Of each of `model.outputs`; one that is there twice has two names."""
    return _names(getattr(model, "_nested_outputs", None), model.output_names)


def _names(structure: Any, own: list[str]) -> list[str]:
    """The keys of a flat dict, in the order in which Keras flattens it."""
    if isinstance(structure, dict) and not any(tf.nest.is_nested(value) for value in structure.values()):
        return [str(key) for key in sorted(structure)]
    return list(own)


def keys_of(structure: Any, taken: str) -> list[str | None]:
    """For each tensor of a nested structure, in Keras's order, the keys that lead to it, joined by slashes.

    Args:
        structure: of dicts, lists and tuples.
        taken: a name that none may have.

    Returns:
        Names for layers; None where no key leads to it or no layer may be called so, for all where keys are equal.
    """
    paths = [path if _NAME.fullmatch(path) and path != taken else None for path in _paths(structure)]
    keys = [path for path in paths if path]
    return paths if len(set(keys)) == len(keys) else [None] * len(paths)


def _paths(structure: Any, above: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(structure, Mapping):
        for key in sorted(structure):
            yield from _paths(structure[key], (*above, str(key)))
    elif isinstance(structure, list | tuple):
        for part in structure:
            yield from _paths(part, above)
    else:
        yield "/".join(above)


def sign(graph: Graph, model: KerasModel) -> None:
    """Gives a graph whose inputs and outputs are in Keras's order a signature by its names."""
    inputs = dict(zip(input_names(model), graph.inputs, strict=True))
    graph.signatures = [Signature(KEY, inputs, dict(zip(output_names(model), graph.outputs, strict=True)))]


def in_keras_order(flatbuffer: bytes, model: KerasModel) -> bytes:
    """A file of TensorFlow's or LCE's with inputs and outputs in Keras's order, and a signature by Keras's names.

    Converters of whole models sort them by names. A file without a signature has them in Keras's order.
    """
    file = TfliteModel.read(flatbuffer)
    graph = file.graphs[0]
    for signature in graph.signatures:
        inputs, outputs = (
            {text(name): tensor for name, tensor in side.items()} for side in (signature.inputs, signature.outputs)
        )
        if inputs.keys() == set(model.input_names) and outputs.keys() == set(model.output_names):
            graph.inputs = [inputs[name] for name in model.input_names]
            graph.outputs = [outputs[name] for name in model.output_names]
            break
    sign(graph, model)
    return file.write()
