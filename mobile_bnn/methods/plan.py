"""What a method changes while a model trains: quantities that follow the progress, and phases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mobile_bnn.typing import KerasLayer, KerasModel, KerasTensor, KerasVariable, TfTensor


@dataclass(frozen=True)
class Schedule:
    """A variable that follows the training's progress.

    Attributes:
        variable: a scalar float32 variable of the model (see `schedule_variable`).
        value: its value as a function of the progress in [0, 1], the share of all steps that were taken: a float32
            scalar, from TensorFlow's operators, because the training step computes it. It depends on nothing else, so
            a resumed training needs no state to go on exactly.
    """

    variable: KerasVariable
    value: Callable[[TfTensor], TfTensor]


def every_layer(layer: KerasLayer) -> bool:
    """Whether a layer is trained: every layer is."""
    return True


def has_float_kernel(layer: KerasLayer) -> bool:
    """Whether a layer has no quantized kernel, so that training leaves quantized ones as they are."""
    return getattr(layer, "kernel_quantizer", None) is None


@dataclass(frozen=True)
class Phase:
    """A part of the training.

    Attributes:
        name: for messages and the history.
        share: of all epochs, above 0; the shares of all phases add up to 1.
        binarize_inputs: whether the inputs of binary layers are binarized.
        binarize_kernels: whether their kernels are.
        trainable: which layers are trained; the others keep their weights. What an optimizer knows belongs to the
            variables that it trains, so a phase with another choice than the one before begins with a new optimizer.
        reset_optimizer: whether the phase begins with a new optimizer.
        begin: changes the model's weights before the phase's first step; it is given a batch of training images,
            always the same one.
        attention: whether a teacher's attention transfer, where the recipe has one, is on.
    """

    name: str
    share: float
    binarize_inputs: bool = True
    binarize_kernels: bool = True
    trainable: Callable[[KerasLayer], bool] = every_layer
    reset_optimizer: bool = False
    begin: Callable[[KerasModel, KerasTensor], None] | None = None
    attention: bool = True


WHOLE = Phase("train", 1.0)


def first_epochs(phases: Sequence[Phase], epochs: int) -> list[int]:
    """The epoch that each phase begins with, counted from 0, and at the end the number of epochs.

    Shares are rounded to whole epochs, so a phase may have none.

    Raises:
        ValueError: the shares do not add up to 1, or one is not above 0.
    """
    shares = [phase.share for phase in phases]
    if not shares or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"the shares of a method's phases must be above 0 and add up to 1, not {shares}")
    return [round(sum(shares[:index]) * epochs) for index in range(len(shares) + 1)]
