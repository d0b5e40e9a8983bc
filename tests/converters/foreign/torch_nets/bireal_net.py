"""Bi-Real Net: https://arxiv.org/abs/1808.00278."""

from torch import nn

from torch_nets.common import classifier
from torch_nets.react_net import BinaryActivation, HardBinaryConv


class BiRealBlock(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.binary_activation = BinaryActivation()
        self.binary_conv = HardBinaryConv(inputs, outputs, stride=stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            shorter = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.downsample = nn.Sequential(nn.AvgPool2d(2, stride), shorter, nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.bn1(self.binary_conv(self.binary_activation(x))) + shortcut


def birealnet():
    pool = nn.MaxPool2d(3, 2, 1)
    return classifier(12, pool, BiRealBlock(12, 12), BiRealBlock(12, 12), BiRealBlock(12, 16, 2), channels=16)
