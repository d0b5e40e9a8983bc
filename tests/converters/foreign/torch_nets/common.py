"""What several networks have in common: quantizers that `watching` sees, and how a classifier ends."""

import torch
from torch import nn
from watching import near


def plain(x):
    return x.detach().numpy()


def sign(x):
    """torch.sign, seen by `watching`."""
    near(plain(x)) if not torch.compiler.is_exporting() else None
    return torch.sign(x)


def sign_ge(x):
    """-1 or 1, 1 at 0."""
    near(plain(x)) if not torch.compiler.is_exporting() else None
    return torch.where(x >= 0, 1.0, -1.0)


def rounded(x):
    """torch.round, with the gradient of the identity."""
    near(plain(x - x.floor()), 0.5) if not torch.compiler.is_exporting() else None
    return (torch.round(x) - x).detach() + x


def classifier(stem_channels, *body, channels, stride=1):
    """A float stem, a body, and a float head of 5 classes."""
    stem = nn.Sequential(nn.Conv2d(3, stem_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(stem_channels))
    return nn.Sequential(stem, *body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5))
