"""Larq Zoo's 14 networks: its files name layers as Keras does, by their class and a number, or by hand in two of them.

The numbers are whatever the session counted, so a layer is the n-th of its class in the order of the file.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest

import numpy as np

from mobile_bnn.typing import Array, KerasLayer, KerasModel
from mobile_bnn.zoo.importing.checkpoints import Checkpoint
from mobile_bnn.zoo.importing.larq_zoo_names import by_hand
from mobile_bnn.zoo.importing.matching import Slot
from mobile_bnn.zoo.importing.publications import Publication
from mobile_bnn.zoo.variable_names import named_variables

_SOURCE = "Larq Zoo"
# Which of our layers is of another class there, by its name or its class here.
_ALEXNET = {"QuantDense": "quant_conv2d"}
_QUICKNET = {
    "Conv2D": "quant_conv2d",
    "stem_2": "quant_depthwise_conv2d",
    "logits": "quant_dense",
}
_CLASSES = {
    "Conv2D": "conv2d",
    "QuantConv2D": "quant_conv2d",
    "DepthwiseConv2D": "depthwise_conv2d",
    "Dense": "dense",
    "QuantDense": "quant_dense",
    "BatchNormalization": "batch_normalization",
}


def _numbered(others: Mapping[str, str], make: Callable[[Sequence[Array]], Array]) -> Callable[..., list[Slot]]:
    """Slots of a network whose layers are named by class and number."""

    def class_of(layer: KerasLayer) -> str:
        known = type(layer).__name__
        return others.get(layer.name) or others.get(known) or _CLASSES[known]

    def slots(model: KerasModel, checkpoint: Checkpoint) -> list[Slot]:
        there: dict[str, list[str]] = defaultdict(list)
        for name in dict.fromkeys(each.partition("/")[0] for each in checkpoint.arrays):
            # As TensorFlow 1 called some classes: batch_normalization_v1_3.
            there[re.sub(r"(_v[12])?(_\d+)?$", "", name)].append(name)
        here: dict[str, list[KerasLayer]] = defaultdict(list)
        for layer in model.layers:
            if layer.weights:
                here[class_of(layer)].append(layer)
        result = []
        for kind, layers in here.items():
            for number, (layer, found) in enumerate(zip_longest(layers, there[kind][: len(layers)]), 1):
                name = found or f"{kind} number {number}"
                for weight, variable in named_variables(layer):
                    shape = tuple(variable.shape)
                    if kind == "quant_conv2d" and len(shape) == 2:
                        shape = (1, 1, *shape)  # a dense layer as a convolution of one pixel
                    result.append(Slot((f"{name}/{weight}",), (shape,), layer.name, weight, make))
        return result

    return slots


def _as_it_is(arrays: Sequence[Array]) -> Array:
    return arrays[0]


def _joined(arrays: Sequence[Array]) -> Array:
    """The groups of a convolution, which are layers of their own there."""
    return np.concatenate(arrays, -1)


def _clipped(arrays: Sequence[Array]) -> Array:
    """As its quantizer clips kernels; of trained ones it changes nothing, and none of another layer is that large."""
    return np.clip(arrays[0], -1, 1) if arrays[0].ndim == 4 else arrays[0]


def _named(model: KerasModel, checkpoint: Checkpoint) -> list[Slot]:
    """Slots of a network whose layers have names given by hand."""
    result = []
    for layer in model.layers:
        if layer.weights:
            names = by_hand(model.name, layer.name)
            for weight, variable in named_variables(layer):
                shape = tuple(variable.shape)
                shapes = [(*shape[:-1], shape[-1] // len(names))] * len(names)
                full = tuple(f"{name}/{weight}" for name in names)
                result.append(Slot(full, tuple(shapes), layer.name, weight, _joined))
    return result


def _classes(checkpoint: Checkpoint) -> int:
    last = list(checkpoint.arrays.values())[-1:]
    return last[0].shape[-1] if last and last[0].shape else 0


def _publication(
    zoo: str,
    method: str,
    slots: Callable[..., list[Slot]],
    models: Sequence[str] = (),
    **method_options: int,
) -> Publication:
    names = (zoo, *models)
    return Publication(zoo, _SOURCE, "Keras", method, slots, _classes, method_options, models=names)


_PLAIN = _numbered({}, _as_it_is)
PUBLICATIONS = (
    _publication("binary_alexnet", "bnn", _numbered(_ALEXNET, _as_it_is)),
    _publication("binary_densenet28", "bnn", _PLAIN),
    _publication("binary_densenet37", "bnn", _PLAIN),
    _publication("binary_densenet37_dilated", "bnn", _PLAIN),
    _publication("binary_densenet45", "bnn", _PLAIN),
    _publication("binary_resnet_e18", "bnn", _PLAIN, ["binary_resnet_e_18"]),
    _publication("birealnet18", "bi_real", _PLAIN),
    _publication("dorefa_net", "dorefa", _PLAIN, ["dorefanet"], input_bits=2),
    _publication("meliusnet22", "bnn", _named),
    _publication("quicknet", "bnn", _numbered(_QUICKNET, _as_it_is)),
    _publication("quicknet_large", "bnn", _numbered(_QUICKNET, _as_it_is)),
    _publication("quicknet_small", "bnn", _numbered(_QUICKNET, _as_it_is)),
    _publication("real_to_binary_net", "bnn", _named, ["r2b_bnn"]),
    _publication("xnornet", "xnor_net", _numbered({}, _clipped)),
)
