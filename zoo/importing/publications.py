"""Whose weights of which network are known: how their files name them, and what their network is to ours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mobile_bnn.typing import Json, KerasModel
from mobile_bnn.zoo.importing.checkpoints import Checkpoint
from mobile_bnn.zoo.importing.matching import Slot


def nothing(name: str) -> bool:
    """No array of a file may be left over."""
    return False


@dataclass(frozen=True)
class Publication:
    """Weights of a network that somebody published.

    Attributes:
        zoo: the network of the zoo.
        source: who published them.
        format: "Keras" or "PyTorch", as of a `Checkpoint`.
        method: the binarization method of the network.
        slots: from the built network and the checkpoint, where each array belongs.
        classes: how many classes a checkpoint tells apart; 0 where it does not show.
        method_options: hyperparameters of the method, where they are not its own.
        network: options of the network, where they are not its own.
        models: names of the model in files that hold one; none: there are no such files.
        ignored: whether an array is known to be of no use.
        binary: what a file must say for its kernels to be signs, or why they are not; empty: they are.
    """

    zoo: str
    source: str
    format: str
    method: str
    slots: Callable[[KerasModel, Checkpoint], Sequence[Slot]]
    classes: Callable[[Checkpoint], int]
    method_options: Mapping[str, Json] = field(default_factory=dict)
    network: Mapping[str, Json] = field(default_factory=dict)
    models: Sequence[str] = ()
    ignored: Callable[[str], bool] = nothing
    binary: Callable[[Checkpoint], str] = lambda checkpoint: ""
