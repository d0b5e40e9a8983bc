"""The networks that people write in PyTorch, with the quantizers of their own repositories, small.

`NETS` maps a name to (a function that makes the model, shapes of its inputs without the batch). Images are
[N, 3, 16, 16]. What `near` and `binary` say is for `watching` only; an export does not see it.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from watching import binary, near


def _plain(x):
    return x.detach().numpy()


def sign(x):
    """torch.sign, seen by `watching`."""
    near(_plain(x)) if not torch.compiler.is_exporting() else None
    return torch.sign(x)


# ReActNet: https://arxiv.org/abs/2003.03488


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


def classifier(stem_channels, *body, channels, stride=1):
    """A float stem, a body, and a float head of 5 classes."""
    stem = nn.Sequential(nn.Conv2d(3, stem_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(stem_channels))
    return nn.Sequential(stem, *body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5))


def reactnet():
    return classifier(10, ReActBlock(10, 10), ReActBlock(10, 20, stride=2), channels=20, stride=2)


# Bi-Real Net: https://arxiv.org/abs/1808.00278


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


# IR-Net: https://arxiv.org/abs/1909.10788


class BinaryQuantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k, t):
        ctx.save_for_backward(x, k, t)
        return sign(x)

    @staticmethod
    def backward(ctx, gradient):
        x, k, t = ctx.saved_tensors
        return k * t * (1 - torch.pow(torch.tanh(x * t), 2)) * gradient, None, None


class IRConv2d(nn.Conv2d):
    """Standardized weights, their sign, times a power of two; the sign of the input."""

    def __init__(self, *args, **options):
        super().__init__(*args, bias=False, **options)
        self.register_buffer("k", torch.tensor([10.0]))
        self.register_buffer("t", torch.tensor([0.1]))

    def forward(self, x):
        binary()
        weights = self.weight - self.weight.view(len(self.weight), -1).mean(-1).view(-1, 1, 1, 1)
        weights = weights / weights.view(len(weights), -1).std(-1).view(-1, 1, 1, 1)
        magnitude = weights.abs().view(len(weights), -1).mean(-1)
        scale = torch.pow(2.0, (torch.log(magnitude) / math.log(2)).floor()).view(-1, 1, 1, 1)
        signs = torch.sign(weights)
        return F.conv2d(BinaryQuantize.apply(x, self.k, self.t), signs * scale, None, self.stride, self.padding)


class PadShortcut(nn.Module):
    """Option A of ResNet for CIFAR-10: every other pixel, and channels of zeros."""

    def __init__(self, channels):
        super().__init__()
        self.more = channels // 4

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more, self.more))


class IRBlock(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = IRConv2d(inputs, outputs, 3, stride=stride, padding=1)
        self.conv2 = IRConv2d(outputs, outputs, 3, stride=1, padding=1)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.shortcut = PadShortcut(outputs) if stride != 1 else nn.Sequential()

    def forward(self, x):
        out = F.hardtanh(self.bn1(self.conv1(x)) + self.shortcut(x))
        return F.hardtanh(self.bn2(self.conv2(out)) + out)


def irnet_resnet20():
    return classifier(6, nn.Hardtanh(), IRBlock(6, 6), IRBlock(6, 12, 2), IRBlock(12, 12), channels=12)


# AdaBin: https://arxiv.org/abs/2208.08084


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


# XNOR-Net: https://arxiv.org/abs/1603.05279, with K, the mean magnitude of what each window reads


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


# BNext: https://arxiv.org/abs/2211.12933


class HardSign(nn.Module):
    """A sign with a learnt shift; where it lets gradients pass stays in the graph."""

    def __init__(self, channels):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        x = x + self.shift
        near(_plain(x)) if not torch.compiler.is_exporting() else None
        hard = torch.where(x >= 0, torch.ones_like(x), -torch.ones_like(x))
        soft = x.clamp(-1, 1)
        return soft + (hard - soft).detach()


class BNextConv(nn.Conv2d):
    """Weights without their mean, their signs, times the mean magnitude."""

    def forward(self, x):
        binary()
        weights = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        scale = weights.abs().mean((1, 2, 3), keepdim=True)
        return self._conv_forward(x, torch.where(weights >= 0, scale, -scale), None)


class Attention(nn.Module):
    """A gate for each channel, from its mean, by way of few channels."""

    def __init__(self, channels, reduction=4):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.expand = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x):
        gate = F.adaptive_avg_pool2d(x, 1)
        return torch.sigmoid(self.expand(F.relu(self.squeeze(gate))))


class BNextBlock(nn.Module):
    def __init__(self, channels, stride=1):
        super().__init__()
        self.binarize1, self.binarize2, self.binarize3 = (HardSign(channels) for _ in range(3))
        self.conv3x3 = BNextConv(channels, channels, 3, stride, 1, bias=False)
        self.conv1, self.conv2 = (BNextConv(channels, channels, 1, bias=False) for _ in range(2))
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(channels) for _ in range(3))
        self.act1, self.act2 = nn.PReLU(channels), nn.PReLU(channels)
        self.attention = Attention(channels)
        self.pooling = nn.AvgPool2d(2, 2) if stride == 2 else nn.Identity()

    def forward(self, x):
        shortcut = self.pooling(x)
        out = self.bn1(self.conv3x3(self.binarize1(x)))
        out = self.act1(out * self.attention(shortcut) + shortcut)
        wide = torch.cat([self.bn2(self.conv1(self.binarize2(out))), self.bn3(self.conv2(self.binarize3(out)))], 1)
        left, right = torch.chunk(wide, 2, dim=1)
        return self.act2(left * torch.sigmoid(right) + out)


def bnext():
    return classifier(16, nn.PReLU(16), BNextBlock(16), BNextBlock(16, 2), channels=16, stride=2)


# DoReFa-Net: https://arxiv.org/abs/1606.06160; PACT: https://arxiv.org/abs/1805.06085; LSQ: https://arxiv.org/abs/1902.08153


def rounded(x):
    """torch.round, with the gradient of the identity."""
    near(_plain(x - x.floor()), 0.5) if not torch.compiler.is_exporting() else None
    return (torch.round(x) - x).detach() + x


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


# The heads of detectors and segmenters


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


# Recurrent and attention


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


def sign_ge(x):
    """-1 or 1, 1 at 0."""
    near(_plain(x)) if not torch.compiler.is_exporting() else None
    return torch.where(x >= 0, 1.0, -1.0)


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


IMAGE = (3, 16, 16)
NETS = {
    "reactnet": (reactnet, IMAGE),
    "birealnet": (birealnet, IMAGE),
    "irnet_resnet20": (irnet_resnet20, IMAGE),
    "adabin": (adabin, IMAGE),
    "xnornet": (xnornet, IMAGE),
    "bnext": (bnext, IMAGE),
    "dorefa": (lambda: low_bit(DoReFaActivation, dorefa_weights), IMAGE),
    "pact": (lambda: low_bit(PactActivation, dorefa_weights), IMAGE),
    "lsq": (lambda: low_bit(LsqActivation, lsq_weights), IMAGE),
    "ssd": (Ssd, IMAGE),
    "segmenter": (Segmenter, IMAGE),
    "lstm": (Lstm, (4, 16)),
    "bit": (BitBlock, (6, 16)),
}


def as_after_training(model, *inputs):
    """Random parameters where a fresh layer has none, and batch norms that know their inputs."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.momentum = 1.0
                module.weight.normal_()
                module.bias.normal_(std=0.3)
            elif isinstance(module, LearnableBias):
                module.bias.normal_(std=0.3)
            elif isinstance(module, Elastic) and module.signed:
                module.beta.normal_(std=0.1)
            elif isinstance(module, HardSign):
                module.shift.normal_(std=0.3)
            elif isinstance(module, nn.PReLU):
                module.weight.uniform_(0.05, 0.5)
            elif isinstance(module, nn.LayerNorm):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(std=0.2)
        model.train()(*inputs)
    return model.eval()


def made(name, seed=0):
    """A model in eval mode, and inputs [256, ...] for it."""
    torch.manual_seed(seed)
    make, shape = NETS[name]
    model = as_after_training(make(), torch.randn(32, *shape))
    return model, [torch.randn(256, *shape)]


def outputs_of(model, inputs):
    """What PyTorch computes, as a list of arrays."""
    with torch.no_grad():
        found = model(*(torch.from_numpy(each) for each in inputs))
    return [each.numpy() for each in (found if isinstance(found, tuple) else (found,))]
