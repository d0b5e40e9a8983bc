"""Which array of a file goes where in a network: nothing may be missing, left over, or of another shape."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.typing import Array, KerasModel
from mobile_bnn.zoo.importing.checkpoints import Checkpoint
from mobile_bnn.zoo.variable_names import named_variables

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Slot:
    """A variable of a network, and what a checkpoint calls it.

    Attributes:
        names: of the arrays that make it up; several are joined.
        shapes: of each of them.
        layer: of the network.
        weight: its variable, such as "kernel".
        make: from the arrays to the variable's value.
    """

    names: tuple[str, ...]
    shapes: tuple[Shape, ...]
    layer: str
    weight: str
    make: Callable[[Sequence[Array]], Array]


@dataclass(frozen=True)
class Match:
    """What fits of a checkpoint, and what does not.

    Attributes:
        slots: all variables of the network.
        missing: names that the network needs and the file lacks.
        unused: names that the file has and the network does not know.
        misshapen: by name the file's shape and the one that the network needs.
    """

    slots: Sequence[Slot]
    missing: Sequence[str]
    unused: Sequence[str]
    misshapen: Mapping[str, tuple[Shape, Shape]]

    @property
    def complete(self) -> bool:
        """Whether every array has its place and every variable its array."""
        return not (self.missing or self.unused or self.misshapen)

    @property
    def fitting(self) -> int:
        """How many arrays of the file fit."""
        return sum(len(slot.names) for slot in self.slots) - len(self.missing) - len(self.misshapen)


def match(checkpoint: Checkpoint, slots: Sequence[Slot], ignored: Callable[[str], bool] = lambda name: False) -> Match:
    """Compares names and shapes; nothing is read.

    Args:
        checkpoint: the file's arrays, by the names that the slots use.
        slots: of the network.
        ignored: whether an array that no slot names is known to be of no use.
    """
    wanted = {name: shape for slot in slots for name, shape in zip(slot.names, slot.shapes, strict=True)}
    arrays = checkpoint.arrays
    return Match(
        slots,
        [name for name in wanted if name not in arrays],
        [name for name in arrays if name not in wanted and not ignored(name)],
        {
            name: (arrays[name].shape, shape)
            for name, shape in wanted.items()
            if name in arrays and arrays[name].shape != shape
        },
    )


def fill(model: KerasModel, checkpoint: Checkpoint, slots: Sequence[Slot]) -> None:
    """Gives a network the arrays of a checkpoint that matches completely.

    Raises:
        MobileBnnError: an array cannot be read, or holds a NaN or an infinity.
    """
    for slot in slots:
        value = slot.make([checkpoint.arrays[name].read() for name in slot.names])
        if not np.isfinite(value).all():
            raise MobileBnnError(f"{checkpoint.path} has a NaN or an infinity in {slot.names[0]}")
        variable = dict(named_variables(model.get_layer(slot.layer)))[slot.weight]
        variable.assign(np.reshape(value, variable.shape))
