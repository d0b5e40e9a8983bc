"""Types that signatures share."""

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
"""A NumPy array; its docstring says which shape and dtype."""
