"""What `make_torch_checkpoints.py` wrote of each network, and the arrays that follow from it."""

import json
from pathlib import Path

import numpy as np
from seeded_weights import seeded

FIXTURE = np.load(Path(__file__).with_name("torch_checkpoints.npz"))


def layout(network: str) -> dict:
    """Of a network: its input shape, options, which of how many images, and names, shapes and spreads of arrays."""
    return json.loads(FIXTURE[f"{network}/layout"].tobytes())


def arrays_of(network: str) -> dict[str, np.ndarray]:
    """The checkpoint: float32 arrays by name."""
    return {name: seeded(name, shape, spread) for name, shape, spread in layout(network)["arrays"]}
