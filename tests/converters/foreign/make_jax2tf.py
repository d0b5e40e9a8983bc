"""Makes jax2tf/*.tflite and *.npz: functions of JAX, by jax2tf and TensorFlow's TFLite converter.

    pip install -r requirements/jax2tf.txt
    python make_jax2tf.py [NET ...]

Images are [N, 16, 16, 3]. What `near` and `binary` say is for `watching` only; a trace does not see it.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import tensorflow as tf
from function_nets import make_files
from jax import lax
from jax.experimental import jax2tf
from watching import binary, near

HERE = Path(__file__).parent


def traced(x):
    return isinstance(x, jax.core.Tracer)


def seen(x, thresholds=0.0):
    """Tells `watching` of values, but not while a graph is traced."""
    if not traced(x):
        near(np.asarray(x), thresholds)
    return x


def counts(x):
    """Tells `watching` that a binary layer computes, as `seen`."""
    if not traced(x):
        binary()


@jax.custom_vjp
def vjp_sign(x):
    """-1 or 1, 1 at 0, with a gradient of its own."""
    return jnp.where(x >= 0, 1.0, -1.0)


vjp_sign.defvjp(lambda x: (vjp_sign(x), x), lambda x, gradient: (gradient * (jnp.abs(x) <= 1),))


def ste_sign(x):
    """That, seen by `watching`."""
    return vjp_sign(seen(x))


def detached_sign(x):
    """jnp.sign, straight through: what lax.stop_gradient hides is subtracted and added again."""
    soft = jnp.clip(x, -1, 1)
    return soft + lax.stop_gradient(jnp.sign(seen(x)) - soft)


def rounded(x, top):
    """jnp.round, straight through."""
    seen(x, [step + 0.5 for step in range(top)])
    return x + lax.stop_gradient(jnp.round(x) - x)


def scaled_sign(weights, axes):
    """Signs of the weights times their mean magnitude over some axes."""
    return jnp.where(weights >= 0, 1.0, -1.0) * jnp.mean(jnp.abs(weights), axes, keepdims=True)


def convolve(x, weights, stride=1, padding="SAME", **options):
    """Of maps [N, H, W, C] with filters [H, W, I, O]."""
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, weights, (stride, stride), padding, dimension_numbers=layout, **options)


class Net:
    """Draws weights, and remembers batch norms' statistics at the first call."""

    def __init__(self):
        self._random, self._kept = np.random.default_rng(0), {}

    def weights(self, name, *shape, scale=1.0):
        if name not in self._kept:
            self._kept[name] = (self._random.normal(size=shape) * scale).astype(np.float32)
        return self._kept[name]

    def norm(self, name, x):
        """A batch norm with the statistics of the first call, a random factor of either sign and a random shift."""
        axes = tuple(range(x.ndim - 1))
        if f"{name}/mean" not in self._kept:
            self._kept |= {f"{name}/mean": np.asarray(x.mean(axes)), f"{name}/variance": np.asarray(x.var(axes))}
        mean, variance = self._kept[f"{name}/mean"], self._kept[f"{name}/variance"]
        scale, shift = self.weights(f"{name}/gamma", x.shape[-1]), self.weights(f"{name}/beta", x.shape[-1], scale=0.3)
        return (x - mean) * lax.rsqrt(variance + 1e-5) * scale + shift

    def binary_conv(self, name, signs, outputs, size=3, stride=1, padding="SAME"):
        counts(signs)
        weights = scaled_sign(self.weights(name, size, size, signs.shape[-1], outputs, scale=0.1), (0, 1, 2))
        return convolve(signs, weights, stride, padding)

    def stem(self, x, channels=16):
        return self.norm("stem/norm", convolve(x, self.weights("stem", 3, 3, 3, channels, scale=0.2), 2))

    def head(self, x, outputs=5):
        return x.mean((1, 2)) @ self.weights("head", x.shape[-1], outputs, scale=0.2) + self.weights("bias", outputs)


class ReActNet(Net):
    """RSign, binary convolution, batch norm, shortcut and RPReLU."""

    def __call__(self, x):
        x = self.stem(x)
        for name, size, stride in (("one", 3, 1), ("two", 1, 1), ("three", 3, 2)):
            signs = ste_sign(x + self.weights(f"{name}/shift", 16, scale=0.3))
            found = self.norm(f"{name}/norm", self.binary_conv(name, signs, 16, size, stride))
            if stride == 2:
                window = (1, 2, 2, 1)
                x = lax.reduce_window(x, 0.0, lax.add, window, window, "SAME") / 4
            y = found + x - self.weights(f"{name}/before", 16, scale=0.3)
            slopes = np.abs(self.weights(f"{name}/slopes", 16, scale=0.2))
            x = jnp.where(y >= 0, y, slopes * y) + self.weights(f"{name}/after", 16, scale=0.3)
        return self.head(x)


class BiRealNet(Net):
    """jnp.sign straight through, ones around it, a maximum pool."""

    def __call__(self, x):
        x = self.norm("stem/norm", convolve(x, self.weights("stem", 3, 3, 3, 16, scale=0.2)))
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")
        for name in ("one", "two"):
            padded = jnp.pad(detached_sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=1.0)
            x = x + self.norm(f"{name}/norm", self.binary_conv(name, padded, 16, padding="VALID"))
        return self.head(x)


class LowBit(Net):
    """DoReFa activations and weights of 1 to 4 bits; LSQ's scale at the last."""

    def __call__(self, x):
        x = self.stem(x, 8)
        for bits in (1, 2, 3, 4):
            top = 2**bits - 1
            if bits == 4:
                step = 0.09
                levels = rounded(jnp.clip(x / step, 0, top), top) * step
            else:
                levels = rounded(jnp.clip(x, 0, 1) * top, top) / top
            latent = np.tanh(self.weights(f"conv{bits}", 3, 3, 8, 8))
            soft = latent / (2 * np.abs(latent).max()) + 0.5
            counts(levels)
            found = convolve(levels, 2 * np.round(soft * top) / np.float32(top) - 1)
            x = self.norm(f"norm{bits}", jax.nn.relu6(found) if bits == 2 else found)
        return self.head(x)


class Segmenter(Net):
    """Scores [N, 16, 16, 3]: one map is enlarged bilinearly, one by a binary transposed convolution."""

    def __call__(self, x):
        half = self.stem(x)
        down = self.norm("down/norm", self.binary_conv("down", ste_sign(half), 16, stride=2))
        wide = jax.image.resize(down, (*half.shape[:3], 16), "bilinear")
        merged = self.norm("merge/norm", self.binary_conv("merge", ste_sign(wide + half), 16))
        counts(down)
        weights = scaled_sign(self.weights("up", 2, 2, 16, 16, scale=0.1), (0, 1, 2))
        up = lax.conv_transpose(ste_sign(down), weights, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        merged = merged + self.norm("up/norm", up)
        scores = convolve(merged, self.weights("head", 1, 1, 16, 3, scale=0.2))
        return jnp.repeat(jnp.repeat(scores, 2, 1), 2, 2)


class Lstm(Net):
    """[N, 4, 16] to [N, 3]; both products of each step are of signs. In lax.scan, or written out."""

    rolled = True

    def __call__(self, x):
        inputs, states = self.weights("input", 16, 64), self.weights("state", 16, 64)
        bias = self.weights("gates", 64, scale=0.3)

        def step(carried, now):
            h, c = carried
            counts(now)
            counts(now)
            gates = ste_sign(now) @ (0.2 * np.sign(inputs)) + ste_sign(h) @ (0.3 * np.sign(states)) + bias
            i, f, g, o = jnp.split(gates, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        carried = (x[:, 0] * 0.1 + 0.05, jnp.zeros_like(x[:, 0]))
        if self.rolled and traced(x):
            (h, _), _ = lax.scan(step, carried, jnp.swapaxes(x, 0, 1))
        else:
            for number in range(4):
                carried, _ = step(carried, x[:, number])
            h = carried[0]
        return h @ self.weights("head", 16, 3) + self.weights("bias", 3)


class UnrolledLstm(Lstm):
    """The steps written out."""

    rolled = False


class BitBlock(Net):
    """Binary attention: [N, 6, 16]; scores and context are products of two activations."""

    def linear(self, name, x, outputs):
        counts(x)
        return jnp.einsum("ntc,cd->ntd", x, scaled_sign(self.weights(name, x.shape[-1], outputs), 0)) + self.weights(
            f"{name}/bias", outputs, scale=0.3
        )

    def layer_norm(self, name, x):
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) * lax.rsqrt(variance + 1e-5) + self.weights(f"{name}/beta", 16, scale=0.2)

    def __call__(self, x):
        signs = ste_sign(x)
        query, key, value = (
            ste_sign(self.linear(name, signs, 16)).reshape(-1, 6, 2, 8) for name in ("query", "key", "value")
        )
        counts(x)
        scores = jax.nn.softmax(jnp.einsum("nqhd,nkhd->nhqk", query, key) * 0.25)
        chosen = jnp.where(seen(scores, 0.15) >= 0.15, 1.0, 0.0)
        counts(x)
        context = jnp.einsum("nhqk,nkhd->nqhd", chosen, value).reshape(-1, 6, 16)
        context = ste_sign(context + self.weights("shift", 16, scale=0.7))
        x = self.layer_norm("norm1", self.linear("output", context, 16) + x)
        hidden = self.linear("up", ste_sign(x), 32)
        return self.layer_norm("norm2", self.linear("down", ste_sign(hidden), 16) + x)


NETS = {
    "reactnet": ReActNet,
    "birealnet": BiRealNet,
    "low_bit": LowBit,
    "segmenter": Segmenter,
    "lstm_rolled": Lstm,
    "lstm_unrolled": UnrolledLstm,
    "bit": BitBlock,
}


def run(net, x):
    return np.asarray(net(jnp.asarray(x)))


def to_flatbuffer(net, shape):
    function = tf.function(
        jax2tf.convert(lambda x: net(x), with_gradient=False),
        input_signature=[tf.TensorSpec((1, *shape), tf.float32)],
        autograph=False,
    )
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()]).convert()


if __name__ == "__main__":
    make_files(HERE / "jax2tf", NETS, sys.argv[1:], run, to_flatbuffer)
