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
    return faults_of_file(flatbuffer, [images])


def faults_of_file(flatbuffer: bytes, inputs: list[np.ndarray]) -> list[str]:
    """What is wrong about what an exact float file becomes."""
    expected = run_float_file(flatbuffer, inputs)
    model, lowering = Source.of_tflite(flatbuffer).lower()
    told = [f"{layer.name}: {layer.reason}" for layer in lowering.layers if not layer.binary]
    binary = model.write()
    for name, outputs in (("delegate", FileRunner(binary).run(inputs)), ("LCE", _in_lce(binary, inputs))):
        for number, (ours, theirs) in enumerate(zip(outputs, expected, strict=True)):
            if not np.array_equal(ours, theirs):
                wrong, most = int((ours != theirs).sum()), np.abs(ours - theirs).max()
                told.append(f"{name}: {wrong} of {ours.size} numbers of output {number} differ, by {most} at most")
    return told


def _in_lce(flatbuffer: bytes, inputs: list[np.ndarray]) -> list[np.ndarray]:
    found = interpreter(flatbuffer).predict(inputs)
    return found if isinstance(found, list) else [found]
