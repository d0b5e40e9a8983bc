"""How often pixels of each class are taken for each other, and the overlap that follows. NumPy only."""

from collections.abc import Sequence

import numpy as np

from mobile_bnn.typing import Array


def confusion_matrix(predictions: Sequence[Array], targets: Sequence[Array], *, ignored: int) -> Array:
    """Pixels by true class (rows) and predicted class (columns): int64 [classes, classes].

    Args:
        predictions: uint8 [height, width] of each image.
        targets: of the same shapes.
        ignored: a true class that does not count.
    """
    parts = [*predictions, *(true[true != ignored] for true in targets)]
    largest = (int(part.max()) for part in parts if part.size)
    classes = 1 + max(largest, default=0)
    matrix = np.zeros((classes, classes), np.int64)
    for one, true in zip(predictions, targets, strict=True):
        counted = true != ignored
        pairs = true[counted].astype(np.int64) * classes + one[counted]
        matrix += np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return matrix


def intersection_over_union(matrix: Array) -> Array:
    """Of each class, float64 [classes]; NaN for one that is neither predicted nor true (Everingham et al. 2015)."""
    common = np.diag(matrix).astype(np.float64)
    union = matrix.sum(0) + matrix.sum(1) - common
    return np.divide(common, union, out=np.full(len(matrix), np.nan), where=union > 0)
