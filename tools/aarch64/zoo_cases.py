"""Case files of the zoo: each model as a whole, and each shape of its binary convolutions alone.

usage: zoo_cases.py FOLDER

A convolution gets random bits and must give the same ones anywhere. A whole model has float operators, which XNNPACK
adds up in another order on another machine, so that its scores agree to some digits only.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, load_delegate
from cases import Array, CaseFile

sys.path.extend(str(Path(__file__).parents[2] / folder) for folder in ("tests", "tests/native"))
from single_operator import TensorSpec, create_interpreter, invoke_outputs, single_operator

from mobile_bnn import converters, zoo
from mobile_bnn.runtime import library_path

# The others are larger, and an emulator would take hours for them.
MODELS = ("binary_lenet", "binary_net", "birealnet18", "quicknet", "quicknet_large", "quicknet_small", "resnet20")
DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT8: np.int8,
}


def model_bytes(name: str) -> tuple[bytes, Array]:
    """A zoo model with seeded weights and the batch norms of a training step, and four images for it, [4, H, W, C]."""
    from mobile_bnn.legacy_keras import tf

    tf.keras.utils.set_random_seed(1)
    model = zoo.build(name)
    images = np.random.default_rng(1).normal(size=(4, *model.input_shape[1:])).astype(np.float32)
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(images, training=True)
    with tempfile.TemporaryDirectory() as folder:
        converters.convert(model, Path(folder) / "model.tflite")
        return (Path(folder) / "model.tflite").read_bytes(), images


def convolutions(model: bytes) -> Iterator[tuple[str, bytes]]:
    """A model of one operator for each shape of LceBconv2d, with its weights."""
    tree = schema.ModelT.InitFromPackedBuf(model)
    graph = tree.subgraphs[0]
    seen = set()
    for operator in graph.operators:
        if tree.operatorCodes[operator.opcodeIndex].customCode != b"LceBconv2d":
            continue
        options = bytes(operator.customOptions)
        specs = [None if i < 0 else spec(tree, graph.tensors[i]) for i in [*operator.inputs, *operator.outputs]]
        shape = str([s and (s.dtype, list(s.shape)) for s in specs])
        if shape + str(options) not in seen:
            seen.add(shape + str(options))
            yield shape, single_operator("LceBconv2d", specs[:-1], specs[-1], options)


def spec(tree: schema.ModelT, tensor: schema.TensorT) -> TensorSpec:
    """A tensor of a file, as the tests describe one."""
    dtype = DTYPES[tensor.type]
    data = tree.buffers[tensor.buffer].data
    constant = None if data is None else np.asarray(data, np.uint8).view(dtype).reshape(tensor.shape)
    scale = tensor.quantization.scale if tensor.quantization else None
    if scale is None or not len(scale):
        return TensorSpec(tensor.shape, dtype, constant)
    return TensorSpec(tensor.shape, dtype, constant, float(scale[0]), int(tensor.quantization.zeroPoint[0]))


def main() -> None:
    """Writes the case file."""
    file, delegate = CaseFile(), load_delegate(str(library_path()))
    for name in MODELS:
        flatbuffer, images = model_bytes(name)
        interpreter = Interpreter(model_content=flatbuffer, experimental_delegates=[delegate])
        case = file.add(name, False, flatbuffer)
        for image in np.split(images, len(images)):
            file.add_call(case, [image], invoke_outputs(interpreter, image))
        for shape, single in convolutions(flatbuffer):
            interpreter = create_interpreter(single, delegate)
            size = interpreter.get_input_details()[0]["shape"]
            words = np.random.default_rng(2).integers(-(2**31), 2**31, size).astype(np.int32)
            file.add_call(file.add(f"{name} {shape}", True, single), [words], invoke_outputs(interpreter, words))
        print(f"{name}: {len(file.cases)} cases so far", flush=True)
    file.write(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
