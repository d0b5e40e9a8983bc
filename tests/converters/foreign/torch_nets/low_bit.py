"""DoReFa-Net (arXiv 1606.06160), PACT (arXiv 1805.06085) and LSQ (arXiv 1902.08153), at 1 to 4 bits."""

import math

import torch
from torch import nn
from watching import binary

from torch_nets.common import classifier, rounded


class DoReFaActivation(nn.Module):
    def __init__(self, bits, channels):
        super().__init__()
        self.steps = 2**bits - 1

    def forward(self, x):
        return rounded(torch.clamp(x, 0, 1) * self.steps) / self.steps


class PactActivation(nn.Module):
    def __init__(self, bits, channels):
        super().__init__()
        self.steps = 2**bits - 1
        self.alpha = nn.Parameter(torch.tensor(1.5))

    def forward(self, x):
        clipped = 0.5 * (x.abs() - (x - self.alpha).abs() + self.alpha)
        return rounded(clipped * self.steps / self.alpha) * self.alpha / self.steps


class LsqActivation(nn.Module):
    def __init__(self, bits, channels):
        super().__init__()
        self.top = 2**bits - 1
        self.step = nn.Parameter(torch.tensor(1.2 / self.top))

    def forward(self, x):
        return rounded((x / self.step).clamp(0, self.top)) * self.step


def dorefa_weights(weights, bits):
    if bits == 1:
        return torch.sign(weights) * weights.abs().mean()
    soft = torch.tanh(weights)
    soft = soft / (2 * soft.abs().max()) + 0.5
    return 2 * torch.round(soft * (2**bits - 1)) / (2**bits - 1) - 1


def lsq_weights(weights, bits):
    bottom, top = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if bits > 1 else (-1, 1)
    step = 2 * weights.abs().mean() / math.sqrt(max(top, 1))
    if bits == 1:
        return torch.sign(weights) * step
    return torch.round((weights / step).clamp(bottom, top)) * step


class QuantConv2d(nn.Conv2d):
    def __init__(self, inputs, outputs, bits, weights):
        super().__init__(inputs, outputs, 3, padding=1, bias=False)
        self.bits, self.quantize = bits, weights

    def forward(self, x):
        binary()
        return self._conv_forward(x, self.quantize(self.weight, self.bits), None)


def low_bit(activation, weights):
    """Batch norm, quantizer and convolution, at 1 to 4 bits."""
    body = []
    for bits in (1, 2, 3, 4):
        body += [activation(bits, 8), QuantConv2d(8, 8, bits, weights), nn.BatchNorm2d(8)]
    return classifier(8, *body, channels=8)
