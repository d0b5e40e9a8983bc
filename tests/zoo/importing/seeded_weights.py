"""Weights and images that the makers of the fixtures and the tests both generate: NumPy alone, from the names."""

import zlib
from collections.abc import Sequence

import numpy as np

Shape = Sequence[int]


def seeded(name: str, shape: Shape, spread: float = 1.0) -> np.ndarray:
    """One array of a network: float32, its distribution as its name asks for.

    Args:
        name: in the checkpoint, of Keras or of PyTorch; the generator is seeded with it.
        shape: of the array.
        spread: variance that a batch norm is told to expect.
    """
    random = np.random.default_rng(zlib.crc32(name.encode()))
    last = name.rpartition("/")[2].rpartition(".")[2].partition(":")[0]
    if last in ("gamma", "moving_variance", "running_var"):
        return (random.uniform(0.5, 1.5, shape) * (1.0 if last == "gamma" else spread)).astype(np.float32)
    if last in ("moving_mean", "running_mean"):
        return (0.3 * spread**0.5 * random.standard_normal(shape)).astype(np.float32)
    if last == "alpha":
        return random.uniform(0.1, 0.4, shape).astype(np.float32)
    if last in ("beta", "bias"):
        return (0.3 * random.standard_normal(shape)).astype(np.float32)
    inputs = int(np.prod(shape[:2])) if last == "depthwise_kernel" else int(np.prod(shape[:-1]))
    return random.standard_normal(shape, np.float32) / np.float32(inputs**0.5)


def images(number: int, height: int, width: int, seed: int = 5) -> np.ndarray:
    """float32 [number, height, width, 3], about normal."""
    return np.random.default_rng(seed).standard_normal((number, height, width, 3)).astype(np.float32)
