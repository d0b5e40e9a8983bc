"""Makes keras3/*.tflite and *.npz: models of Keras 3, by its own export.

    pip install -r requirements/tensorflow.txt
    python make_keras3.py [NET ...]

Images are [N, 16, 16, 3]. What `near` and `binary` say is for `watching` only; a trace does not see it.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "0"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from watching import binary, clear_inputs, near, save

HERE = Path(__file__).parent


def seen(x, thresholds=0.0):
    """Tells `watching` of values, but not while a graph is traced or shapes are inferred."""
    if isinstance(x, tf.Tensor) and tf.executing_eagerly():
        near(x.numpy(), thresholds)
    return x


def counts(x):
    """Tells `watching` that a binary layer computes, as `seen`."""
    if isinstance(x, tf.Tensor) and tf.executing_eagerly():
        binary()


@ops.custom_gradient
def ste_sign(x):
    """-1 or 1, 1 at 0."""

    def gradient(*arguments, upstream=None):
        (upstream,) = arguments if upstream is None else (upstream,)
        return ops.where(ops.abs(x) <= 1, upstream, 0.0)

    return ops.where(seen(x) >= 0, 1.0, -1.0), gradient


def two_sign(x):
    """The sign as Larq writes it: never 0."""
    return ops.sign(ops.sign(seen(x)) + 0.1)


def scaled_sign(weights, axes):
    """Signs of the weights times their mean magnitude over some axes."""
    return ops.sign(weights) * ops.mean(ops.abs(weights), axes, keepdims=True)


class BinaryConv2D(layers.Conv2D):
    """Binary weights, and a quantizer of the input."""

    def __init__(self, filters, kernel_size, quantizer=ste_sign, **options):
        super().__init__(filters, kernel_size, use_bias=False, **options)
        self.quantizer = quantizer

    def call(self, inputs):
        counts(inputs)
        kernel = scaled_sign(self.kernel, [0, 1, 2])
        return ops.conv(self.quantizer(inputs), kernel, self.strides, self.padding, dilation_rate=self.dilation_rate)


class BinaryDepthwiseConv2D(layers.DepthwiseConv2D):
    """The same of a depthwise convolution."""

    def call(self, inputs):
        counts(inputs)
        kernel = scaled_sign(self.kernel, [0, 1, 3])
        return ops.depthwise_conv(ste_sign(inputs), kernel, self.strides, self.padding)


class BinaryConv2DTranspose(layers.Conv2DTranspose):
    """The same of a transposed convolution."""

    def call(self, inputs):
        counts(inputs)
        kernel = scaled_sign(self.kernel, [0, 1, 3])
        return ops.conv_transpose(ste_sign(inputs), kernel, self.strides, self.padding)


class BinaryDense(layers.Dense):
    """The same of a dense layer."""

    def call(self, inputs):
        counts(inputs)
        return ops.matmul(ste_sign(inputs), scaled_sign(self.kernel, [0])) + self.bias


class RSign(layers.Layer):
    """A shift for each channel, before a sign."""

    def build(self, shape):
        self.shift = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.RandomNormal(0, 0.3))

    def call(self, inputs):
        return inputs + self.shift


class RPReLU(layers.Layer):
    """A PReLU between two shifts for each channel."""

    def build(self, shape):
        normal = keras.initializers.RandomNormal(0, 0.3)
        self.before, self.after = (self.add_weight(shape=(shape[-1],), initializer=normal) for _ in range(2))
        self.prelu = layers.PReLU(keras.initializers.RandomUniform(0.05, 0.5), shared_axes=[1, 2])
        self.prelu.build(shape)

    def call(self, inputs):
        return self.prelu(inputs - self.before) + self.after


class LowBit(layers.Layer):
    """A convolution at k bits, DoReFa's or, with a learnt clip, PACT's."""

    def __init__(self, filters, bits, clip):
        super().__init__()
        self.filters, self.top, self.clip = filters, 2**bits - 1, clip

    def build(self, shape):
        self.kernel = self.add_weight(shape=(3, 3, shape[-1], self.filters), initializer="he_normal")

    def call(self, inputs):
        counts(inputs)
        scaled = ops.clip(inputs, 0.0, self.clip) * (self.top / self.clip)
        levels = ops.round(seen(scaled, [step + 0.5 for step in range(self.top)])) * (self.clip / self.top)
        latent = ops.tanh(self.kernel)
        soft = latent / (2 * ops.max(ops.abs(latent))) + 0.5
        return ops.conv(levels, 2 * ops.round(soft * self.top) / self.top - 1, 1, "same")


class Gate(layers.Layer):
    """BNext's: a factor for each channel, from its mean."""

    def __init__(self, channels):
        super().__init__()
        self.squeeze, self.expand = layers.Dense(channels // 4, "relu"), layers.Dense(channels, "sigmoid")

    def call(self, inputs):
        return self.expand(self.squeeze(ops.mean(inputs, [1, 2], keepdims=True)))


class BinaryLstmCell(layers.Layer):
    """Both products are of signs."""

    def __init__(self, units):
        super().__init__()
        self.units = units
        self.state_size, self.output_size = [units, units], units

    def build(self, shape):
        self.of_input = self.add_weight(shape=(shape[-1], 4 * self.units), initializer="random_normal", name="input")
        self.of_state = self.add_weight(shape=(self.units, 4 * self.units), initializer="random_normal", name="state")
        self.bias = self.add_weight(shape=(4 * self.units,), initializer=keras.initializers.RandomNormal(0, 0.3))

    def call(self, inputs, states):
        h, c = states
        counts(inputs)
        counts(inputs)
        gates = ops.matmul(ste_sign(inputs), 0.2 * ops.sign(self.of_input)) + self.bias
        gates += ops.matmul(ste_sign(h + 0.02), 0.3 * ops.sign(self.of_state))
        i, f, g, o = ops.split(gates, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]


class BinaryAttention(layers.Layer):
    """Scores and context are products of two activations: [N, 6, 16]."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (BinaryDense(16) for _ in range(4))

    def call(self, inputs):
        def heads(x):
            return ops.transpose(ops.reshape(x, [-1, 6, 2, 8]), [0, 2, 1, 3])

        query, key, value = (heads(ste_sign(layer(inputs))) for layer in (self.query, self.key, self.value))
        counts(inputs)
        scores = ops.softmax(ops.matmul(query, ops.transpose(key, [0, 1, 3, 2])) * 0.25)
        counts(inputs)
        context = ops.matmul(ops.where(seen(scores, 0.15) >= 0.15, 1.0, 0.0), value)
        return self.out(ops.reshape(ops.transpose(context, [0, 2, 1, 3]), [-1, 6, 16]) + 0.5)


def _stem(image, channels=16):
    x = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False, name="stem")(image)
    return layers.BatchNormalization()(x)


def _classes(x):
    return layers.Dense(5, name="head")(layers.GlobalAveragePooling2D()(x))


def reactnet():
    """RSign, binary convolution, batch norm, shortcut and RPReLU."""
    x = _stem(image := keras.Input((16, 16, 3)))
    for stride, size in ((1, 3), (1, 1), (2, 3)):
        shortcut = layers.AveragePooling2D(2)(x) if stride == 2 else x
        x = BinaryConv2D(16, size, strides=stride, padding="same")(RSign()(x))
        x = RPReLU()(layers.Add()([layers.BatchNormalization()(x), shortcut]))
    return keras.Model(image, _classes(x))


def mobile():
    """Depthwise and pointwise binary convolutions with ReLU and batch norm, and a binary dense layer."""
    x = _stem(image := keras.Input((16, 16, 3)))
    for name in ("one", "two"):
        y = BinaryDepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
        y = layers.BatchNormalization()(y)
        y = BinaryConv2D(16, 1, quantizer=two_sign, name=f"{name}_pointwise")(y)
        x = layers.Add()([x, layers.BatchNormalization()(layers.Activation("relu")(y))])
    x = layers.BatchNormalization()(layers.MaxPooling2D(4)(x))
    return keras.Model(image, BinaryDense(5, name="head")(layers.Flatten()(x)))


def low_bit():
    """1 to 4 bits with clips of 1 and of 6 (relu6)."""
    x = _stem(image := keras.Input((16, 16, 3)), 8)
    for bits, clip in ((1, 1.0), (2, 6.0), (3, 1.0), (4, 1.5)):
        x = layers.BatchNormalization()(LowBit(8, bits, clip)(x))
    return keras.Model(image, _classes(x))


def bnext():
    """Gates from the mean of each channel, and halves that multiply each other."""
    x = _stem(image := keras.Input((16, 16, 3)))
    for _ in range(2):
        y = layers.BatchNormalization()(BinaryConv2D(16, 3, padding="same")(RSign()(x)))
        x = RPReLU()(layers.Add()([layers.Multiply()([y, Gate(16)(x)]), x]))
        left, right = (layers.BatchNormalization()(BinaryConv2D(16, 1)(RSign()(x))) for _ in range(2))
        x = layers.Add()([layers.Multiply()([left, layers.Activation("sigmoid")(right)]), x])
    return keras.Model(image, _classes(x))


def segmenter():
    """Bilinear and transposed enlarging; dilated convolutions at the bottom."""
    half = _stem(image := keras.Input((16, 16, 3)))
    down = layers.BatchNormalization()(BinaryConv2D(16, 3, strides=2, padding="same")(half))
    deep = layers.BatchNormalization()(BinaryConv2D(16, 3, padding="same", dilation_rate=2)(down))
    wide = layers.UpSampling2D(interpolation="bilinear")(deep)
    up = layers.BatchNormalization()(BinaryConv2DTranspose(16, 3, strides=2, padding="same", use_bias=False)(deep))
    x = layers.Concatenate()([wide, up])
    x = layers.BatchNormalization()(BinaryConv2D(16, 3, padding="same")(x))
    return keras.Model(image, layers.Conv2D(3, 1, name="head")(layers.UpSampling2D()(layers.Add()([x, half]))))


def lstm(unroll):
    """[N, 4, 16] to [N, 3], in a loop or written out."""
    x = keras.Input((4, 16))
    return keras.Model(x, layers.Dense(3, name="head")(layers.RNN(BinaryLstmCell(16), unroll=unroll)(x + 0.01)))


def bit():
    """A block of a binary transformer."""
    tokens = keras.Input((6, 16))
    x = layers.LayerNormalization()(layers.Add()([BinaryAttention()(tokens), tokens]))
    hidden = BinaryDense(16, name="down")(BinaryDense(32, name="up")(x))
    return keras.Model(tokens, layers.LayerNormalization()(layers.Add()([hidden, x])))


NETS = {
    "reactnet": (reactnet, 1),
    "mobile": (mobile, 1),
    "low_bit": (low_bit, 1),
    "bnext": (bnext, 1),
    "segmenter": (segmenter, 1),
    "lstm_rolled": (lambda: lstm(False), 4),
    "lstm_unrolled": (lambda: lstm(True), 1),
    "bit": (bit, 1),
}


def as_after_training(model, images, generator):
    """Random parameters where a fresh layer has none, and batch norms that know their inputs."""
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
    for variable in model.trainable_variables:
        if variable.name in ("gamma", "beta", "bias"):
            scale = 1.0 if variable.name == "gamma" else 0.3
            variable.assign(generator.normal(size=variable.shape) * scale)
    model(images, training=True)


def main(names):
    for name in names or NETS:
        keras.utils.set_random_seed(0)
        make, turns = NETS[name]  # a loop's body has its layers once
        model, generator = make(), np.random.default_rng(1)
        as_after_training(model, generator.normal(size=(64, *model.inputs[0].shape[1:])).astype(np.float32), generator)
        images = generator.normal(size=(64, *model.inputs[0].shape[1:])).astype(np.float32)
        inputs, layer_count = clear_inputs(lambda x, net=model: net(x, training=False), [images])
        outputs = [np.asarray(model(inputs[0], training=False))]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.tflite"
            model.export(str(path), format="litert", verbose=False)
            save(HERE / "keras3" / name, path.read_bytes(), inputs, outputs, layer_count // turns)


if __name__ == "__main__":
    main(sys.argv[1:])
