"""Image classification: one of several classes for each image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from mobile_bnn.tasks.task import Task, register
from mobile_bnn.typing import Array

if TYPE_CHECKING:
    from mobile_bnn.tasks.training_task import TrainingTask


@register
class Classification(Task):
    """Targets are class numbers, the output is a probability of each class."""

    name = "classification"
    headline = "top-1"
    training_metric = "accuracy"

    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of the target spread evenly over all classes")

    def decode(self, outputs: Sequence[Array]) -> list[int]:
        """The most probable class of each image, of one output, float32 [batch, classes]."""
        (probabilities,) = outputs
        return [int(number) for number in np.asarray(probabilities).argmax(-1)]

    def evaluate(self, predictions: Sequence[int], targets: Sequence[int]) -> dict[str, float]:
        """The share of images whose most probable class is theirs."""
        return {self.headline: float(np.mean(np.asarray(predictions) == np.asarray(targets)))}

    def training(self) -> "TrainingTask":
        """Cross-entropy over a softmax."""
        from mobile_bnn.tasks.classification_training import ClassificationTraining

        return ClassificationTraining(self.label_smoothing)
