"""Time and memory of one conversion, in a process that has done nothing but build the Keras model.

usage: python benchmarks/conversion/one_conversion.py CONVERTER MODEL

Prints seconds, seconds of CPU, bytes of memory and bytes of the file. The modules are imported before the clock
starts. Memory is what the resident set grew to above what it was with the model built. Ours is timed without its
verification, which the others have none of, and with it.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).parents[1] / "bench"))

from fresh_process import PeakMemory, printed_by
from large_model import NAME as LARGE
from large_model import large_model

from mobile_bnn.typing import KerasModel


def _ours() -> Callable[[KerasModel], bytes]:
    from mobile_bnn.converters.lowering import lower
    from mobile_bnn.converters.source import Source

    def convert(model: KerasModel) -> bytes:
        source = Source.of_keras(model)
        lower(source.model.graphs[0], source.quantized)
        return source.model.write()

    return convert


def _verified() -> Callable[[KerasModel], bytes]:
    _lce()  # its interpreter is one of those that the file is compared in
    from mobile_bnn import converters

    def convert(model: KerasModel) -> bytes:
        with TemporaryDirectory() as folder:
            return converters.convert(model, Path(folder) / "model.tflite").path.read_bytes()

    return convert


def _float() -> Callable[[KerasModel], bytes]:
    from mobile_bnn.converters.keras.lce_converter import to_float

    return to_float


def _lce() -> Callable[[KerasModel], bytes]:
    from mobile_bnn.converters.keras.lce_converter import to_binary
    from mobile_bnn.native_output import caught_stderr

    with caught_stderr():
        import larq_compute_engine  # noqa: F401

    return to_binary


OURS, VERIFIED, LCE, FLOAT = "ours", "ours with verification", "LCE", "TensorFlow (float)"
CONVERTERS = {OURS: _ours, VERIFIED: _verified, LCE: _lce, FLOAT: _float}


def measure(converter: str, model: str) -> tuple[float, float, int, int]:
    """One process: seconds, seconds of CPU, bytes of memory, bytes of the file.

    Raises:
        MobileBnnError: the process failed.
    """
    words = printed_by(f"{converter} on {model}", __file__, converter, model)
    seconds, cpu_seconds, memory_bytes, file_bytes = words[-4:]
    return float(seconds), float(cpu_seconds), int(memory_bytes), int(file_bytes)


def main() -> None:
    """Measures this very process."""
    from mobile_bnn import zoo
    from mobile_bnn.training import Recipe

    converter, name = sys.argv[1:]
    model = large_model() if name == LARGE else zoo.build(name, Recipe.of_zoo(name).method)
    convert = CONVERTERS[converter]()
    memory, start, cpu_start = PeakMemory(), time.perf_counter(), time.process_time()
    flatbuffer = convert(model)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    print(seconds, cpu_seconds, memory.grown_bytes(), len(flatbuffer))


if __name__ == "__main__":
    main()
