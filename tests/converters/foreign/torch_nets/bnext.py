"""BNext: https://arxiv.org/abs/2211.12933."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from watching import binary, near

from torch_nets.common import classifier, plain


class HardSign(nn.Module):
    """A sign with a learnt shift; where it lets gradients pass stays in the graph."""

    def __init__(self, channels):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        x = x + self.shift
        near(plain(x)) if not torch.compiler.is_exporting() else None
        hard = torch.where(x >= 0, torch.ones_like(x), -torch.ones_like(x))
        soft = x.clamp(-1, 1)
        return soft + (hard - soft).detach()


class BNextConv(nn.Conv2d):
    """Weights without their mean, their signs, times the mean magnitude."""

    def forward(self, x):
        binary()
        weights = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        scale = weights.abs().mean((1, 2, 3), keepdim=True)
        return self._conv_forward(x, torch.where(weights >= 0, scale, -scale), None)


class Attention(nn.Module):
    """A gate for each channel, from its mean, by way of few channels."""

    def __init__(self, channels, reduction=4):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.expand = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x):
        gate = F.adaptive_avg_pool2d(x, 1)
        return torch.sigmoid(self.expand(F.relu(self.squeeze(gate))))


class BNextBlock(nn.Module):
    def __init__(self, channels, stride=1):
        super().__init__()
        self.binarize1, self.binarize2, self.binarize3 = (HardSign(channels) for _ in range(3))
        self.conv3x3 = BNextConv(channels, channels, 3, stride, 1, bias=False)
        self.conv1, self.conv2 = (BNextConv(channels, channels, 1, bias=False) for _ in range(2))
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(channels) for _ in range(3))
        self.act1, self.act2 = nn.PReLU(channels), nn.PReLU(channels)
        self.attention = Attention(channels)
        self.pooling = nn.AvgPool2d(2, 2) if stride == 2 else nn.Identity()

    def forward(self, x):
        shortcut = self.pooling(x)
        out = self.bn1(self.conv3x3(self.binarize1(x)))
        out = self.act1(out * self.attention(shortcut) + shortcut)
        wide = torch.cat([self.bn2(self.conv1(self.binarize2(out))), self.bn3(self.conv2(self.binarize3(out)))], 1)
        left, right = torch.chunk(wide, 2, dim=1)
        return self.act2(left * torch.sigmoid(right) + out)


def bnext():
    return classifier(16, nn.PReLU(16), BNextBlock(16), BNextBlock(16, 2), channels=16, stride=2)
