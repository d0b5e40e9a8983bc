"""Object detection: boxes with classes, by a single-shot detector (SSD) on any backbone's maps."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, model_validator

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.tasks.anchors import Anchors, decode, map_sizes
from mobile_bnn.tasks.average_precision import THRESHOLDS, average_precisions
from mobile_bnn.tasks.boxes import intersection_over_union
from mobile_bnn.tasks.strides import missing_strides
from mobile_bnn.tasks.suppression import Detections, detections
from mobile_bnn.tasks.task import Task, register
from mobile_bnn.typing import Array, JsonObject

if TYPE_CHECKING:
    from mobile_bnn.tasks.training_task import TrainingTask

Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=16)]
Stride = Annotated[int, Field(ge=1, le=1024)]
Size = Annotated[int, Field(ge=1, le=65536)]

_MOST_CELLS, _FEWEST_CELLS = 24, 4  # on the longer side of the finest and the coarsest map, where no strides are given
_SAME_BOX = 0.5  # intersection over union
_PROBABLE, _AT_THE_LIMIT = 0.5, 0.1  # scores


@register
class Detection(Task):
    """Targets are padded rows of boxes (see `data.box_rows`); outputs are offsets of anchors, and class probabilities.

    The outputs are "boxes", float32 [batch, anchors, 4], and "scores", float32 [batch, anchors, classes + 1], of which
    class 0 is the background.
    """

    name = "detection"
    headline = "mAP@0.5"
    training_metric = "scores_accuracy"

    strides: list[Stride] | None = Field(
        None, description="of the maps with predictions, each twice the one before; by the image's size if not given"
    )
    smallest: Share = Field(0.2, description="scale of the finest map's anchors, as a share of the image's sides")
    largest: Share = Field(0.9, description="scale of the coarsest map's anchors")
    ratios: Annotated[list[Positive], Field(min_length=1, max_length=16)] = Field(
        default_factory=lambda: [1.0, 2.0, 0.5], description="width over height of each cell's anchors"
    )
    width: Annotated[int, Field(ge=8, le=1024)] = Field(64, description="channels of the head's maps")
    negatives: Annotated[float, Field(gt=0, le=1000)] = Field(
        3.0, description="background anchors that are trained for each that has an object: the hardest ones"
    )
    score_threshold: Share = Field(0.02, description="least probability of what counts as found")
    overlap: Share = Field(0.45, description="of boxes of one class that overlap by more only the best stays")
    most: Annotated[int, Field(ge=1, le=10_000)] = Field(100, description="objects on one image, at most")
    maps: list[Annotated[list[Size], Field(min_length=2, max_length=2)]] | None = Field(
        None, description="(height, width) of the maps; they follow from the image's size and the strides"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "Detection":
        if self.strides is not None and any(b != 2 * a for a, b in zip(self.strides, self.strides[1:], strict=False)):
            raise ValueError("strides: each must be twice the one before, such as strides=[8,16,32]")
        if self.strides is not None and not self.strides:
            raise ValueError("strides: needs at least one, such as strides=[8,16,32]")
        if self.largest < self.smallest:
            raise ValueError("largest: must not be less than smallest")
        return self

    def fitted(self, input_shape: Sequence[int], num_classes: int) -> "Detection":
        """With the strides and the sizes of the maps over such images."""
        strides = self.strides_on(input_shape)
        return self.model_copy(update={"strides": strides, "maps": map_sizes(input_shape, strides)})

    def strides_on(self, image: Sequence[int]) -> list[int]:
        """The strides of the maps on images of (height, width, ...)."""
        if self.strides is not None:
            return self.strides
        longer = max(image[:2])
        strides = [1]
        while -(-longer // strides[0]) > _MOST_CELLS:
            strides = [strides[0] * 2]
        while -(-longer // strides[-1]) > _FEWEST_CELLS:
            strides.append(strides[-1] * 2)
        return strides

    def fits(self, strides: Collection[int]) -> bool:
        """Whether there are the maps of the task's strides; without such, some maps without a gap between them."""
        own = sorted(strides)
        wanted = self.strides or [own[0] * 2**power for power in range(len(own))] if own else [1]
        return not missing_strides(wanted, own)

    @property
    def anchors(self) -> Anchors:
        """What the outputs move."""
        if self.maps is None:
            raise ValueError("the task is not fitted to the size of the images")
        return Anchors(self.maps, self.smallest, self.largest, self.ratios)

    def decode(self, outputs: Sequence[Array]) -> list[Detections]:
        """The objects on each image, of the outputs "boxes" and "scores"."""
        offsets, scores = (np.asarray(output, np.float32) for output in outputs)
        centers = self.anchors.centers()
        return [
            detections(
                decode(moved, centers),
                probabilities,
                threshold=self.score_threshold,
                overlap=self.overlap,
                most=self.most,
            )
            for moved, probabilities in zip(np.nan_to_num(offsets), np.nan_to_num(scores), strict=True)
        ]

    def check_outputs(self, shapes: Sequence[Sequence[int]]) -> None:
        """Refuses other outputs than offsets of the anchors and their probabilities.

        Raises:
            MobileBnnError: they are others.
        """
        count = self.anchors.count if self.maps is not None else 0
        expected = len(shapes) == 2 and tuple(shapes[0][1:]) == (count, 4) and tuple(shapes[1][1:-1]) == (count,)
        if not expected or shapes[1][-1] < 2:
            raise MobileBnnError(
                "the file's outputs are not those of a detector",
                why=f"they are {[list(shape) for shape in shapes]}, its metadata tell of {count} anchors",
            )

    def evaluate(self, predictions: Sequence[Detections], targets: Sequence[Array]) -> dict[str, float]:
        """The mean over classes of the average precision at an overlap of 0.5, and at 0.5 to 0.95 (COCO's)."""
        each = list(average_precisions(predictions, targets).values())
        mean = np.mean(each, axis=0) if each else np.zeros(len(THRESHOLDS))
        return {self.headline: float(mean[0]), "mAP@0.5:0.95": float(mean.mean())}

    def evaluate_classes(self, predictions: Sequence[Detections], targets: Sequence[Array]) -> dict[int, float]:
        """The average precision of each class at an overlap of 0.5."""
        return {label: float(each[0]) for label, each in average_precisions(predictions, targets).items()}

    def agreement(self, ours: Sequence[Detections], theirs: Sequence[Detections]) -> float:
        """The share of the probable objects of both that the other found too: the same class, overlap of 0.5.

        The other's probability may be a little lower, so that those at the limit do not count as different.
        """
        pairs, all_of_both = 0, 0
        for one, other in (*zip(ours, theirs, strict=True), *zip(theirs, ours, strict=True)):
            probable, candidates = one.above(_PROBABLE), other.above(_PROBABLE - _AT_THE_LIMIT)
            same = intersection_over_union(probable.boxes, candidates.boxes) >= _SAME_BOX
            same &= probable.classes[:, None] == candidates.classes[None]
            pairs += int(same.any(1).sum())
            all_of_both += len(probable.scores)
        return pairs / all_of_both if all_of_both else 1.0

    def decoding(self) -> JsonObject:
        """Anchors and suppression."""
        fields = {"maps", "smallest", "largest", "ratios", "score_threshold", "overlap", "most"}
        return self.model_dump(include=fields)

    def training(self) -> "TrainingTask":
        """SSD's losses."""
        from mobile_bnn.tasks.detection_training import DetectionTraining

        return DetectionTraining(self, self.strides or [])
