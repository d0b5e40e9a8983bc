"""Makes tf_module/*.tflite and *.npz: functions of plain TensorFlow, by TensorFlow's own TFLite converter.

    pip install -r requirements/tensorflow.txt
    python make_tf_module.py [NET ...]

Images are [N, 16, 16, 3]. What `near` and `binary` say is for `watching` only; a trace does not see it.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from function_nets import make_files
from watching import binary, near

HERE = Path(__file__).parent


def seen(x, thresholds=0.0):
    """Tells `watching` of values, but not while a graph is traced."""
    if tf.executing_eagerly():
        near(x.numpy(), thresholds)
    return x


@tf.custom_gradient
def ste_sign(x):
    """-1 or 1, 1 at 0."""
    y = tf.where(seen(x) >= 0, 1.0, -1.0)
    return y, lambda gradient: gradient * tf.cast(tf.abs(x) <= 1, gradient.dtype)


def detached_sign(x):
    """A sign that lets gradients pass with tf.stop_gradient: what is subtracted is added again."""
    soft = tf.clip_by_value(x, -1.0, 1.0)
    return soft + tf.stop_gradient(tf.sign(seen(x)) - soft)


class Net(tf.Module):
    """Draws weights, and remembers batch norms' statistics at the first call."""

    def __init__(self, seed=0):
        super().__init__()
        self._random, self._kept = np.random.default_rng(seed), {}

    def weights(self, name, *shape, scale=1.0):
        if name not in self._kept:
            self._kept[name] = tf.Variable((self._random.normal(size=shape) * scale).astype(np.float32), name=name)
        return self._kept[name]

    def uniform(self, name, *shape, low=0.05, high=0.5):
        if name not in self._kept:
            self._kept[name] = tf.Variable(self._random.uniform(low, high, shape).astype(np.float32), name=name)
        return self._kept[name]

    def norm(self, name, x):
        """A batch norm with the statistics of the first call, a random factor of either sign and a random shift."""
        channels = x.shape[-1]
        if f"{name}/mean" not in self._kept:
            mean, variance = tf.nn.moments(x, list(range(len(x.shape) - 1)))
            self._kept |= {f"{name}/mean": tf.Variable(mean), f"{name}/variance": tf.Variable(variance)}
        scale, shift = self.weights(f"{name}/gamma", channels), self.weights(f"{name}/beta", channels, scale=0.3)
        kept = self._kept
        return tf.nn.batch_normalization(x, kept[f"{name}/mean"], kept[f"{name}/variance"], shift, scale, 1e-3)

    def binary_conv(self, name, x, outputs, size=3, stride=1, padding="SAME"):
        """Signs of the weights times their mean magnitude."""
        binary()
        latent = self.weights(name, size, size, x.shape[-1], outputs, scale=0.1)
        alpha = tf.reduce_mean(tf.abs(latent), [0, 1, 2], keepdims=True)
        return tf.nn.conv2d(x, alpha * tf.sign(latent), stride, padding)

    def conv(self, name, x, outputs, size=3, stride=1):
        return tf.nn.conv2d(x, self.weights(name, size, size, x.shape[-1], outputs, scale=0.2), stride, "SAME")

    def head(self, x, outputs=5):
        x = tf.reduce_mean(x, [1, 2])
        return x @ self.weights("head", x.shape[-1], outputs, scale=0.2) + self.weights("bias", outputs)


class ReActNet(Net):
    """RSign, binary convolution, batch norm, shortcut and RPReLU."""

    def __call__(self, x):
        x = self.norm("stem/norm", self.conv("stem", x, 16, stride=2))
        x = self.half("one", x, 3)
        x = self.half("two", x, 1)
        # [1, 1] pads as PyTorch does, with what lies between the signs.
        signs = ste_sign(x + self.weights("three/shift", 16, scale=0.3))
        padded = tf.pad(signs, [(0, 0), (1, 1), (1, 1), (0, 0)])
        found = self.norm("three/norm", self.binary_conv("three", padded, 16, 3, 2, "VALID"))
        return self.head(found + tf.nn.avg_pool2d(x, 2, 2, "SAME"))

    def half(self, name, x, size):
        signs = ste_sign(x + self.weights(f"{name}/shift", 16, scale=0.3))
        found = self.norm(f"{name}/norm", self.binary_conv(name, signs, 16, size)) + x
        shifted = found - self.weights(f"{name}/before", 16, scale=0.3)
        slopes = self.uniform(f"{name}/slopes", 16)
        return tf.maximum(0.0, shifted) + slopes * tf.minimum(0.0, shifted) + self.weights(f"{name}/after", 16)


class BiRealNet(Net):
    """tf.sign with a straight-through estimator of tf.stop_gradient, ones around the signs."""

    def __call__(self, x):
        x = tf.nn.max_pool2d(self.norm("stem/norm", self.conv("stem", x, 16)), 3, 2, "SAME")
        for name in ("one", "two", "three"):
            padded = tf.pad(detached_sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=1.0)
            x = x + self.norm(f"{name}/norm", self.binary_conv(name, padded, 16, padding="VALID"))
        return self.head(x)


class LowBit(Net):
    """DoReFa activations and weights of 1 to 4 bits; relu6 and batch norm between."""

    def __call__(self, x):
        x = self.norm("stem/norm", self.conv("stem", x, 8, stride=2))
        for bits in (1, 2, 3, 4):
            top = 2**bits - 1
            scaled = tf.clip_by_value(x, 0.0, 1.0) * top
            levels = tf.round(seen(scaled, [step + 0.5 for step in range(top)])) / top
            latent = tf.tanh(self.weights(f"conv{bits}", 3, 3, 8, 8))
            soft = latent / (2 * tf.reduce_max(tf.abs(latent))) + 0.5
            weights = 2 * tf.round(soft * top) / top - 1
            binary()
            found = tf.nn.conv2d(levels, weights, 1, "SAME")
            x = self.norm(f"norm{bits}", tf.nn.relu6(found) if bits == 2 else found)
        return self.head(x)


class Xnor(Net):
    """XNOR-Net with K, the mean magnitude of each window, and a binary dense layer."""

    def __call__(self, x):
        x = tf.nn.max_pool2d(tf.nn.relu(self.norm("stem/norm", self.conv("stem", x, 16, 5))), 3, 2, "SAME")
        for name in ("one", "two"):
            x = self.norm(f"{name}/norm", x)
            mean = tf.reduce_mean(tf.abs(x), -1, keepdims=True)
            k = tf.nn.conv2d(mean, tf.fill([3, 3, 1, 1], 1 / 9), 1, "SAME")
            x = tf.nn.relu(self.binary_conv(name, ste_sign(x), 16) * k)
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        flat = self.norm("dense/norm", tf.reshape(x, [-1, 4 * 4 * 16]))
        latent = self.weights("dense", 256, 16)
        binary()
        return ste_sign(flat) @ (tf.sign(latent) * tf.reduce_mean(tf.abs(latent), 0)) + self.weights("dense/bias", 16)


class Segmenter(Net):
    """Scores [N, 16, 16, 3]: one map is enlarged bilinearly, one by a binary transposed convolution."""

    def __call__(self, x):
        half = self.norm("stem/norm", self.conv("stem", x, 16, stride=2))
        down = self.norm("down/norm", self.binary_conv("down", ste_sign(half), 16, stride=2))
        wide = tf.image.resize(down, [8, 8])
        merged = self.norm("merge/norm", self.binary_conv("merge", ste_sign(wide + half), 16))
        latent = self.weights("up", 2, 2, 16, 16, scale=0.1)
        alpha = tf.reduce_mean(tf.abs(latent), [0, 1, 3], keepdims=True)
        shape = [tf.shape(x)[0], 8, 8, 16]
        binary()
        up = tf.nn.conv2d_transpose(ste_sign(down), alpha * tf.sign(latent), shape, 2)
        return self.conv("head", tf.image.resize(merged + self.norm("up/norm", up), [16, 16], "nearest"), 3, 1)


class Lstm(Net):
    """[N, 4, 16] to [N, 3]; both products of each step are of signs. In a loop, or written out."""

    rolled = True

    def __call__(self, x):
        inputs, states = self.weights("input", 16, 64), self.weights("state", 16, 64)
        bias = self.weights("gates", 64, scale=0.3)

        def step(number, h, c):
            binary()
            binary()
            signs, kept = ste_sign(x[:, number]), ste_sign(h)
            gates = signs @ (0.2 * tf.sign(inputs)) + kept @ (0.3 * tf.sign(states)) + bias
            i, f, g, o = tf.split(gates, 4, axis=1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            return number + 1, tf.sigmoid(o) * tf.tanh(c), c

        h, c = x[:, 0] * 0.1 + 0.05, tf.zeros_like(x[:, 0])
        if self.rolled and not tf.executing_eagerly():
            _, h, c = tf.while_loop(lambda number, h, c: number < 4, step, (0, h, c))
        else:
            for number in range(4):
                _, h, c = step(number, h, c)
        return h @ self.weights("head", 16, 3) + self.weights("bias", 3)


class UnrolledLstm(Lstm):
    """The steps written out."""

    rolled = False


class BitBlock(Net):
    """Binary attention: [N, 6, 16]; scores and context are products of two activations."""

    def linear(self, name, x, outputs):
        binary()
        latent = self.weights(name, x.shape[-1], outputs)
        signs = tf.where(latent >= 0, 1.0, -1.0) * tf.reduce_mean(tf.abs(latent), 0)
        return tf.matmul(x, signs) + self.weights(f"{name}/bias", outputs, scale=0.3)

    def layer_norm(self, name, x):
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        scale, shift = self.uniform(f"{name}/gamma", 16, low=0.5, high=1.5), self.weights(f"{name}/beta", 16, scale=0.2)
        return (x - mean) * tf.math.rsqrt(variance + 1e-5) * scale + shift

    def __call__(self, x):
        def heads(y):
            return tf.transpose(tf.reshape(y, [-1, 6, 2, 8]), [0, 2, 1, 3])

        signs = ste_sign(x)
        query, key, value = (heads(ste_sign(self.linear(name, signs, 16))) for name in ("query", "key", "value"))
        binary()
        scores = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) * 0.25)
        binary()
        context = tf.matmul(tf.where(seen(scores, 0.15) >= 0.15, 1.0, 0.0), value)
        context = tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [-1, 6, 16])
        shift = self.weights("shift", 16, scale=0.7)
        x = self.layer_norm("norm1", self.linear("output", ste_sign(context + shift), 16) + x)
        hidden = self.linear("up", ste_sign(x), 32)
        return self.layer_norm("norm2", self.linear("down", ste_sign(hidden), 16) + x)


NETS = {
    "reactnet": ReActNet,
    "birealnet": BiRealNet,
    "low_bit": LowBit,
    "xnornet": Xnor,
    "segmenter": Segmenter,
    "lstm_rolled": Lstm,
    "lstm_unrolled": UnrolledLstm,
    "bit": BitBlock,
}


def run(net, x):
    return net(tf.constant(x)).numpy()


def to_flatbuffer(net, shape):
    traced = tf.function(net.__call__, input_signature=[tf.TensorSpec((1, *shape), tf.float32)])
    return tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()], net).convert()


if __name__ == "__main__":
    make_files(HERE / "tf_module", NETS, sys.argv[1:], run, to_flatbuffer)
