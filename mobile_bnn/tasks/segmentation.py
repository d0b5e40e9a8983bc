"""Semantic segmentation: a class for every pixel."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, PrivateAttr

from mobile_bnn.data.label_maps import IGNORED
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.tasks.confusion import confusion_matrix, intersection_over_union
from mobile_bnn.tasks.strides import missing_strides
from mobile_bnn.tasks.task import Task, register
from mobile_bnn.typing import Array

if TYPE_CHECKING:
    from mobile_bnn.tasks.training_task import TrainingTask


@register
class Segmentation(Task):
    """Targets are class numbers, uint8 [batch, height, width], 255 where a pixel does not count.

    The output is a probability of each class at each pixel, float32 [batch, height, width, classes]. Class 0 is the
    background.
    """

    name = "segmentation"
    headline = "mIoU"
    training_metric = "mean_iou"

    output_stride: Annotated[int, Field(ge=1, le=64)] = Field(
        8, description="pixels of the image along a side for each pixel of the map that is classified; 8 or 16 as usual"
    )
    coarsest_stride: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="of the coarsest map that is used; the network's deepest by default, which small images waste"
    )
    width: Annotated[int, Field(ge=8, le=1024)] = Field(64, description="channels of the head's maps")
    dilations: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(min_length=1, max_length=8)] = Field(
        default_factory=lambda: [1, 2, 4], description="of the parallel binary convolutions"
    )
    _image: tuple[int, int] = PrivateAttr((0, 0))
    _classes: int = PrivateAttr(0)

    def fitted(self, input_shape: Sequence[int], num_classes: int) -> "Segmentation":
        """With the size of the images, which is that of the output, and the number of classes."""
        copy = self.model_copy()
        copy._image, copy._classes = (input_shape[0], input_shape[1]), num_classes
        return copy

    def fits(self, strides: Collection[int]) -> bool:
        """Whether there is a map of the output stride, and all coarser ones up to the deepest."""
        return not missing_strides(self.strides_of(strides), strides)

    def strides_of(self, strides: Collection[int]) -> list[int]:
        """The strides of the maps that are merged, of a backbone's: from the output stride to the coarsest."""
        wanted, coarsest = [self.output_stride], self.coarsest_stride or max(strides, default=0)
        while wanted[-1] < coarsest:
            wanted.append(wanted[-1] * 2)
        return wanted

    def decode(self, outputs: Sequence[Array]) -> list[Array]:
        """The most probable class of each pixel, uint8 [height, width] for each image."""
        (probabilities,) = outputs
        return list(np.asarray(probabilities).argmax(-1).astype(np.uint8))

    def check_outputs(self, shapes: Sequence[Sequence[int]]) -> None:
        """Refuses other outputs than one of probabilities for each pixel.

        Raises:
            MobileBnnError: they are others.
        """
        if len(shapes) != 1 or len(shapes[0]) != 4 or not 1 <= shapes[0][-1] <= IGNORED:
            raise MobileBnnError(
                "the file's outputs are not those of a segmenter", why=f"they are {[list(each) for each in shapes]}"
            )

    def evaluate(self, predictions: Sequence[Array], targets: Sequence[Array]) -> dict[str, float]:
        """The mean over classes of intersection over union, and the share of pixels that are right.

        Classes that neither the predictions nor the targets have are left out of the mean.
        """
        matrix = confusion_matrix(predictions, targets, ignored=IGNORED)
        overlaps = intersection_over_union(matrix)
        counted = matrix.sum()
        return {
            self.headline: float(np.nanmean(overlaps)) if counted else 0.0,
            "pixel accuracy": float(np.trace(matrix) / counted) if counted else 0.0,
        }

    def evaluate_classes(self, predictions: Sequence[Array], targets: Sequence[Array]) -> dict[int, float]:
        """The intersection over union of each class that there is."""
        overlaps = intersection_over_union(confusion_matrix(predictions, targets, ignored=IGNORED))
        return {label: float(value) for label, value in enumerate(overlaps) if np.isfinite(value)}

    def training(self) -> "TrainingTask":
        """Cross-entropy of each pixel."""
        from mobile_bnn.tasks.segmentation_training import SegmentationTraining

        return SegmentationTraining(self, self._image, self._classes)
