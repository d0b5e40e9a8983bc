"""The phases of a method as ranges of epochs: a pure function of the recipe, so that resuming stays exact."""

from dataclasses import dataclass
from itertools import pairwise

from mobile_bnn.methods import Phase
from mobile_bnn.methods.plan import first_epochs
from mobile_bnn.training.recipe import Recipe


@dataclass(frozen=True)
class Stage:
    """A phase and its epochs, counted from 0.

    Attributes:
        phase: of the method.
        first, last: its first epoch, and the first epoch after it.
        schedule_epochs: that the learning rate's schedule is over: those from the last new optimizer to the next.
        new_optimizer: whether it begins with a new optimizer.
        optimizer_since: the epoch that its optimizer is new in.
    """

    phase: Phase
    first: int
    last: int
    schedule_epochs: int
    new_optimizer: bool
    optimizer_since: int


def stages(recipe: Recipe) -> list[Stage]:
    """The stages of a training; phases whose share is less than half an epoch are left out."""
    phases = recipe.method.phases()
    bounds = first_epochs(phases, recipe.epochs)
    ranges = [each for each in zip(phases, bounds[:-1], bounds[1:], strict=True) if each[1] < each[2]]
    fresh = [_begins_anew(before[0], after[0]) for before, after in pairwise(ranges)]
    starts = [0, *(ranges[index + 1][1] for index, new in enumerate(fresh) if new), recipe.epochs]
    return [
        Stage(phase, first, last, _span(starts, first), new, max(start for start in starts if start <= first))
        for (phase, first, last), new in zip(ranges, [True, *fresh], strict=True)
    ]


def _begins_anew(before: Phase, phase: Phase) -> bool:
    return phase.reset_optimizer or phase.trainable is not before.trainable


def _span(starts: list[int], epoch: int) -> int:
    """The length of the range between two starts that an epoch is in."""
    index = max(index for index, start in enumerate(starts[:-1]) if start <= epoch)
    return starts[index + 1] - starts[index]
