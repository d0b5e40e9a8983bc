"""Weights that come with the package: trained here, with the recipe and the history of their training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobile_bnn.records import DatasetRecord
from mobile_bnn.typing import KerasModel
from mobile_bnn.zoo.trained.records import DATASET, TFLITE, Trained, tags, trained


@dataclass(frozen=True, eq=False)
class Loaded:
    """An architecture with trained weights.

    Attributes:
        model: in Keras, with latent weights of the binary kernels' values, from which training can go on.
        record: what the weights were trained on, and how good they are.
    """

    model: KerasModel
    record: Trained

    @property
    def tflite(self) -> Path:
        """The same network as a .tflite file, of which it is proved that it computes the same."""
        return self.record.file(TFLITE)

    @property
    def labels(self) -> Sequence[str]:
        """The class names, in the order of the outputs."""
        return DatasetRecord.load(self.record.file(DATASET)).labels


__all__ = ["Loaded", "Trained", "tags", "trained"]
