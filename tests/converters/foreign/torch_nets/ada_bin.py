"""AdaBin: https://arxiv.org/abs/2208.08084."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from watching import binary

from torch_nets.common import classifier, sign
from torch_nets.ir_net import PadShortcut


class Maxout(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.pos = nn.Parameter(torch.full((1, channels, 1, 1), 1.0))
        self.neg = nn.Parameter(torch.full((1, channels, 1, 1), 0.25))

    def forward(self, x):
        return self.pos * F.relu(x) - self.neg * F.relu(-x)


class AdaBinConv2d(nn.Conv2d):
    """Two values of each output channel's weights, its mean and standard deviation; two of the input, learnt."""

    def __init__(self, *args, **options):
        super().__init__(*args, bias=False, **options)
        self.alpha_a = nn.Parameter(torch.tensor(0.8))
        self.beta_a = nn.Parameter(torch.tensor(0.15))

    def forward(self, x):
        binary()
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        deviation = torch.sqrt(((self.weight - mean) ** 2).sum((1, 2, 3), keepdim=True) / self.weight[0].numel())
        weights = torch.sign((self.weight - mean) / deviation) * deviation + mean
        levels = sign((x - self.beta_a) / self.alpha_a) * self.alpha_a + self.beta_a
        return F.conv2d(levels, weights, None, self.stride, self.padding)


class AdaBinBlock(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = AdaBinConv2d(inputs, outputs, 3, stride=stride, padding=1)
        self.conv2 = AdaBinConv2d(outputs, outputs, 3, padding=1)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.nonlinear1, self.nonlinear2 = Maxout(outputs), Maxout(outputs)
        self.shortcut = PadShortcut(outputs) if stride != 1 else nn.Sequential()

    def forward(self, x):
        out = self.nonlinear1(self.bn1(self.conv1(x)) + self.shortcut(x))
        return self.nonlinear2(self.bn2(self.conv2(out)) + out)


def adabin():
    return classifier(8, Maxout(8), AdaBinBlock(8, 8), AdaBinBlock(8, 16, 2), channels=16)
