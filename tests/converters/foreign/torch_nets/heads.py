"""The heads of detectors and segmenters."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from watching import binary

from torch_nets.react_net import BinaryActivation, HardBinaryConv


class Signed(nn.Module):
    """A sign and a binary convolution, batch norm and ReLU."""

    def __init__(self, inputs, outputs, size=3, stride=1):
        super().__init__()
        self.activation = BinaryActivation()
        self.convolution = HardBinaryConv(inputs, outputs, size, stride, size // 2)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.relu(self.norm(self.convolution(self.activation(x)))) - 0.5


class Ssd(nn.Module):
    """Boxes [N, anchors, 4] and scores [N, anchors, 3] of two maps, two anchors at each place."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16))
        self.first, self.second = Signed(16, 16), Signed(16, 16, stride=2)
        self.boxes = nn.ModuleList(HardBinaryConv(16, 2 * 4) for _ in range(2))
        self.scores = nn.ModuleList(HardBinaryConv(16, 2 * 3) for _ in range(2))
        self.activation = BinaryActivation()

    def forward(self, x):
        one = self.first(self.stem(x))
        boxes, scores = [], []
        for features, box, score in zip((one, self.second(one)), self.boxes, self.scores, strict=True):
            signs = self.activation(features)
            boxes.append(box(signs).permute(0, 2, 3, 1).reshape(len(x), -1, 4))
            scores.append(score(signs).permute(0, 2, 3, 1).reshape(len(x), -1, 3))
        return torch.cat(boxes, 1), torch.softmax(torch.cat(scores, 1), -1)


class BinaryTransposed(nn.Module):
    def __init__(self, inputs, outputs, size, stride, padding=0, extra=0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs, size, size) * 0.1)
        self.stride, self.padding, self.extra = stride, padding, extra

    def forward(self, x):
        binary()
        scale = self.weight.abs().mean((0, 2, 3), keepdim=True)
        weights = scale * torch.where(self.weight >= 0, 1.0, -1.0)
        return F.conv_transpose2d(x, weights, None, self.stride, self.padding, self.extra)


class Segmenter(nn.Module):
    """Scores [N, 3, 16, 16] of each pixel; one map is enlarged bilinearly, one by a binary transposed convolution."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12))
        self.down, self.deep, self.merge = Signed(12, 12, stride=2), Signed(12, 12), Signed(12, 12)
        self.up = BinaryTransposed(12, 12, 2, 2)
        self.norm, self.activation = nn.BatchNorm2d(12), BinaryActivation()
        self.head = nn.Conv2d(12, 3, 1)

    def forward(self, x):
        half = self.stem(x)
        deep = self.deep(self.down(half))
        wide = F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False)
        merged = self.norm(self.up(self.activation(deep))) + self.merge(wide + half)
        return self.head(F.interpolate(merged, scale_factor=2, mode="nearest"))
