"""Loads somebody's weights into a network of the zoo, and tells what matched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile_bnn import methods
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import atomic_file
from mobile_bnn.typing import Json, KerasModel
from mobile_bnn.wording import plural
from mobile_bnn.zoo.importing.checkpoints import Checkpoint, open_checkpoint
from mobile_bnn.zoo.importing.matching import Match, Slot, fill, match
from mobile_bnn.zoo.importing.publications import Publication
from mobile_bnn.zoo.importing.published_files import check_file

_SHOWN = 3  # names in a message


@dataclass(frozen=True)
class Imported:
    """A network with somebody's weights.

    Attributes:
        model: the Keras model.
        publication: whose weights they are.
        checkpoint: the file.
        slots: which array went where.
        notes: what a user should know, one sentence each.
        unused: names of arrays that are known to be of no use.
    """

    model: KerasModel
    publication: Publication
    checkpoint: Checkpoint
    slots: Sequence[Slot]
    notes: Sequence[str]
    unused: Sequence[str]

    def save(self, path: Path | str) -> None:
        """Writes the model as .keras, whole or not at all."""
        with atomic_file(path) as part:
            self.model.save(part, save_format="keras")


def publications() -> list[Publication]:
    """All that are known."""
    from mobile_bnn.zoo.importing import larq_zoo, mobile_nets, resnets

    return [*larq_zoo.PUBLICATIONS, *resnets.PUBLICATIONS, *mobile_nets.PUBLICATIONS]


def import_weights(
    name: str,
    file: Path | str,
    input_shape: Sequence[int] | None = None,
    network: Mapping[str, Json] | None = None,
) -> Imported:
    """The network called `name` with the weights of a file, and what went where.

    Args:
        name: of the zoo.
        file: of Keras 2 (.h5), of torch.save, or .safetensors.
        input_shape: (height, width, channels) of the network; its own by default.
        network: options that the weights' network has beyond its own, such as {"width": 0.5}.

    Raises:
        UsageError: an unknown name, no such file, or no known weights of that network in the file's format.
        MobileBnnError: the file is damaged or hostile, or has another network's weights.
    """
    from mobile_bnn import zoo

    zoo.get(name)
    checkpoint = open_checkpoint(file)
    candidates = _candidates(name, checkpoint)
    notes = [*checkpoint.notes, *check_file(checkpoint, name)]
    tried = []
    for publication in candidates:
        if classes := publication.classes(checkpoint):
            model = _build(publication, input_shape, classes, network or {})
            slots = publication.slots(model, checkpoint)
            found = match(checkpoint, slots, publication.ignored)
            if found.complete:
                if why := publication.binary(checkpoint):
                    raise MobileBnnError(f"{checkpoint.path} cannot be loaded as {name}", why=why)
                fill(model, checkpoint, slots)
                used = {each for slot in slots for each in slot.names}
                unused = [each for each in checkpoint.arrays if each not in used]
                return Imported(model, publication, checkpoint, slots, [*notes, *_zeros(model)], unused)
            tried.append(found)
    raise _does_not_fit(name, checkpoint, tried)


def load_weights(
    name: str,
    file: Path | str,
    input_shape: Sequence[int] | None = None,
    network: Mapping[str, Json] | None = None,
) -> KerasModel:
    """The network called `name` with the weights of a file; for arguments and errors see `import_weights`."""
    return import_weights(name, file, input_shape, network).model


def _candidates(name: str, checkpoint: Checkpoint) -> list[Publication]:
    known = publications()
    own = [each for each in known if each.zoo == name]
    if not own:
        others = ", ".join(sorted({each.zoo for each in known}))
        raise UsageError(f"no weights of {name} are known that could be imported", cure=f"Those of {others} are")
    fitting = [each for each in own if each.format == checkpoint.format]
    if not fitting:
        formats = " or ".join(sorted({f"those of {each.source} for {each.format}" for each in own}))
        what = f"{checkpoint.path} has weights of {checkpoint.format}"
        raise UsageError(what, why=f"of {name} only {formats} are known")
    if checkpoint.model and not any(checkpoint.model in each.models for each in fitting):
        raise MobileBnnError(f"{checkpoint.path} is a model called {checkpoint.model}, not {name}")
    return fitting


def _build(
    publication: Publication, input_shape: Sequence[int] | None, classes: int, network: Mapping[str, Json]
) -> KerasModel:
    from mobile_bnn import zoo

    method = methods.create(publication.method, **publication.method_options)
    options = {**publication.network, **network}
    return zoo.build(publication.zoo, method, input_shape, max(classes, 2), network=options)


def _zeros(model: KerasModel) -> list[str]:
    """A note on kernels with a sign that is 0 in PyTorch and +1 here."""
    binary = [layer for layer in model.layers if getattr(layer, "kernel_quantizer", None)]
    zeros = sum(int(np.count_nonzero(layer.kernel.numpy() == 0)) for layer in binary)
    return (
        [f"{plural(zeros, 'weight')} of binary layers {'is' if zeros == 1 else 'are'} 0: taken as +1"] if zeros else []
    )


def _does_not_fit(name: str, checkpoint: Checkpoint, tried: Sequence[Match]) -> MobileBnnError:
    what = f"{checkpoint.path} does not have the weights of {name}"
    if not tried:
        return MobileBnnError(what, why="it has no array of a last layer that is known")
    best = max(tried, key=lambda found: found.fitting)
    parts = []
    if best.missing:
        parts.append(f"it lacks {_some(best.missing)}")
    if best.misshapen:
        shapes = [f"{each} is {there}, not {here}" for each, (there, here) in best.misshapen.items()]
        parts.append(_some(shapes))
    if best.unused:
        parts.append(f"it has {_some(best.unused)} too")
    return MobileBnnError(what, why="; ".join(parts))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
