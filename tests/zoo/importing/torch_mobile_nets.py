"""ReActNet-A and BNext-T in PyTorch, written from the papers: parameters are named as the authors name theirs.

Needs PyTorch; only `make_torch_checkpoints.py` imports it.
"""

import torch
from torch import nn
from torch.nn import functional
from torch_resnets import Bias, binarized

CHANNELS = (32, 64, 128, 128, 256, 256, *(512,) * 6, 1024, 1024)


class FlatConv(nn.Module):
    """ReActNet: mean|w|·sign(w) of each filter, kept as one column of numbers."""

    def __init__(self, inputs, outputs, size, stride):
        super().__init__()
        self.shape, self.stride = (outputs, inputs, size, size), stride
        self.weights = nn.Parameter(torch.zeros(outputs * inputs * size * size, 1))

    def forward(self, x):
        w = self.weights.reshape(self.shape)
        scaled = w.abs().mean((1, 2, 3), keepdim=True) * w.sign()
        return functional.conv2d(x, scaled, None, self.stride, self.shape[-1] // 2)


class Stem(nn.Module):
    """A float convolution; BNext has a PReLU there that it does not use."""

    def __init__(self, outputs, stride, spare=False):
        super().__init__()
        self.conv1 = nn.Conv2d(3, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        if spare:
            self.prelu = nn.PReLU(outputs)

    def forward(self, x):
        return self.bn1(self.conv1(x))


class ReActBlock(nn.Module):
    """A binary 3x3 convolution and a 1x1 one, or two of these side by side where channels double."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride, self.doubled = stride, inputs != outputs
        self.move11, self.binary_3x3 = Bias(inputs), FlatConv(inputs, inputs, 3, stride)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.move12, self.prelu1, self.move13, self.move21 = Bias(inputs), nn.PReLU(inputs), Bias(inputs), Bias(inputs)
        if self.doubled:
            self.binary_pw_down1, self.binary_pw_down2 = FlatConv(inputs, inputs, 1, 1), FlatConv(inputs, inputs, 1, 1)
            self.bn2_1, self.bn2_2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(inputs)
        else:
            self.binary_pw, self.bn2 = FlatConv(inputs, outputs, 1, 1), nn.BatchNorm2d(outputs)
        self.move22, self.prelu2, self.move23 = Bias(outputs), nn.PReLU(outputs), Bias(outputs)

    def forward(self, x):
        around = functional.avg_pool2d(x, 2) if self.stride == 2 else x
        x = self.bn1(self.binary_3x3(binarized(self.move11(x)))) + around
        x = self.move13(self.prelu1(self.move12(x)))
        signs = binarized(self.move21(x))
        if self.doubled:
            halves = ((self.bn2_1, self.binary_pw_down1), (self.bn2_2, self.binary_pw_down2))
            x = torch.cat([norm(conv(signs)) + x for norm, conv in halves], 1)
        else:
            x = self.bn2(self.binary_pw(signs)) + x
        return self.move23(self.prelu2(self.move22(x)))


def blocks(block, channels, stem_stride, spare):
    """The stem and the blocks; `block(inputs, outputs, stride, index)` makes one."""
    made, before = [Stem(channels[0], stem_stride, spare)], channels[0]
    for index, width in enumerate(channels[1:], 1):
        made.append(block(before, width, 2 if index > 1 and width != before else 1, index))
        before = width
    return nn.ModuleList(made)


class ReActNet(nn.Module):
    """ReActNet-A."""

    def __init__(self, channels=CHANNELS, stem_stride=2, classes=1000):
        super().__init__()
        self.feature = blocks(lambda i, o, s, _: ReActBlock(i, o, s), channels, stem_stride, spare=False)
        self.fc = nn.Linear(channels[-1], classes)

    def forward(self, x):
        for layer in self.feature:
            x = layer(x)
        return self.fc(x.mean((2, 3)))


class SignConv(nn.Conv2d):
    """BNext: the sign of weights, once its temperature is next to 0."""

    def __init__(self, *shape, **options):
        super().__init__(*shape, **options)
        self.register_buffer("temperature", torch.full((1,), 1e-9))

    def forward(self, x):
        return functional.conv2d(x, self.weight.sign(), None, self.stride, self.padding)


class Gate(nn.Module):
    """A factor of each channel from the means of the channels."""

    def __init__(self, channels):
        super().__init__()
        few = channels // 8
        layers = (nn.Conv2d(channels, few, 1), nn.ReLU(), nn.Conv2d(few, channels, 1), nn.Sigmoid())
        self.se = nn.Sequential(nn.AdaptiveAvgPool2d(1), *layers)

    def forward(self, x):
        return self.se(x)


class Unit(nn.Module):
    """A gated binary convolution with a shortcut: FFN, or with attention what the shortcut multiplies as well."""

    def __init__(self, channels, size, stride, attention):
        super().__init__()
        self.stride, self.attention = stride, attention
        self.move = Bias(channels)
        self.binary_conv = SignConv(channels, channels, size, stride, size // 2, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.activation1, self.activation2 = nn.PReLU(channels), nn.PReLU(channels)
        self.se = Gate(channels)
        self.scale = nn.Parameter(torch.full((1, channels, 1, 1), 0.5))

    def pooled(self, x):
        """Of the size of the convolution's output."""
        return functional.avg_pool2d(x, 2) if self.stride == 2 else x

    def forward(self, x):
        y = self.activation2(self.norm1(self.binary_conv(binarized(self.move(x)))))
        around = self.pooled(self.activation1(x) if self.attention else x)
        y = y * self.se(self.scale * self.pooled(x) + (1 - self.scale) * y)
        return self.norm2(y * around if self.attention else y) + around


class BNextBlock(nn.Module):
    """A 3x3 unit, with attention in every second block, and one or two 1x1 units side by side."""

    def __init__(self, inputs, outputs, stride, index):
        super().__init__()
        self.Attention = Unit(inputs, 3, stride, index % 2 == 0)
        if inputs == outputs:
            self.FFN = Unit(inputs, 1, 1, attention=False)
        else:
            self.FFN_1, self.FFN_2 = Unit(inputs, 1, 1, attention=False), Unit(inputs, 1, 1, attention=False)

    def forward(self, x):
        x = self.Attention(x)
        return self.FFN(x) if hasattr(self, "FFN") else torch.cat([self.FFN_1(x), self.FFN_2(x)], 1)


class BNext(nn.Module):
    """BNext-T."""

    def __init__(self, channels=CHANNELS, stem_stride=2, classes=1000):
        super().__init__()
        self.feature = blocks(BNextBlock, channels, stem_stride, spare=True)
        self.prelu = nn.PReLU(channels[-1])
        self.fc = nn.Linear(channels[-1], classes)

    def forward(self, x):
        for layer in self.feature:
            x = layer(x)
        return self.fc(self.prelu(x).mean((2, 3)))
