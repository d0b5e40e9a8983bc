"""Transposed convolutions and products of two binary activations as binary files beside float ones.

usage: python benchmarks/beside_float.py [--rounds 60]

Both files of a row take turns in one process on one thread; the figures are medians. A float file is stock LiteRT with
XNNPACK, a binary one has our library. Products are those of attention: the scores, rows by rows, and what they weigh.
Their signs are taken in the binary file; the float one multiplies what it is given.
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
from mobile_bnn.typing import KerasLayer, KerasModel, KerasTensor

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
PRODUCTS = [(3, 64, 32), (12, 197, 64), (8, 256, 64), (8, 1024, 64)]


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
    """Prints a row for the scores, and one for what they weigh."""
    shape = (1, heads, rows, features)
    scores = shape, shape, True
    context = (1, heads, rows, rows), shape, False
    for left, right, transposed in (scores, context):
        name = f"{heads} heads, {left[2]}x{left[3]} by {left[3]}x{rows if transposed else features}"
        floats = _convert(lambda x, y, turn=transposed: tf.matmul(x, y, transpose_b=turn), left, right)
        signs = TfliteModel.read(_convert(lambda x, y, turn=transposed: _of_signs(x, y, turn), left, right))
        lower(signs.graphs[0])
        one, other = compare(interpreter(floats, False), interpreter(signs.write(), True), rounds)
        print(f"{name:42} float {one:8.3f} ms, binary {other:7.3f} ms: {one / other:5.1f} times as fast")


def _of_signs(x: KerasTensor, y: KerasTensor, transposed: bool) -> KerasTensor:
    return tf.matmul(larq.math.sign(x), larq.math.sign(y), transpose_b=transposed)


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
