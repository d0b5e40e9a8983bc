"""ReActNet: https://arxiv.org/abs/2003.03488."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from watching import binary

from torch_nets.common import classifier, sign


class BinaryActivation(nn.Module):
    """The sign; its gradient is that of a polynomial in three pieces, which stays in the graph."""

    def forward(self, x):
        hard = sign(x)
        below, negative, small = ((x < edge).type(torch.float32) for edge in (-1, 0, 1))
        first = -1 * below + (x * x + 2 * x) * (1 - below)
        second = first * negative + (-x * x + 2 * x) * (1 - negative)
        third = second * small + 1 * (1 - small)
        return hard.detach() - third.detach() + third


class LearnableBias(nn.Module):
    """A shift for each channel. ReActNet expands it to the map; litert-torch 0.10 cannot export that."""

    expands = False

    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1), requires_grad=True)

    def forward(self, x):
        return x + (self.bias.expand_as(x) if self.expands else self.bias)


class HardBinaryConv(nn.Module):
    """The signs of the weights times their mean magnitude; the latent weights, clipped, are subtracted and added."""

    def __init__(self, inputs, outputs, size=3, stride=1, padding=1):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.shape = (outputs, inputs, size, size)
        self.weights = nn.Parameter(torch.randn(math.prod(self.shape), 1) * 0.1)

    def forward(self, x):
        binary()
        latent = self.weights.view(self.shape)
        scale = torch.mean(torch.mean(torch.mean(abs(latent), dim=3, keepdim=True), dim=2, keepdim=True), 1, True)
        hard = scale.detach() * torch.sign(latent)
        soft = torch.clamp(latent, -1.0, 1.0)
        return F.conv2d(x, hard.detach() - soft.detach() + soft, stride=self.stride, padding=self.padding)


class ReActBlock(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.move11, self.move12, self.move13 = (LearnableBias(inputs) for _ in range(3))
        self.move21 = LearnableBias(inputs)
        self.move22, self.move23 = LearnableBias(outputs), LearnableBias(outputs)
        self.binary_3x3 = HardBinaryConv(inputs, inputs, stride=stride)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.prelu1, self.prelu2 = nn.PReLU(inputs), nn.PReLU(outputs)
        self.binary_activation = BinaryActivation()
        self.pooling = nn.AvgPool2d(2, 2) if stride == 2 else None
        self.double = inputs != outputs
        parts = 2 if self.double else 1
        self.binary_pw = nn.ModuleList(HardBinaryConv(inputs, inputs, 1, 1, 0) for _ in range(parts))
        self.bn2 = nn.ModuleList(nn.BatchNorm2d(inputs) for _ in range(parts))

    def forward(self, x):
        first = self.bn1(self.binary_3x3(self.binary_activation(self.move11(x))))
        first = first + (self.pooling(x) if self.pooling else x)
        first = self.move13(self.prelu1(self.move12(first)))
        signs = self.binary_activation(self.move21(first))
        halves = [bn(convolve(signs)) + first for convolve, bn in zip(self.binary_pw, self.bn2, strict=True)]
        second = torch.cat(halves, dim=1) if self.double else halves[0]
        return self.move23(self.prelu2(self.move22(second)))


def reactnet():
    return classifier(10, ReActBlock(10, 10), ReActBlock(10, 20, stride=2), channels=20, stride=2)
