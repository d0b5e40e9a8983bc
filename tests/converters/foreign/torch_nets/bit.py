"""A block of a binary transformer, as BiT has it: https://arxiv.org/abs/2205.13016."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from watching import binary

from torch_nets.common import rounded, sign
from torch_nets.recurrent import BinaryLinear


class Elastic(nn.Module):
    """BiT's quantizer of activations, https://arxiv.org/abs/2205.13016: alpha times {-1, 1}, or alpha times {0, 1}."""

    def __init__(self, signed, alpha):
        super().__init__()
        self.signed = signed
        self.alpha, self.beta = nn.Parameter(torch.tensor(alpha)), nn.Parameter(torch.tensor(0.0))

    def forward(self, x):
        x = (x - self.beta) / self.alpha
        return self.alpha * (sign(x) if self.signed else rounded(x.clamp(0, 1)))


class BitBlock(nn.Module):
    """A block of a binary transformer: [N, 6, 16]. The scores and what they weigh are products of two activations."""

    def __init__(self, width=16, heads=2):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (BinaryLinear(width, width) for _ in range(4))
        self.up, self.down = BinaryLinear(width, 2 * width), BinaryLinear(2 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.of_input, self.of_context, self.of_middle = Elastic(True, 0.8), Elastic(True, 0.3), Elastic(True, 0.9)
        self.of_query, self.of_key, self.of_value = Elastic(True, 0.7), Elastic(True, 0.6), Elastic(True, 0.9)
        self.of_scores, self.of_hidden = Elastic(False, 0.3), Elastic(False, 0.8)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x):
        signs = self.of_input(x)
        query, key, value = (layer(signs) for layer in (self.query, self.key, self.value))
        query, key, value = self.of_query(query), self.of_key(key), self.of_value(value)
        query, key, value = self.split(query), self.split(key), self.split(value)
        binary()
        scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(query.shape[-1])
        binary()
        context = torch.matmul(self.of_scores(torch.softmax(scores, -1)), value)
        context = context.transpose(1, 2).reshape(x.shape)
        x = self.norm1(self.output(self.of_context(context)) + x)
        hidden = F.relu(self.up(self.of_middle(x)))
        return self.norm2(self.down(self.of_hidden(hidden)) + x)
