"""ResNets of binary convolutions in PyTorch, written from the papers: parameters are named as the authors name theirs.

Needs PyTorch; only `make_torch_checkpoints.py` imports it.
"""

import math

import torch
from torch import nn
from torch.nn import functional

# Of each image, the smallest magnitude that a binary layer has taken the sign of; one entry a call.
MARGINS = []


def binarized(x):
    """The sign of activations."""
    MARGINS.append(x.abs().flatten(1).amin(1))
    return torch.sign(x)


class FlatConv(nn.Module):
    """Bi-Real Net: mean|w|·sign(w) of each filter, kept as one column of numbers."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.shape, self.stride = (outputs, inputs, 3, 3), stride
        self.weights = nn.Parameter(torch.zeros(outputs * inputs * 9, 1))

    def forward(self, x):
        w = self.weights.reshape(self.shape)
        return functional.conv2d(binarized(x), w.abs().mean((1, 2, 3), keepdim=True) * w.sign(), None, self.stride, 1)


class ScaledConv(nn.Conv2d):
    """ReActNet: the same, kept as a kernel."""

    def forward(self, x):
        w = self.weight
        scaled = w.abs().mean((1, 2, 3), keepdim=True) * w.sign()
        return functional.conv2d(binarized(x), scaled, None, self.stride, self.padding)


class LibraConv(nn.Conv2d):
    """IR-Net: the sign of standardized weights, times a power of two."""

    def forward(self, x):
        flat = self.weight.flatten(1)
        flat = (flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True)
        scale = 2 ** torch.round(torch.log2(flat.abs().mean(1, keepdim=True)))
        w = (scale * flat.sign()).reshape(self.weight.shape)
        return functional.conv2d(binarized(x), w, None, self.stride, self.padding)


class ClampedConv(nn.Conv2d):
    """ReCU: the sign of centred and clamped weights; the output times a learnt factor of each channel."""

    def __init__(self, *shape, **options):
        super().__init__(*shape, **options)
        self.alpha = nn.Parameter(torch.ones(self.out_channels, 1, 1))
        self.register_buffer("tau", torch.tensor(0.99))

    def forward(self, x):
        w = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        w = w / (torch.sqrt(w.var((1, 2, 3), keepdim=True) + 1e-5) / math.sqrt(8))
        bound = -w.abs().mean() * torch.log(2 - 2 * self.tau)
        sign = torch.sign(w.clamp(-bound, bound))
        return functional.conv2d(binarized(x), sign, None, self.stride, self.padding) * self.alpha


class Threshold(nn.Module):
    """AdaBin's activations: two values with a learnt distance and centre, as the authors' code has them."""

    def __init__(self):
        super().__init__()
        self.alpha_a, self.beta_a = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(0.0))

    def forward(self, x):
        return self.alpha_a * (binarized((x - self.beta_a) / self.alpha_a) + self.beta_a)


class AdaptiveConv(nn.Conv2d):
    """AdaBin: weights of two values around the mean of each filter."""

    def __init__(self, *shape, **options):
        super().__init__(*shape, **options)
        self.binary_a = Threshold()

    def forward(self, x):
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        spread = self.weight.var((1, 2, 3), keepdim=True, unbiased=False).sqrt()
        w = spread * torch.sign((self.weight - mean) / spread) + mean
        return functional.conv2d(self.binary_a(x), w, None, self.stride, self.padding)


class Maxout(nn.Module):
    """AdaBin's activation: a slope of each channel above 0 and one below."""

    def __init__(self, channels):
        super().__init__()
        self.pos_scale, self.neg_scale = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.ones(channels))

    def forward(self, x):
        column = (1, -1, 1, 1)
        return self.pos_scale.view(column) * x.clamp(min=0) + self.neg_scale.view(column) * x.clamp(max=0)


class Bias(nn.Module):
    """A learnt shift of each channel."""

    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        return x + self.bias


class RealBlock(nn.Module):
    """One binary convolution: Bi-Real Net's block, and ReActNet's with its shifts."""

    def __init__(self, inputs, outputs, stride, shifted):
        super().__init__()
        if shifted:
            self.move0 = Bias(inputs)
            self.binary_conv = ScaledConv(inputs, outputs, 3, stride, 1, bias=False)
        else:
            self.binary_conv = FlatConv(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        if shifted:
            self.move1, self.prelu, self.move2 = Bias(outputs), nn.PReLU(outputs), Bias(outputs)
        self.shifted, self.downsample = shifted, None
        if stride > 1:
            convolution = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.downsample = nn.Sequential(nn.AvgPool2d(2, 2), convolution, nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn1(self.binary_conv(self.move0(x) if self.shifted else x))
        y = y + (x if self.downsample is None else self.downsample(x))
        return self.move2(self.prelu(self.move1(y))) if self.shifted else y


class RealNet(nn.Module):
    """Bi-Real Net, or ReActNet's of ResNet-18; `widths` and `counts` of blocks of the four stages."""

    def __init__(self, widths=(64, 128, 256, 512), counts=(4, 4, 4, 4), shifted=False, classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        before = widths[0]
        for number, (width, count) in enumerate(zip(widths, counts, strict=True), 1):
            strides = [1 if number == 1 else 2, *[1] * (count - 1)]
            blocks = [RealBlock(before if i == 0 else width, width, s, shifted) for i, s in enumerate(strides)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            before = width
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = functional.max_pool2d(self.bn1(self.conv1(x)), 3, 2, 1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
        return self.fc(x.mean((2, 3)))


class ClippedBlock(nn.Module):
    """Two binary convolutions, each with a shortcut, an activation of each sum: IR-Net's, ReCU's and AdaBin's block."""

    def __init__(self, conv, inputs, outputs, stride, shortcut):
        super().__init__()
        self.conv1 = conv(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv(outputs, outputs, 3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        adaptive = conv is AdaptiveConv
        self.nonlinear1 = Maxout(outputs) if adaptive else nn.Hardtanh()
        self.nonlinear2 = Maxout(outputs) if adaptive else nn.Hardtanh()
        self.kind, self.wider, self.downsample = shortcut if stride > 1 else "", outputs - inputs, None
        if self.kind == "convolution":
            convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(convolution, nn.BatchNorm2d(outputs))
        elif self.kind == "pooled convolution":
            convolution = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.downsample = nn.Sequential(nn.AvgPool2d(2), convolution, nn.BatchNorm2d(outputs))

    def around(self, x):
        """What goes around the first convolution."""
        if self.downsample is not None:
            return self.downsample(x)
        if not self.kind:
            return x
        x = x[:, :, ::2, ::2] if self.kind == "every second" else functional.avg_pool2d(x, 2)
        return functional.pad(x, (0, 0, 0, 0, self.wider // 2, self.wider // 2))

    def forward(self, x):
        x = self.nonlinear1(self.bn1(self.conv1(x)) + self.around(x))
        return self.nonlinear2(self.bn2(self.conv2(x)) + x)


class ClippedNet(nn.Module):
    """IR-Net's, ReCU's and AdaBin's ResNet-20 for small images, and their ResNet-18."""

    def __init__(self, conv, shortcut, widths, blocks, classes, large=False, spare=False):
        super().__init__()
        size = {"kernel_size": 7, "stride": 2, "padding": 3} if large else {"kernel_size": 3, "padding": 1}
        self.conv1 = nn.Conv2d(3, widths[0], **size, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.nonlinear1 = Maxout(widths[0]) if conv is AdaptiveConv else nn.Hardtanh()
        before, self.layers, self.large = widths[0], len(widths), large
        for number, width in enumerate(widths, 1):
            made = []
            for index in range(blocks):
                stride = 2 if index == 0 and number > 1 else 1
                made.append(ClippedBlock(conv, before, width, stride, shortcut))
                before = width
            self.add_module(f"layer{number}", nn.Sequential(*made))
        self.bn2 = nn.BatchNorm1d(before)
        self.add_module("fc" if large else "linear", nn.Linear(before, classes))
        if spare:
            self.bn3 = nn.BatchNorm1d(classes)  # which is not used
        if spare and conv is AdaptiveConv:
            self.nonlinear2 = Maxout(before)  # neither

    def forward(self, x):
        x = self.nonlinear1(self.bn1(self.conv1(x)))
        x = functional.max_pool2d(x, 3, 2, 1) if self.large else x
        for number in range(1, self.layers + 1):
            x = getattr(self, f"layer{number}")(x)
        return getattr(self, "fc" if self.large else "linear")(self.bn2(x.mean((2, 3))))
