"""Transposed convolutions as binary files beside float ones, and what a product of two binary activations could gain.

usage: python benchmarks/beside_float.py [--rounds 60]

Both files of a row take turns in one process on one thread; the figures are medians. A float file is stock LiteRT with
XNNPACK, a binary one has our library. There is no packed product of two activations: its bound is a binary dense layer
of the same size, which packs one operand only, and never unpacks anything.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.keras.export import export
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.source import Source
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import library_path
from mobile_bnn.typing import Array, KerasLayer, KerasModel, KerasTensor

layers = tf.keras.layers
SIGNS = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
# Size of the map, channels in and out, taps, stride, padding.
TRANSPOSED = [
    (28, 64, 64, 2, 2, "same"),
    (28, 64, 64, 3, 2, "same"),
    (28, 64, 64, 4, 2, "same"),
    (14, 128, 128, 2, 2, "same"),
    (14, 128, 128, 3, 2, "same"),
    (14, 128, 128, 4, 2, "same"),
    (7, 256, 128, 4, 2, "same"),
    (28, 64, 21, 16, 8, "same"),
    (28, 64, 64, 3, 1, "same"),
    (28, 4, 16, 2, 2, "same"),
    (28, 4, 16, 3, 1, "same"),
]
# Heads, rows, features.
PRODUCTS = [(3, 64, 32), (12, 197, 64), (12, 256, 64), (12, 1024, 64)]


def interpreter(flatbuffer: bytes, library: bool) -> Interpreter:
    """One thread, with our library or without."""
    delegates = [load_delegate(str(library_path()))] if library else None
    made = Interpreter(model_content=flatbuffer, num_threads=1, experimental_delegates=delegates)
    made.allocate_tensors()
    return made


def compare(one: Interpreter, other: Interpreter, rounds: int) -> tuple[float, float]:
    """The medians of both in milliseconds."""
    times: list[list[float]] = [[], []]
    for number in range(rounds + 5):
        for each, taken in zip((one, other), times, strict=True):
            for detail in each.get_input_details():
                values = np.random.default_rng(number).normal(size=detail["shape"])
                each.set_tensor(detail["index"], values.astype(np.float32))
            began = time.perf_counter()
            each.invoke()
            taken.append(1e3 * (time.perf_counter() - began))
    first, second = (statistics.median(taken[5:]) for taken in times)
    return first, second


def up(size: int, inputs: int, stack: Sequence[KerasLayer]) -> KerasModel:
    """A model of these layers over a map."""
    return tf.keras.Sequential([layers.Input((size, size, inputs)), *stack])


def transposed(size: int, inputs: int, outputs: int, taps: int, stride: int, padding: str, rounds: int) -> None:
    """Prints a row for the layer alone, and one with a batch norm and a layer after it."""
    options = {"strides": stride, "padding": padding, "use_bias": False}
    for followed in (False, True):
        binary = [larq.layers.QuantConv2DTranspose(outputs, taps, **options, **SIGNS)]
        floats = [layers.Conv2DTranspose(outputs, taps, **options)]
        if followed:
            binary += [layers.BatchNormalization(), larq.layers.QuantConv2D(8, 1, use_bias=False, **SIGNS)]
            floats += [layers.BatchNormalization(), layers.ReLU(), layers.Conv2D(8, 1, use_bias=False)]
        lowered, _ = Source.of_keras(up(size, inputs, binary)).lower()
        files = export(up(size, inputs, floats)).write(), lowered.write()
        one, other = compare(interpreter(files[0], False), interpreter(files[1], True), rounds)
        name = f"{taps}x{taps}, stride {stride}, {size}x{size}x{inputs} to {outputs}" + (
            ", BN, 1x1" if followed else ""
        )
        print(f"{name:42} float {one:8.3f} ms, binary {other:7.3f} ms: {one / other:5.1f} times as fast")


def product(heads: int, rows: int, features: int, rounds: int) -> None:
    """Prints a row."""
    shape = (1, heads, rows, features)
    flatbuffer = _convert(lambda x, y: tf.matmul(x, y, transpose_b=True), shape, shape)
    signs = np.where(np.random.default_rng(0).random((1, 1, features, rows)) < 0.5, -1, 1)
    dense = TfliteModel.read(_convert(lambda x: tf.nn.conv2d(larq.math.sign(x), _constant(signs), 1, "VALID"), shape))
    lower(dense.graphs[0])
    one, other = compare(interpreter(flatbuffer, False), interpreter(dense.write(), True), rounds)
    name = f"{heads} heads, {rows}x{features} by {features}x{rows}"
    print(f"{name:42} float {one:8.3f} ms, bound {other:8.3f} ms: {one / other:5.1f}")


def _constant(values: Array) -> KerasTensor:
    return tf.constant(values, tf.float32)


def _convert(function: Callable[..., KerasTensor], *shapes: tuple[int, ...]) -> bytes:
    specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    concrete = tf.function(function, autograph=False).get_concrete_function(*specs)
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete], None).convert())


def main() -> None:
    """Runs both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    for row in TRANSPOSED:
        transposed(*row, rounds)
    for sizes in PRODUCTS:
        product(*sizes, rounds)


if __name__ == "__main__":
    main()
