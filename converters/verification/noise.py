"""Random inputs, for a model of which no samples were given."""

from typing import Any

import numpy as np

from mobile_bnn.typing import Array


def noise(generator: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any] | None) -> Array:
    """Numbers between -1 and 1, any bytes, or of larger integers, which may be places in a table, 0 and 1."""
    if dtype is None or not np.issubdtype(dtype, np.integer):
        return generator.uniform(-1, 1, shape).astype(dtype or np.float32)
    low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype.itemsize == 1 else (0, 1)
    return generator.integers(low, high, shape, dtype, endpoint=True)
