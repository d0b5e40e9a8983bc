"""Makes torch_checkpoints.npz: names and shapes of PyTorch's networks, and their logits for seeded weights.

The tests need neither PyTorch nor this script. It was run once, in a virtual environment of its own:
    pip install torch==2.8.0 numpy==1.26.4
    python tests/zoo/importing/make_torch_checkpoints.py
"""

import json
from pathlib import Path

import numpy as np
import torch
from seeded_weights import images, seeded
from torch_mobile_nets import BNext, ReActNet
from torch_resnets import MARGINS, AdaptiveConv, ClampedConv, ClippedNet, LibraConv, RealNet

HERE = Path(__file__).parent
IMAGES, POOL = 3, 24  # chosen, out of
WIDTHS = (64, 128, 256, 512)
NETWORKS = {
    "birealnet18": (32, lambda: RealNet()),
    "birealnet34": (32, lambda: RealNet(counts=(6, 8, 12, 6))),
    "reactnet_18": (32, lambda: RealNet(shifted=True)),
    "irnet_resnet20": (32, lambda: ClippedNet(LibraConv, "every second", (16, 32, 64), 3, 10)),
    "recu_resnet20": (32, lambda: ClippedNet(ClampedConv, "mean", (16, 32, 64), 3, 10)),
    "irnet_resnet18": (32, lambda: ClippedNet(LibraConv, "convolution", WIDTHS, 2, 1000, large=True, spare=True)),
    "recu_resnet18": (32, lambda: ClippedNet(ClampedConv, "convolution", WIDTHS, 2, 1000, large=True)),
    "adabin_resnet20": (32, lambda: ClippedNet(AdaptiveConv, "every second", (16, 32, 64), 3, 10)),
    "adabin_resnet18": (
        32,
        lambda: ClippedNet(AdaptiveConv, "pooled convolution", WIDTHS, 2, 1000, large=True, spare=True),
    ),
    "reactnet_a": (32, ReActNet),
    "bnext_t": (32, BNext),
}
# Options of ours: small images would have a stem without a stride.
OPTIONS = {"reactnet_a": {"stem_stride": "2"}, "bnext_t": {"stem_stride": "2"}}


def fill(network, spreads):
    """Gives every parameter its seeded value."""
    state = network.state_dict()
    for name, old in state.items():
        if old.is_floating_point() and not name.endswith(("tau", "temperature")):
            state[name] = torch.from_numpy(seeded(name, tuple(old.shape), spreads.get(name, 1.0)))
    network.load_state_dict(state)


def spreads_of(network, x):
    """The variance that each batch norm sees, one number each, by the names of its statistics."""
    norms = {n: m for n, m in network.named_modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)}
    for norm in norms.values():
        norm.momentum = 1.0
    network.train()
    network(x)
    network.eval()
    found = {name: float(f"{norm.running_var.mean():.2g}") for name, norm in norms.items()}
    return {f"{name}.{each}": v for name, v in found.items() for each in ("running_var", "running_mean")}


def main():
    """Writes the fixture."""
    content = {}
    for name, (size, build) in NETWORKS.items():
        network = build()
        x = torch.from_numpy(images(POOL, size, size).transpose(0, 3, 1, 2).copy())
        with torch.no_grad():
            fill(network, {})
            spreads = spreads_of(network, x)
            fill(network, spreads)
            MARGINS.clear()
            logits = network(x).numpy()
        # A sign of a value next to 0 is another one after another rounding, which says nothing about the import.
        margins = torch.stack(MARGINS).amin(0).numpy()
        chosen = np.sort(np.argsort(margins)[-IMAGES:])
        logits = logits[chosen]
        arrays = [[n, list(each.shape), spreads.get(n, 1.0)] for n, each in network.state_dict().items()]
        record = {"input_shape": [size, size, 3], "images": chosen.tolist(), "pool": POOL, "arrays": arrays}
        record["network"] = OPTIONS.get(name, {})
        content[f"{name}/layout"] = np.frombuffer(json.dumps(record).encode(), np.uint8)
        content[f"{name}/logits"] = logits[:, :: 10 if logits.shape[1] > 100 else 1]
        print(name, logits.shape, np.abs(logits).max(), logits.std(0).mean(), margins[chosen])
    np.savez_compressed(HERE / "torch_checkpoints.npz", **content)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
