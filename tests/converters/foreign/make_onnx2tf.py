"""The second half of making onnx2tf/*: ONNX files that make_onnx.py wrote, as onnx2tf converts them.

    pip install -r requirements/onnx2tf.txt
    python make_onnx2tf.py FOLDER [NET ...]

onnx2tf takes the second dimension for the channels and makes it the last: inputs and outputs are stored as the file has
them.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx2tf
from ai_edge_litert.interpreter import Interpreter
from watching import save

HERE = Path(__file__).parent


def _laid_out(array, shape):
    """An array as the file has it: channels-last where onnx2tf made it so."""
    if array.ndim > 2 and array.shape[1:] != tuple(shape[1:]):
        array = np.moveaxis(array, 1, -1)
    assert array.shape[1:] == tuple(shape[1:]), (array.shape, shape)
    return np.ascontiguousarray(array)


def main(folder, names):
    for name in names or sorted(path.stem for path in folder.glob("*.onnx")):
        stored = np.load(folder / f"{name}.npz")
        with tempfile.TemporaryDirectory() as made:
            onnx2tf.convert(str(folder / f"{name}.onnx"), output_folder_path=made, non_verbose=True)
            flatbuffer = (Path(made) / f"{name}_float32.tflite").read_bytes()
        interpreter = Interpreter(model_content=flatbuffer)
        shapes = [detail["shape"] for detail in interpreter.get_input_details()]
        inputs = [_laid_out(stored[f"input_{i}"], shape) for i, shape in enumerate(shapes)]
        found = [stored[f"output_{i}"] for i in range(sum(key.startswith("output_") for key in stored))]
        shapes = [tuple(detail["shape"]) for detail in interpreter.get_output_details()]
        outputs = [_laid_out(each, shape) for each, shape in zip(found, shapes, strict=True)]
        save(HERE / "onnx2tf" / name, flatbuffer, inputs, outputs, int(stored["layers"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
