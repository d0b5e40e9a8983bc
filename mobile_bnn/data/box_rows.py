"""Boxes as the project writes them: (y0, x0, y1, x1) in 0 to 1 of the image's height and width. NumPy only.

A target of detection is a row (y0, x0, y1, x1, class, ignored), a batch of them float32 [batch, rows, 6]. Images hold
different numbers of objects, so rows are padded by ones whose class is `PADDING`. An object that is `ignored` (too
difficult, or a crowd) counts neither as found nor as missed.
"""

import numpy as np

from mobile_bnn.typing import Array, Floats

COLUMNS = 6
CLASS, IGNORED = 4, 5  # columns
PADDING = -1.0


def padded(rows: Array, count: int) -> Floats:
    """Targets [N, 6] with padding below, or the first of them: float32 [count, 6]."""
    result = np.zeros((count, COLUMNS), np.float32)
    result[:, CLASS] = PADDING
    kept = rows[:count]
    result[: len(kept)] = kept
    return result


def objects(rows: Array) -> Array:
    """The rows of one image's target [N, 6] that are objects, in their order."""
    return rows[rows[:, CLASS] >= 0]
