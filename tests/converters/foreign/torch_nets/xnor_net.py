"""XNOR-Net: https://arxiv.org/abs/1603.05279, with K, the mean magnitude of what each window reads."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from watching import binary

from torch_nets.common import sign


class BinActive(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return sign(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() < 1)


class XnorConv(nn.Module):
    def __init__(self, inputs, outputs, size=3, padding=1):
        super().__init__()
        self.bn = nn.BatchNorm2d(inputs, eps=1e-4, momentum=0.1, affine=True)
        self.conv = nn.Conv2d(inputs, outputs, size, padding=padding)
        self.padding, self.size = padding, size

    def forward(self, x):
        binary()
        x = self.bn(x)
        mean = x.abs().mean(1, keepdim=True)
        window = torch.full((1, 1, self.size, self.size), 1 / self.size**2)
        weights = self.conv.weight
        alpha = weights.abs().mean((1, 2, 3), keepdim=True)
        found = F.conv2d(BinActive.apply(x), alpha * weights.sign(), self.conv.bias, padding=self.padding)
        return F.relu(found * F.conv2d(mean, window, padding=self.padding))


class Columns(nn.Module):
    def forward(self, x):
        return x.flatten(1)


class XnorLinear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.bn = nn.BatchNorm1d(inputs)
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        binary()
        weights = self.linear.weight
        alpha = weights.abs().mean(1, keepdim=True)
        return F.relu(F.linear(BinActive.apply(self.bn(x)), alpha * weights.sign(), self.linear.bias))


def xnornet():
    stem = nn.Sequential(nn.Conv2d(3, 16, 5, padding=2), nn.BatchNorm2d(16, eps=1e-4), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    body = [XnorConv(16, 16, 1, 0), XnorConv(16, 16), nn.AvgPool2d(3, 2, 1), XnorConv(16, 24), nn.MaxPool2d(2)]
    return nn.Sequential(stem, *body, Columns(), XnorLinear(96, 24), nn.Linear(24, 5))
