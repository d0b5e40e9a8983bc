"""Sees that no value which a network compares with a threshold lies where rounding could move it across.

The scripts that make the files run a network in its own framework with many inputs and keep those that are clear of
every threshold: the stored outputs then differ from any correct computation by rounding alone. What the networks'
quantizers tell costs nothing while the network is exported.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

CLEAR = 1e-5  # of the largest value of a tensor; float32 sums of some hundred products err by about 1e-6 of it

_margins: list[np.ndarray] | None = None
_layers = 0


@contextmanager
def _recording() -> Iterator[None]:
    global _margins, _layers
    _margins, _layers = [], 0
    try:
        yield
    finally:
        _margins = None


def near(x: object, thresholds: object = 0.0) -> None:
    """Told by a quantizer: values [N, ...], and where it jumps: what broadcasts to them, or a list of such."""
    if _margins is None:
        return
    values = np.asarray(x, np.float64)
    edges = thresholds if isinstance(thresholds, list) else [thresholds]
    distance = np.min([np.abs(values - np.asarray(edge, np.float64)) for edge in edges], axis=0)
    scale = max(float(np.abs(values).max()), 1e-30)
    _margins.append(distance.reshape(len(values), -1).min(1) / scale)


def binary() -> None:
    """Told by a linear layer whose weights and inputs are binary, or of few values, each time it computes."""
    global _layers
    if _margins is not None:
        _layers += 1


def clear_inputs(run: Callable[..., object], inputs: list[np.ndarray], keep: int = 4) -> tuple[list[np.ndarray], int]:
    """The first inputs that come nowhere near a threshold, and how many binary layers a run has.

    Args:
        run: the network, in its own framework, without gradients.
        inputs: float32 [N, ...] each.
        keep: how many are wanted.

    Raises:
        SystemExit: there are not so many, or the network told nothing.
    """
    with _recording():
        run(*inputs)
        margins, layers = list(_margins or []), _layers
    if not margins or not layers:
        raise SystemExit("the network has told of no quantizer or of no binary layer")
    found = np.flatnonzero(np.min(margins, axis=0) > CLEAR)
    if len(found) < keep:
        raise SystemExit(f"only {len(found)} of {len(margins[0])} inputs are clear of every threshold")
    return [each[found[:keep]] for each in inputs], layers


def save(stem: Path, flatbuffer: bytes, inputs: list[np.ndarray], outputs: list[np.ndarray], layers: int) -> None:
    """Writes STEM.tflite and STEM.npz: inputs and outputs in the file's order, and the number of binary layers."""
    stem.parent.mkdir(exist_ok=True)
    stem.with_suffix(".tflite").write_bytes(flatbuffer)
    arrays = {f"input_{i}": np.asarray(each, np.float32) for i, each in enumerate(inputs)}
    arrays |= {f"output_{i}": np.asarray(each, np.float32) for i, each in enumerate(outputs)}
    np.savez_compressed(stem.with_suffix(".npz"), binary_layers=layers, **arrays)
    size = stem.with_suffix(".tflite").stat().st_size
    print(f"{stem.parent.name}/{stem.name}: {size:,} bytes, {layers} binary layers", flush=True)
    if size > 60 * 1024:
        raise SystemExit(f"{stem.name}.tflite has {size:,} bytes, more than 60 KB")
