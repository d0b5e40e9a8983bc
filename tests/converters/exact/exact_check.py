"""Whether a float graph of exact sums and the files made of it agree in every bit of their outputs.

Zeros of both signs count as equal: they are equal numbers, and TFLite's own kernels disagree on them.
"""

import numpy as np

from mobile_bnn.converters.source import Source
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.converters.verification.runners import FileRunner, run_float_file
from tests.converters.exact import float64_oracle
from tests.converters.exact.exact_networks import ExactNetwork


def faults(network: ExactNetwork) -> list[str]:
    """What is wrong about a network's file; empty if nothing is."""
    flatbuffer, images = network.flatbuffer(), network.images()
    (expected,) = run_float_file(flatbuffer, [images])
    (exact,) = float64_oracle.outputs(flatbuffer, images)
    assert np.array_equal(expected, exact), "the generator made sums that float32 rounds"
    model, lowering = Source.of_tflite(flatbuffer).lower()
    told = [f"{layer.name}: {layer.reason}" for layer in lowering.layers if not layer.binary]
    binary = model.write()
    for name, ours in (
        ("delegate", FileRunner(binary).run([images])[0]),
        ("LCE", np.asarray(interpreter(binary).predict(images))),
    ):
        if not np.array_equal(ours, expected):
            wrong = int((ours != expected).sum())
            told.append(
                f"{name}: {wrong} of {expected.size} numbers differ, by {np.abs(ours - expected).max()} at most"
            )
    return told
