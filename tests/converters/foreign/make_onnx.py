"""The first half of making onnx2tf/*: the networks of torch_nets as ONNX files in a folder, with their inputs.

    pip install -r requirements/litert_torch.txt
    python make_onnx.py FOLDER [NET ...]

`make_onnx2tf.py FOLDER`, in an environment of its own, is the second half.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch_nets
from watching import clear_inputs


def main(folder, names):
    torch_nets.react_net.LearnableBias.expands = True
    for name in names or torch_nets.NETS:
        model, (images,) = torch_nets.made(name)

        def run(x, net=model):
            return torch_nets.outputs_of(net, [x])

        (inputs,), layers = clear_inputs(run, [images.numpy().astype(np.float32)])
        sample = (torch.from_numpy(inputs[:1]),)
        torch.onnx.export(model, sample, str(folder / f"{name}.onnx"), dynamo=True, external_data=False)
        arrays = {f"output_{i}": each for i, each in enumerate(run(inputs))}
        np.savez(folder / f"{name}.npz", input_0=inputs, layers=layers, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
