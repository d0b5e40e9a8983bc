"""Makes torch_files/: small checkpoints as PyTorch itself writes them, for the tests of what reads them.

The tests need neither PyTorch nor this script. It was run once, in a virtual environment of its own:
    pip install torch==2.8.0 numpy==1.26.4 safetensors==0.8.0
    python tests/zoo/importing/make_torch_files.py
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from seeded_weights import images, seeded
from torch import nn
from torch_mobile_nets import CHANNELS, ReActNet

HERE = Path(__file__).parent / "torch_files"


def tensors():
    """Of every type and layout that a checkpoint may have."""
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 7 - 1
    return OrderedDict(
        {
            "plain": base,
            "transposed": base.transpose(0, 2),
            "every_second": base[:, ::2, 1:],
            "scalar": torch.tensor(2.5),
            "empty": torch.zeros(0, 3),
            "parameter": nn.Parameter(base[0].clone()),
            "half": base.half(),
            "bfloat16": base.bfloat16(),
            "double": base.double(),
            "long": torch.tensor([[-3, 2**40]]),
            "byte": torch.tensor([0, 255], dtype=torch.uint8),
            "bool": torch.tensor([True, False]),
        }
    )


def narrow_reactnet():
    """ReActNet-A with a 32nd of its channels, ten classes: seeded, as `make_torch_checkpoints.py` does it."""
    network = ReActNet(tuple(each // 32 for each in CHANNELS), classes=10)
    state = network.state_dict()
    for name, old in state.items():
        if old.is_floating_point():
            state[name] = torch.from_numpy(seeded(name, tuple(old.shape)))
    network.load_state_dict(state)
    return network.eval()


def main():
    """Writes the files, and expected.npz beside them."""
    HERE.mkdir(exist_ok=True)
    plain = tensors()
    content = {
        "epoch": 3,
        "arch": "net",
        "state_dict": OrderedDict((f"module.{name}", each) for name, each in plain.items()),
        "optimizer": {
            "state": {0: {"step": 5, "exp_avg": torch.ones(2)}},
            "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.99)}],
        },
        "best_top1": torch.tensor(70.5),
    }
    torch.save(content, HERE / "training.pth.tar")
    torch.save(content, HERE / "legacy.pth.tar", _use_new_zipfile_serialization=False)
    torch.save(nn.Sequential(nn.Linear(2, 2)), HERE / "whole_model.pth")
    torch.save({"weight": torch.tensor([1.0]).expand(1000, 1000)}, HERE / "expanded.pth")
    torch.jit.script(nn.Linear(2, 2)).save(str(HERE / "script.pt"))
    save_file({name: each.detach().contiguous().clone() for name, each in plain.items()}, HERE / "plain.safetensors")
    network = narrow_reactnet()
    torch.save({"state_dict": nn.DataParallel(network).state_dict()}, HERE / "reactnet_a.pth")
    with torch.no_grad():
        logits = network(torch.from_numpy(images(2, 64, 64).transpose(0, 3, 1, 2).copy())).numpy()
    expected = {name: each.detach().float().numpy() for name, each in plain.items()}
    np.savez_compressed(HERE / "expected.npz", reactnet_a=logits, **expected)
    print(logits)


if __name__ == "__main__":
    main()
