"""Non-maximum suppression, outside of the network's graph: of boxes that overlap only the best stays. NumPy only."""

from typing import NamedTuple

import numpy as np

from mobile_bnn.tasks.boxes import area, intersection_over_union
from mobile_bnn.typing import Array, Floats

_CANDIDATES = 400  # of a class, the best of which the authors of SSD keep too


class Detections(NamedTuple):
    """What was found on one image, the most probable first.

    Attributes:
        boxes: (y0, x0, y1, x1) in 0 to 1 of the image, float32 [N, 4].
        scores: probabilities, float32 [N].
        classes: numbers, int64 [N].
    """

    boxes: Floats
    scores: Floats
    classes: Array

    def above(self, score: float) -> "Detections":
        """Those of at least this score."""
        kept = self.scores >= score
        return Detections(self.boxes[kept], self.scores[kept], self.classes[kept])


def suppressed(boxes: Array, scores: Array, overlap: float) -> list[int]:
    """The indices that stay of boxes [N, 4] with scores [N], best first.

    A box goes if its intersection over union with a better one that stays is above `overlap`. Equal scores keep their
    order.
    """
    order = list(np.argsort(-scores, kind="stable"))
    kept: list[int] = []
    while order:
        best = int(order.pop(0))
        kept.append(best)
        if order:
            shared = intersection_over_union(boxes[best : best + 1], boxes[order])[0]
            order = [index for index, common in zip(order, shared, strict=True) if common <= overlap]
    return kept


def detections(boxes: Array, scores: Array, *, threshold: float, overlap: float, most: int) -> Detections:
    """What one image's outputs say.

    Args:
        boxes: corners of each anchor, moved; float32 [anchors, 4].
        scores: float32 [anchors, classes + 1]; class 0 is the background.
        threshold: least score.
        overlap: see `suppressed`; boxes of different classes do not suppress each other. A box outside of the image
            does not count.
        most: detections at most.
    """
    found: list[tuple[float, int, int]] = []
    clipped = np.clip(boxes, 0, 1)
    visible = area(clipped) > 0
    for label in range(scores.shape[1] - 1):
        own = scores[:, label + 1]
        indices = np.flatnonzero((own >= threshold) & visible)
        indices = indices[np.argsort(-own[indices], kind="stable")[:_CANDIDATES]]
        kept = indices[suppressed(clipped[indices], own[indices], overlap)]
        found += [(float(own[index]), label, int(index)) for index in kept]
    found.sort(key=lambda each: -each[0])
    best = found[:most]
    return Detections(
        clipped[[index for _, _, index in best]].reshape(-1, 4).astype(np.float32),
        np.array([score for score, _, _ in best], np.float32),
        np.array([label for _, label, _ in best], np.int64),
    )
