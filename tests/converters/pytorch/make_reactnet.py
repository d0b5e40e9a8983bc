"""Makes reactnet.tflite and reactnet.npz: a small ReActNet of PyTorch, exported by litert-torch, and what PyTorch says.

The tests need neither PyTorch nor this script. It was run once, in a virtual environment of its own (6.6 GB):
    pip install litert-torch==0.10.0 torch==2.14.1
    python make_reactnet.py
"""

from pathlib import Path

import litert_torch
import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
IMAGES = 6


class Sign(torch.autograd.Function):
    """The sign, +1 at 0; backwards the slope of the polynomial of Bi-Real Net."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (2 - 2 * x.abs()).clamp(min=0)


class RSign(nn.Module):
    """A sign with a learnt threshold for each channel."""

    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        return Sign.apply(x + self.bias)


class RPReLU(nn.Module):
    """A PReLU between two learnt shifts for each channel."""

    def __init__(self, channels):
        super().__init__()
        self.before = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.after = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.prelu = nn.PReLU(channels)

    def forward(self, x):
        return self.prelu(x - self.before) + self.after


class BinaryConv2d(nn.Conv2d):
    """A convolution with the signs of its weights, times the mean magnitude of each output channel's."""

    def __init__(self, inputs, outputs, size, stride=1):
        super().__init__(inputs, outputs, size, stride, padding=size // 2, bias=False)

    def forward(self, x):
        scale = self.weight.abs().mean((1, 2, 3), keepdim=True)
        return self._conv_forward(x, scale * Sign.apply(self.weight), None)


class Half(nn.Module):
    """Sign, binary convolution, batch norm and shortcut, then the activation."""

    def __init__(self, inputs, outputs, size, stride=1):
        super().__init__()
        self.sign = RSign(inputs)
        copies = outputs // inputs
        self.convolutions = nn.ModuleList(BinaryConv2d(inputs, inputs, size, stride) for _ in range(copies))
        self.norms = nn.ModuleList(nn.BatchNorm2d(inputs) for _ in range(copies))
        self.shortcut = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.activation = RPReLU(outputs)

    def forward(self, x):
        signs, shortcut = self.sign(x), self.shortcut(x)
        halves = zip(self.convolutions, self.norms, strict=True)
        # Where the channels double, the shortcut is duplicated.
        return self.activation(torch.cat([norm(convolve(signs)) + shortcut for convolve, norm in halves], 1))


class ReActNet(nn.Module):
    """[N, 3, 32, 32] to [N, 10]; 5 binary convolutions."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32))
        self.blocks = nn.Sequential(Half(32, 32, 3), Half(32, 64, 1), Half(64, 64, 3, stride=2), Half(64, 64, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.pool(self.blocks(self.stem(x))).flatten(1))


def as_after_training(model, images):
    """Random parameters where a fresh layer has none, and batch norms that know their inputs."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
                module.weight.normal_()
                module.bias.normal_(std=0.5)
            elif isinstance(module, RSign):
                module.bias.normal_(std=0.3)
            elif isinstance(module, RPReLU):
                module.before.normal_(std=0.3)
                module.after.normal_(std=0.3)
                module.prelu.weight.uniform_(0.05, 0.5)
        model.train()(images)
    return model.eval()


def main():
    torch.manual_seed(0)
    images = torch.randn(IMAGES, 3, 32, 32)
    model = as_after_training(ReActNet(), torch.randn(32, 3, 32, 32))
    with torch.no_grad():
        outputs = model(images)
    litert_torch.convert(model, (images[:1],)).export(str(HERE / "reactnet.tflite"))
    np.savez_compressed(HERE / "reactnet.npz", images=images.numpy().astype(np.float32), outputs=outputs.numpy())


if __name__ == "__main__":
    main()
