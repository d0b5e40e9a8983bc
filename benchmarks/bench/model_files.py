"""Makes the files to measure: binary ones by LCE's converter, the same graphs in float by TensorFlow's.

It is a process of its own, so that the one that measures holds no TensorFlow.

usage: python benchmarks/bench/model_files.py FOLDER CASE...
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cases import CASES, Case, Layer

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.typing import KerasModel

TESTS = Path(__file__).parents[2] / "tests"


def make_files(folder: Path, cases: Sequence[Case], on_done: Callable[[], None]) -> None:
    """Makes both files of every case in a child process; `on_done` is called after each.

    Raises:
        MobileBnnError: the child failed.
    """
    command = [sys.executable, __file__, str(folder), *(case.name for case in cases)]
    with (
        (folder / "errors.txt").open("w+", encoding="utf-8") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as child,
    ):
        assert child.stdout is not None
        for _ in child.stdout:
            on_done()
        if child.wait() != 0:
            errors.seek(0)
            last = [line.strip() for line in errors if line.strip()][-1:]
            raise MobileBnnError("the model files could not be made", why="".join(last))


def binary_file(folder: Path, case: Case) -> Path:
    """Where a case's binary file lies."""
    return folder / f"{case.name}.tflite"


def float_file(folder: Path, case: Case) -> Path:
    """Where a case's float file lies."""
    return folder / f"{case.name}_float.tflite"


def _network(name: str) -> tuple[bytes, KerasModel]:
    from calibrated import calibrated

    from mobile_bnn import zoo
    from mobile_bnn.converters.keras.lce_converter import to_binary
    from mobile_bnn.training import Recipe

    model = calibrated(zoo.build(name, Recipe.of_zoo(name).method))
    return to_binary(model), model


def _layer(layer: Layer) -> tuple[bytes, KerasModel]:
    from numpy_bconv import BconvCase

    from mobile_bnn.legacy_keras import tf

    size, channels = layer.size, layer.channels
    binary = BconvCase(0, size=(size, size), channels=channels, outputs=channels).model()
    image = tf.keras.layers.Input((size, size, channels), name="image")
    return binary, tf.keras.Model(image, tf.keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)(image))


def main() -> None:
    """Makes the files and prints a line for each case."""
    sys.path[:0] = [str(TESTS), str(TESTS / "native")]  # whose helpers write single operators, and networks as trained
    from mobile_bnn.converters.keras.lce_converter import to_float

    folder, names = Path(sys.argv[1]), sys.argv[2:]
    for case in (CASES[name] for name in names):
        binary, model = _layer(case) if isinstance(case, Layer) else _network(case.name)
        binary_file(folder, case).write_bytes(binary)
        float_file(folder, case).write_bytes(to_float(model))
        print(case.name, flush=True)


if __name__ == "__main__":
    main()
