"""Writes .safetensors files for tests: float32 arrays only."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def write_safetensors(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """The arrays as a file of that format."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, array in arrays.items():
        end = offset + 4 * array.size
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    content = [np.ascontiguousarray(array, "<f4").tobytes() for array in arrays.values()]
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(content))
