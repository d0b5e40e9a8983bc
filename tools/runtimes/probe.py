"""Runs every case of a folder through the delegate in whatever TFLite runtime this Python has; prints JSON.

usage: python probe.py FOLDER LIBRARY

Needs NumPy and a runtime, nothing else: it runs in environments where mobile_bnn is not installed.
"""

import importlib
import importlib.util
import json
import platform
import sys
from pathlib import Path

import numpy as np

MODULES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite.python.interpreter")


def runtime():
    """The interpreter module of the one runtime that is installed."""
    for name in MODULES:
        if importlib.util.find_spec(name.partition(".")[0]):
            return importlib.import_module(name)
    raise SystemExit("no TFLite runtime is installed here")


def run(module, model, delegate, x):
    """The model's output for x, its only input."""
    interpreter = module.Interpreter(model_path=str(model), experimental_delegates=[delegate])
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def main():
    """Compares each case with the output that is stored beside it."""
    folder, library = Path(sys.argv[1]), sys.argv[2]
    module = runtime()
    errors, differences = {}, {}
    try:
        delegate = module.load_delegate(library)
    except (OSError, ValueError) as error:
        delegate, errors["load_delegate"] = None, str(error)
    for model in sorted(folder.glob("*.tflite")) if delegate else ():
        arrays = np.load(model.with_suffix(".npz"))
        try:
            actual, expected = run(module, model, delegate, arrays["x"]), arrays["expected"]
            if actual.shape != expected.shape or actual.dtype != expected.dtype:
                raise ValueError(f"{actual.dtype}{actual.shape} instead of {expected.dtype}{expected.shape}")
            differences[model.stem] = float(np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max())
        except (RuntimeError, ValueError) as error:
            errors[model.stem] = str(error)
    facts = {"python": platform.python_version(), "numpy": np.__version__}
    print(json.dumps({**facts, "loads": delegate is not None, "differences": differences, "errors": errors}))


main()
