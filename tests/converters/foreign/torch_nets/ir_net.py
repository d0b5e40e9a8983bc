"""IR-Net: https://arxiv.org/abs/1909.10788."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from watching import binary

from torch_nets.common import classifier, sign


class BinaryQuantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k, t):
        ctx.save_for_backward(x, k, t)
        return sign(x)

    @staticmethod
    def backward(ctx, gradient):
        x, k, t = ctx.saved_tensors
        return k * t * (1 - torch.pow(torch.tanh(x * t), 2)) * gradient, None, None


class IRConv2d(nn.Conv2d):
    """Standardized weights, their sign, times a power of two; the sign of the input."""

    def __init__(self, *args, **options):
        super().__init__(*args, bias=False, **options)
        self.register_buffer("k", torch.tensor([10.0]))
        self.register_buffer("t", torch.tensor([0.1]))

    def forward(self, x):
        binary()
        weights = self.weight - self.weight.view(len(self.weight), -1).mean(-1).view(-1, 1, 1, 1)
        weights = weights / weights.view(len(weights), -1).std(-1).view(-1, 1, 1, 1)
        magnitude = weights.abs().view(len(weights), -1).mean(-1)
        scale = torch.pow(2.0, (torch.log(magnitude) / math.log(2)).floor()).view(-1, 1, 1, 1)
        signs = torch.sign(weights)
        return F.conv2d(BinaryQuantize.apply(x, self.k, self.t), signs * scale, None, self.stride, self.padding)


class PadShortcut(nn.Module):
    """Option A of ResNet for CIFAR-10: every other pixel, and channels of zeros."""

    def __init__(self, channels):
        super().__init__()
        self.more = channels // 4

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more, self.more))


class IRBlock(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = IRConv2d(inputs, outputs, 3, stride=stride, padding=1)
        self.conv2 = IRConv2d(outputs, outputs, 3, stride=1, padding=1)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.shortcut = PadShortcut(outputs) if stride != 1 else nn.Sequential()

    def forward(self, x):
        out = F.hardtanh(self.bn1(self.conv1(x)) + self.shortcut(x))
        return F.hardtanh(self.bn2(self.conv2(out)) + out)


def irnet_resnet20():
    return classifier(6, nn.Hardtanh(), IRBlock(6, 6), IRBlock(6, 12, 2), IRBlock(12, 12), channels=12)
