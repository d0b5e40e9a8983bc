"""Times binary convolutions and QuickNetSmall in every engine, side by side in one run, one thread each.

usage: python benchmarks/bconv.py [--library LIBRARY] [--rounds 40] [--threads 1]

Engines take turns, so that a machine that slows down slows all of them. The figure is the median of the rounds. LCE's
binding copies input and output, which the others need not: at most some percent of its times.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate

from mobile_bnn.profiling.engines.lce import LarqComputeEngine
from mobile_bnn.runtime import library_path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "native"))  # whose helpers write single-operator files
from numpy_bconv import BconvCase  # noqa: E402

ISAS = ("avx512", "avx2", "sse4", "neon_dot", "neon", "portable")
LAYERS = ((56, 64), (28, 128), (14, 256), (7, 512))  # width and height, channels: those of a ResNet-18
WARM_UP = 3


def cpu_name() -> str:
    """What the CPU calls itself."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown CPU")


def litert(flatbuffer: bytes, threads: int, delegate: Any = None) -> Callable[[], None]:
    """An inference in stock LiteRT, random input in place."""
    interpreter = Interpreter(
        model_content=flatbuffer, num_threads=threads, experimental_delegates=[delegate] if delegate else None
    )
    interpreter.allocate_tensors()
    (detail,) = interpreter.get_input_details()
    generator = np.random.default_rng(0)
    if detail["dtype"] == np.float32:
        x = generator.normal(size=detail["shape"]).astype(np.float32)
    else:
        x = generator.integers(-(2**31), 2**31, detail["shape"]).astype(np.int32)
    interpreter.set_tensor(detail["index"], x)
    return interpreter.invoke


def load_delegates(library: Path, threads: int) -> dict[str, Any]:
    """A delegate for each instruction set that the CPU has."""

    def load(isa: str) -> Any:
        try:
            return load_delegate(str(library), {"isa": isa, "num_threads": threads})
        except ValueError as error:
            print(f"without {isa}: {error}")
            return None

    return {isa: delegate for isa in ISAS if (delegate := load(isa))}


def float_bytes(model: Any) -> bytes:
    """The same graph in float, by TensorFlow's converter."""
    from mobile_bnn.legacy_keras import tf

    return tf.lite.TFLiteConverter.from_keras_model(model).convert()


def float_convolution(size: int, channels: int) -> bytes:
    """A float 3x3 convolution of one layer's shape."""
    from mobile_bnn.legacy_keras import tf

    layers = [
        tf.keras.layers.Input((size, size, channels), 1),
        tf.keras.layers.Conv2D(channels, 3, padding="same", use_bias=False),
    ]
    return float_bytes(tf.keras.Sequential(layers))


def engines(binary: bytes, floating: bytes, delegates: dict[str, Any], threads: int) -> dict[str, Callable[[], None]]:
    """One inference in each engine."""
    lce = LarqComputeEngine()
    return {
        "LCE default": lce.load(binary, "bgemm", threads).invoke,
        "LCE indirect_bgemm": lce.load(binary, "indirect_bgemm", threads).invoke,
        "LiteRT float": litert(floating, threads),
        **{f"mobile_bnn {isa}": litert(binary, threads, delegate) for isa, delegate in delegates.items()},
    }


def measure(run: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each engine."""
    times: dict[str, list[float]] = {name: [] for name in run}
    for number in range(WARM_UP + rounds):
        for name, infer in run.items():
            infer()  # the former engine has filled the caches
            start = time.perf_counter()
            infer()
            if number >= WARM_UP:
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def report(title: str, latency_ms: dict[str, float]) -> None:
    """Prints the times, and how many times faster each of our kernels is than each other engine."""
    others = [name for name in latency_ms if not name.startswith("mobile_bnn")]
    print(f"\n{title}")
    for name, value in latency_ms.items():
        ratios = "  ".join(f"{latency_ms[other] / value:6.1f}x {other}" for other in others)
        print(f"  {name:20} {value:9.3f} ms   {'' if name in others else ratios}")


def main() -> None:
    """Runs everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, default=library_path())
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    threads = arguments.threads
    delegates = load_delegates(arguments.library, threads)

    import larq_compute_engine

    from mobile_bnn import zoo

    print(f"{cpu_name()}, {threads} thread(s)")
    network = zoo.build("quicknet_small")
    binary = larq_compute_engine.convert_keras_model(network)
    report(
        "QuickNetSmall, 224x224, batch 1",
        measure(engines(binary, float_bytes(network), delegates, threads), arguments.rounds),
    )
    for size, channels in LAYERS:
        case = BconvCase(0, size=(size, size), channels=channels, outputs=channels)
        run = engines(case.model(), float_convolution(size, channels), delegates, threads)
        report(f"Bconv 3x3 {size}x{size}x{channels}, same-one, float output", measure(run, arguments.rounds))


if __name__ == "__main__":
    main()
