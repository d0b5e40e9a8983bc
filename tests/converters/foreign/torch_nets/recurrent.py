"""An LSTM whose products are binary."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from watching import binary

from torch_nets.common import sign_ge


class BinaryLinear(nn.Linear):
    """The signs of the weights around their mean, times the mean magnitude."""

    def forward(self, x):
        binary()
        weights = self.weight - self.weight.mean()
        return F.linear(x, torch.where(weights >= 0, 1.0, -1.0) * self.weight.abs().mean(), self.bias)


class Lstm(nn.Module):
    """[N, 4, 16] to [N, 3]: both products of every step are of signs; the steps are written out by the trace."""

    def __init__(self, features=16, cells=16):
        super().__init__()
        self.of_input, self.of_state = BinaryLinear(features, 4 * cells), BinaryLinear(cells, 4 * cells)
        self.cells = cells
        self.head = nn.Linear(cells, 3)

    def forward(self, x):
        h, c = x[:, 0, : self.cells] * 0.1 + 0.05, torch.zeros_like(x[:, 0, : self.cells])
        for step in range(x.shape[1]):
            gates = self.of_input(sign_ge(x[:, step])) + self.of_state(sign_ge(h))
            i, f, g, o = torch.chunk(gates, 4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.head(h)
