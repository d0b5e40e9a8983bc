"""Makes litert_torch/*.tflite and *.npz: the networks of torch_nets, exported by litert-torch.

    pip install -r requirements/litert_torch.txt
    python make_litert_torch.py [NET ...]

The tests need neither PyTorch nor this script.
"""

import sys
import tempfile
from pathlib import Path

import litert_torch
import numpy as np
import torch
from torch_nets import NETS, made, outputs_of
from watching import clear_inputs, save

HERE = Path(__file__).parent


def main(names):
    for name in names or NETS:
        model, (images,) = made(name)
        inputs, layers = clear_inputs(lambda x, net=model: outputs_of(net, [x]), [images.numpy().astype(np.float32)])
        sample = tuple(torch.from_numpy(each[:1]) for each in inputs)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.tflite"
            litert_torch.convert(model, sample).export(str(path))
            save(HERE / "litert_torch" / name, path.read_bytes(), inputs, outputs_of(model, inputs), layers)


if __name__ == "__main__":
    main(sys.argv[1:])
