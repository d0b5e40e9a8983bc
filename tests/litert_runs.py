"""Runs a .tflite in LiteRT as users do, with our library or without: outputs that tests compare."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate

from mobile_bnn.runtime import library_path


def run(flatbuffer: bytes, *inputs: np.ndarray, library: bool = False) -> np.ndarray:
    """The first output."""
    return run_outputs(flatbuffer, *inputs, library=library)[0]


def run_outputs(flatbuffer: bytes, *inputs: np.ndarray, library: bool = False) -> list[np.ndarray]:
    """Every output; with our library, on one thread, if a file has LCE's operators."""
    delegates = [load_delegate(str(library_path()), {"num_threads": "1"})] if library else None
    return invoke_outputs(Interpreter(model_content=flatbuffer, experimental_delegates=delegates), *inputs)


def invoke_outputs(interpreter: Interpreter, *inputs: np.ndarray) -> list[np.ndarray]:
    """Every output of a batch; inputs may have other shapes than the file says."""
    for detail, x in zip(interpreter.get_input_details(), inputs, strict=True):
        if tuple(detail["shape"]) != x.shape:
            interpreter.resize_tensor_input(detail["index"], x.shape)
    interpreter.allocate_tensors()
    for detail, x in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], x)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
