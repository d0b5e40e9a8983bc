"""How the layers of Keras are stored by PyTorch: names of their parameters, and the order of their axes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mobile_bnn.typing import Array, KerasLayer, KerasModel
from mobile_bnn.zoo.importing.matching import Shape, Slot
from mobile_bnn.zoo.variable_names import named_variables

# From one of our layers to its variables there, by the variable's name here; an empty one for a layer without.
Namer = Callable[[KerasLayer], Mapping[str, "Stored"]]


@dataclass(frozen=True)
class Stored:
    """A variable as PyTorch stores it.

    Attributes:
        names: of the parameters; several lie side by side in ours, along its last axis.
        form: "kernel" [out, in, height, width] or [out, in]; "flat" [out · in · height · width, 1]; "vector"
            [channels];
            "image" [1, channels, 1, 1]; "column" [channels, 1, 1]; "scalar" [].
    """

    names: tuple[str, ...]
    form: str = "vector"


def conv(*prefixes: str, weight: str = "weight", flat: bool = False) -> dict[str, Stored]:
    """Of a convolution without bias, or of several beside each other."""
    return {"kernel": Stored(tuple(f"{each}.{weight}" for each in prefixes), "flat" if flat else "kernel")}


def dense(prefix: str) -> dict[str, Stored]:
    """Of a linear layer."""
    return {"kernel": Stored((f"{prefix}.weight",), "kernel"), "bias": Stored((f"{prefix}.bias",))}


def norm(*prefixes: str) -> dict[str, Stored]:
    """Of a batch norm, or of those of several convolutions beside each other."""
    names = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    return {ours: Stored(tuple(f"{each}.{theirs}" for each in prefixes)) for ours, theirs in names.items()}


def slots_of(model: KerasModel, namer: Namer) -> list[Slot]:
    """A slot for every variable that the namer names.

    Raises:
        LookupError: it leaves out one that is trained, or a statistic of a batch norm.
    """
    result = []
    for layer in model.layers:
        if not layer.weights:
            continue
        names = namer(layer)
        for weight, variable in named_variables(layer):
            if stored := names.get(weight):
                shapes, make = _form(stored.form, tuple(variable.shape), len(stored.names))
                result.append(Slot(stored.names, shapes, layer.name, weight, make))
            elif variable.trainable or weight.startswith("moving_"):
                raise LookupError(f"{layer.name}/{weight} has no name in PyTorch")
    return result


def _form(form: str, ours: Shape, count: int) -> tuple[tuple[Shape, ...], Callable[[Sequence[Array]], Array]]:
    """Shapes there of a variable's parts, and what makes the variable of them."""
    last = ours[-1] // count if ours else 1
    there = (last, *ours[-2:-1], *ours[:-2])  # [out, in, height, width]
    shapes: dict[str, Shape] = {
        "kernel": there,
        "flat": (int(np.prod(there)), 1),
        "vector": (last,),
        "image": (1, last, 1, 1),
        "column": (last, 1, 1),
        "scalar": (),
    }

    def kernel(arrays: Sequence[Array]) -> Array:
        parts = [np.moveaxis(np.reshape(each, there), (0, 1), (-1, -2)) for each in arrays]
        return np.concatenate(parts, -1)

    def channels(arrays: Sequence[Array]) -> Array:
        return np.concatenate([np.reshape(each, -1) for each in arrays])

    return (shapes[form],) * count, kernel if form in ("kernel", "flat") else channels


def counted(name: str) -> bool:
    """Whether an array only counts what a batch norm has seen."""
    return name.endswith("num_batches_tracked")


def rows_of(*names: str) -> Callable[..., int]:
    """How many classes a checkpoint tells apart: the rows of the first of these arrays that it has."""

    def classes(checkpoint: object) -> int:
        arrays = checkpoint.arrays  # type: ignore[attr-defined]
        shape = next((arrays[name].shape for name in names if name in arrays), ())
        return shape[0] if shape else 0

    return classes
