"""A Keras model's weights by name, and setting them in another model of the same network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mobile_bnn.errors import UsageError
from mobile_bnn.typing import Array, KerasLayer, KerasModel, KerasVariable
from mobile_bnn.wording import plural
from mobile_bnn.zoo.variable_names import named_variables

Weights = Mapping[str, Array]
"""By "layer/variable"."""


def weights_of(model: KerasModel) -> dict[str, Array]:
    """All weights of a model, latent ones where it has them."""
    return {name: variable.numpy() for _, name, variable in variables(model)}


@dataclass(frozen=True)
class Assigned:
    """What `assign` did.

    Attributes:
        values: weights that were set.
        fresh: the layers that keep their own, for other numbers of classes.
    """

    values: int
    fresh: list[str]


def assign(model: KerasModel, weights: Weights, source: str) -> Assigned:
    """Sets the weights of a model.

    Layers whose shapes differ keep their own where no layer that fits reads them: a head for other classes.

    Args:
        model: of the architecture and the method that the weights are of.
        weights: by name.
        source: where they come from, for messages.

    Raises:
        UsageError: they are of another network; nothing is set.
    """
    wanted = list(variables(model))
    layers = {layer.name: layer for layer, _, _ in wanted}
    fitting = {name for _, name, variable in wanted if _shape(weights, name) == tuple(variable.shape)}
    fresh = {layer.name for layer, name, _ in wanted if name not in fitting}
    known = {name.split("/")[0] for name in weights}
    reasons = [
        *(f"it has no layer {name}" for name in sorted(known - set(layers))),
        *(f"they have no {name}" for _, name, _ in wanted if name not in weights),
        *(
            f"{name} is {_sizes(variable.shape)}, theirs {_sizes(weights[name].shape)}"
            for layer, name, variable in wanted
            if name in weights and name not in fitting and _read_by(layer) & (set(layers) - fresh)
        ),
    ]
    if reasons or not fitting:
        more = f", and {plural(len(reasons) - 1, 'more difference')}" if len(reasons) > 1 else ""
        raise UsageError(
            f"the weights of {source} do not fit {model.name}",
            why=reasons[0] + more if reasons else "no layer has the same shape",
            cure="Take the method, the options and the image channels that they were trained with",
        )
    for layer, name, variable in wanted:
        if layer.name not in fresh:
            variable.assign(weights[name])
    return Assigned(sum(layer.name not in fresh for layer, _, _ in wanted), sorted(fresh))


def _read_by(layer: KerasLayer) -> set[str]:
    """The names of all layers that read what a layer gives, directly or through others."""
    found: set[str] = set()
    left = [layer]
    while left:
        for node in left.pop().outbound_nodes:
            if node.layer.name not in found:
                found.add(node.layer.name)
                left.append(node.layer)
    return found


def _sizes(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "a number"


def _shape(weights: Weights, name: str) -> tuple[int, ...] | None:
    return weights[name].shape if name in weights else None


def variables(model: KerasModel) -> Iterator[tuple[KerasLayer, str, KerasVariable]]:
    """Every weight with its layer and its name, "layer/variable"."""
    for layer in model.layers:
        for name, variable in named_variables(layer):
            yield layer, f"{layer.name}/{name}", variable
