"""The nets that are functions of plain TensorFlow and of JAX: what they take, and how files are made of them.

Images are [N, 16, 16, 3].
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from watching import clear_inputs, save

_IMAGE = (16, 16, 3)
_SHAPES = {
    "reactnet": _IMAGE,
    "birealnet": _IMAGE,
    "low_bit": _IMAGE,
    "xnornet": _IMAGE,
    "segmenter": _IMAGE,
    "lstm_rolled": (4, 16),
    "lstm_unrolled": (4, 16),
    "bit": (6, 16),
}


def make_files(
    folder: Path,
    nets: Mapping[str, Callable[[], Any]],
    names: Sequence[str],
    run: Callable[[Any, np.ndarray], np.ndarray],
    to_flatbuffer: Callable[[Any, tuple[int, ...]], bytes],
) -> None:
    """Makes FOLDER/NET.tflite and .npz.

    Args:
        folder: where they go.
        nets: by their names, what draws the weights of each.
        names: of those that are made; all if there are none.
        run: computes a net of float32 [N, ...] in its own framework; the first run tells batch norms their statistics.
        to_flatbuffer: exports a net of that shape without the batch, which is 1.
    """
    for name in names or nets:
        net, shape = nets[name](), _SHAPES[name]
        images = np.random.default_rng(1).normal(size=(64, *shape)).astype(np.float32)
        run(net, images)
        inputs, layers = clear_inputs(partial(run, net), [images])
        if name == "lstm_rolled":
            layers //= shape[0]  # the loop's body has them once
        save(folder / name, to_flatbuffer(net, shape), inputs, [run(net, inputs[0])], layers)
