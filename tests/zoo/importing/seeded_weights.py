"""Weights and images that the makers of the fixtures and the tests both generate: NumPy alone, from the names."""

import zlib
from collections.abc import Sequence

import numpy as np

Shape = Sequence[int]
# Ranges of what PyTorch's networks have beside kernels: batch norms' factors are vectors called "weight".
_PYTORCH = {"weight": (0.5, 1.5), "pos_scale": (0.5, 1.5), "neg_scale": (0.1, 0.4), "scale": (0.2, 0.8)}


def seeded(name: str, shape: Shape, spread: float = 1.0) -> np.ndarray:
    """One array of a network: float32, its distribution as its name asks for.

    Args:
        name: in the checkpoint, of Keras or of PyTorch; the generator is seeded with it.
        shape: of the array.
        spread: variance that a batch norm is told to expect.
    """
    random = np.random.default_rng(zlib.crc32(name.encode()))
    last = name.rpartition("/")[2].rpartition(".")[2].partition(":")[0]
    if last == "temperature":
        return np.full(shape, 1e-9, np.float32)
    if "/" not in name and last in _PYTORCH and (len(shape) < 2 or last != "weight"):
        low, high = (0.1, 0.4) if "prelu" in name else _PYTORCH[last]
        return random.uniform(low, high, shape).astype(np.float32)
    if last in ("gamma", "moving_variance", "running_var"):
        return (random.uniform(0.5, 1.5, shape) * (1.0 if last == "gamma" else spread)).astype(np.float32)
    if last in ("moving_mean", "running_mean"):
        return (0.3 * spread**0.5 * random.standard_normal(shape)).astype(np.float32)
    if last in ("alpha", "alpha_a"):
        return random.uniform(0.1, 0.4, shape).astype(np.float32)
    if last in ("beta", "bias"):
        return (0.3 * random.standard_normal(shape)).astype(np.float32)
    axes = shape[1:] if "/" not in name else shape[:2] if last == "depthwise_kernel" else shape[:-1]
    inputs = int(np.prod(axes))
    kernel = random.standard_normal(shape, np.float32) / np.float32(inputs**0.5)
    return np.where((kernel == 0) & ("/" not in name), np.float32(1e-6), kernel)  # PyTorch's sign of 0 is 0


def images(number: int, height: int, width: int, seed: int = 5) -> np.ndarray:
    """float32 [number, height, width, 3], about normal."""
    return np.random.default_rng(seed).standard_normal((number, height, width, 3)).astype(np.float32)
