"""The networks that people write in PyTorch, with the quantizers of their own repositories, small.

`NETS` maps a name to (a function that makes the model, shapes of its inputs without the batch). Images are
[N, 3, 16, 16]. What `near` and `binary` say is for `watching` only; an export does not see it.
"""

import torch
from torch import nn

from torch_nets import ada_bin, bireal_net, bit, bnext, heads, ir_net, low_bit, react_net, recurrent, xnor_net

IMAGE = (3, 16, 16)
NETS = {
    "reactnet": (react_net.reactnet, IMAGE),
    "birealnet": (bireal_net.birealnet, IMAGE),
    "irnet_resnet20": (ir_net.irnet_resnet20, IMAGE),
    "adabin": (ada_bin.adabin, IMAGE),
    "xnornet": (xnor_net.xnornet, IMAGE),
    "bnext": (bnext.bnext, IMAGE),
    "dorefa": (lambda: low_bit.low_bit(low_bit.DoReFaActivation, low_bit.dorefa_weights), IMAGE),
    "pact": (lambda: low_bit.low_bit(low_bit.PactActivation, low_bit.dorefa_weights), IMAGE),
    "lsq": (lambda: low_bit.low_bit(low_bit.LsqActivation, low_bit.lsq_weights), IMAGE),
    "ssd": (heads.Ssd, IMAGE),
    "segmenter": (heads.Segmenter, IMAGE),
    "lstm": (recurrent.Lstm, (4, 16)),
    "bit": (bit.BitBlock, (6, 16)),
}

# litert-torch writes the classes' modules into the names of tensors: those of the stored files.
for _part in (ada_bin, bireal_net, bit, bnext, heads, ir_net, low_bit, react_net, recurrent, xnor_net):
    for _made in vars(_part).values():
        if isinstance(_made, type) and _made.__module__ == _part.__name__:
            _made.__module__ = __name__


def as_after_training(model, *inputs):
    """Random parameters where a fresh layer has none, and batch norms that know their inputs."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.momentum = 1.0
                module.weight.normal_()
                module.bias.normal_(std=0.3)
            elif isinstance(module, react_net.LearnableBias):
                module.bias.normal_(std=0.3)
            elif isinstance(module, bit.Elastic) and module.signed:
                module.beta.normal_(std=0.1)
            elif isinstance(module, bnext.HardSign):
                module.shift.normal_(std=0.3)
            elif isinstance(module, nn.PReLU):
                module.weight.uniform_(0.05, 0.5)
            elif isinstance(module, nn.LayerNorm):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(std=0.2)
        model.train()(*inputs)
    return model.eval()


def made(name, seed=0):
    """A model in eval mode, and inputs [256, ...] for it."""
    torch.manual_seed(seed)
    make, shape = NETS[name]
    model = as_after_training(make(), torch.randn(32, *shape))
    return model, [torch.randn(256, *shape)]


def outputs_of(model, inputs):
    """What PyTorch computes, as a list of arrays."""
    with torch.no_grad():
        found = model(*(torch.from_numpy(each) for each in inputs))
    return [each.numpy() for each in (found if isinstance(found, tuple) else (found,))]
