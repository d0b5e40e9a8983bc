"""One block of each well-known binary network."""

from matrix.family import ONES, ZEROS, Family, block, conv, norm, op, sign, valid
from matrix.quantizers import Shift, hwgq, pact, xnor_kernel

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor

layers = tf.keras.layers


def _bireal_down(x: KerasTensor) -> KerasTensor:
    """Bi-Real Net: the shortcut is pooled, and goes through a float convolution."""
    y = norm()(conv(64, strides=2)(x))
    shortcut = norm()(layers.Conv2D(64, 1, use_bias=False)(layers.AveragePooling2D()(x)))
    y = layers.Add()([y, shortcut])
    return layers.Add()([y, norm()(conv(64)(y))])


def _rprelu(x: KerasTensor) -> KerasTensor:
    return Shift()(layers.PReLU(shared_axes=[1, 2])(Shift()(x)))


def _react_net(x: KerasTensor) -> KerasTensor:
    y = _rprelu(layers.Add()([x, norm()(conv(32)(Shift()(x)))]))
    left, right = (_rprelu(layers.Add()([y, norm()(conv(32, 1)(Shift()(y)))])) for _ in range(2))
    return layers.Concatenate()([left, right])


def _dense_net(x: KerasTensor) -> KerasTensor:
    for _ in range(3):
        x = layers.Concatenate()([x, conv(16, **ONES)(norm()(x))])
    return conv(32, 1)(layers.MaxPool2D()(norm()(x)))


def _melius_net(x: KerasTensor) -> KerasTensor:
    """A dense block, then an improvement of its newest channels alone."""
    x = layers.Concatenate()([x, conv(32)(norm()(x))])
    better = conv(32)(norm()(x))
    return op(lambda pair: tf.concat([pair[0][..., :-32], pair[0][..., -32:] + pair[1]], -1))([x, better])


def _real_to_binary(x: KerasTensor) -> KerasTensor:
    signs = norm()(x)
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(signs)
    scale = layers.Dense(40, "sigmoid")(layers.Dense(5, "relu")(pooled))
    y = layers.Multiply()([conv(40, kernel_quantizer="ste_sign", **ZEROS)(signs), scale])
    return layers.Add()([norm()(layers.PReLU(shared_axes=[1, 2])(y)), x])


def _quick_net(x: KerasTensor) -> KerasTensor:
    for _ in range(2):
        x = layers.Add()([x, norm()(conv(32, activation="relu")(x))])
    y = layers.MaxPool2D(3, 1)(layers.ReLU()(x))
    y = layers.DepthwiseConv2D(3, 2, "same", use_bias=False)(y)
    y = norm()(layers.Conv2D(64, 1, use_bias=False)(y))
    return layers.Add()([y, norm()(conv(64, activation="relu")(y))])


def _binary_alex_net(x: KerasTensor) -> KerasTensor:
    x = norm(scale=False)(layers.MaxPool2D(3, 2)(conv(32, **ZEROS)(x)))
    x = layers.Flatten()(norm(scale=False)(conv(32, **ZEROS)(x)))
    for units in (24, 10):
        x = larq.layers.QuantDense(units, input_quantizer="ste_sign", kernel_quantizer="ste_sign", use_bias=False)(x)
        x = norm(scale=False)(x)
    return layers.Softmax()(x)


def _xnor_net(x: KerasTensor) -> KerasTensor:
    for filters in (32, 24):
        x = norm(momentum=0.9, scale=False)(x)
        x = conv(filters, kernel_quantizer=xnor_kernel, activation="relu", use_bias=True, **ZEROS)(x)
    return layers.MaxPool2D(3, 2)(x)


def _dorefa_net(x: KerasTensor) -> KerasTensor:
    def weights(kernel: KerasTensor) -> KerasTensor:
        return larq.quantizers.DoReFa(1, mode="weights")(kernel)

    x = norm()(conv(32, input_quantizer=pact, kernel_quantizer=weights, **ZEROS)(x))
    x = norm()(layers.MaxPool2D(3, 2, "same")(conv(32, input_quantizer=pact, kernel_quantizer=weights, **ZEROS)(x)))
    return larq.layers.QuantDense(12, input_quantizer=pact, kernel_quantizer=weights)(layers.Flatten()(x))


def _abc_net(x: KerasTensor) -> KerasTensor:
    """Several bases: one convolution for each shift of the input and each part of the filter."""
    terms = [
        op(lambda y, scale=scale: y * scale)(conv(32)(op(lambda y, shift=shift: y - shift)(x)))
        for shift, scale in ((-0.5, 0.7), (0.5, 0.3), (0.0, 0.1))
    ]
    return norm()(layers.Add()(terms))


def _mobile_net(x: KerasTensor) -> KerasTensor:
    """Binary depthwise and pointwise convolutions, each after its own sign."""
    y = larq.layers.QuantDepthwiseConv2D(
        3, input_quantizer="ste_sign", depthwise_quantizer="ste_sign", use_bias=False, **ONES
    )(x)
    return norm()(conv(64, 1)(norm()(y)))


def _hwgq_net(x: KerasTensor) -> KerasTensor:
    x = norm()(conv(32, input_quantizer=hwgq, **ZEROS)(x))
    return norm()(conv(32, input_quantizer=hwgq, **ZEROS)(layers.MaxPool2D()(x)))


def _group_net(x: KerasTensor) -> KerasTensor:
    """GroupNet: parallel binary bases of one residual block, added."""
    bases = [layers.Add()([x, norm()(conv(40)(x))]) for _ in range(3)]
    return layers.Add()([norm()(conv(40)(base)) for base in bases])


def _u_net(x: KerasTensor) -> KerasTensor:
    """Down and up again, with a shortcut that is concatenated."""
    y = norm()(conv(32)(x))
    down = norm()(conv(32)(layers.MaxPool2D()(y)))
    return conv(16)(layers.Concatenate()([y, layers.UpSampling2D()(down)]))


def _detector(x: KerasTensor) -> KerasTensor:
    """Heads on two scales, whose boxes and classes are concatenated."""
    near = norm()(conv(32)(x))
    far = norm()(conv(32, strides=2)(near))
    classes = [layers.Reshape((-1, 3))(layers.Conv2D(6, 3, padding="same")(scale)) for scale in (near, far)]
    boxes = [layers.Reshape((-1, 4))(conv(8, use_bias=True)(scale)) for scale in (near, far)]
    return [layers.Softmax()(layers.Concatenate(1)(classes)), layers.Concatenate(1)(boxes)]


def _segmentation(x: KerasTensor) -> KerasTensor:
    """Dilated convolutions far down, enlarged bilinearly, beside a shortcut; the last layer is transposed."""
    top = norm()(conv(32)(x))
    y = norm()(conv(32, dilation_rate=2)(norm()(conv(32, strides=2)(top))))
    y = layers.UpSampling2D(2, interpolation="bilinear")(norm()(conv(32, dilation_rate=3, **ZEROS)(y)))
    y = norm()(conv(32)(layers.Concatenate()([y, top])))
    return layers.Softmax()(layers.Conv2DTranspose(6, 3, strides=2, padding="same")(y))


def _ada_bin(x: KerasTensor) -> KerasTensor:
    """AdaBin: both the filter and its input have two values that are not opposite, each channel its own."""

    def weights(kernel: KerasTensor) -> KerasTensor:
        middle = tf.reduce_mean(kernel, [0, 1, 2], keepdims=True)
        return middle + tf.math.reduce_std(kernel, [0, 1, 2], keepdims=True) * sign(kernel - middle)

    def values(y: KerasTensor) -> KerasTensor:
        return 0.25 + 0.75 * sign(y - 0.25)

    for _ in range(2):
        x = norm()(conv(32, input_quantizer=values, kernel_quantizer=weights, **ZEROS)(x))
    return x


def _horq(x: KerasTensor) -> KerasTensor:
    """HORQ: the sign of the input, and the sign of what that leaves, each scaled by its mean size."""
    terms = []
    for _ in range(2):
        size = op(lambda y: tf.reduce_mean(tf.abs(y), [1, 2, 3], keepdims=True))(x)
        signs = op(sign)(x)
        terms.append(layers.Multiply()([conv(32, input_quantizer=None)(signs), size]))
        x = layers.Subtract()([x, layers.Multiply()([signs, size])])
    return layers.Add()(terms)


def _insta_bnn(x: KerasTensor) -> KerasTensor:
    """INSTA-BNN: the thresholds of the channels depend on the image."""
    threshold = op(lambda y: 0.5 * tf.reduce_mean(y, [1, 2], keepdims=True))(x)
    return norm()(conv(32)(layers.Subtract()([x, threshold])))


def _fixed_scale(x: KerasTensor) -> KerasTensor:
    """A float stem, a sign written by hand, and a classifier."""
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = valid(32, 3, input_quantizer=lambda y: 2.0 * tf.cast(y > 0.25, tf.float32) - 1.0)(x)
    return layers.Dense(10, "softmax")(layers.Flatten()(norm()(x)))


FAMILIES = [
    Family("Bi-Real Net, downsampling", block(_bireal_down), {"LceBconv2d": 2}),
    Family("ReActNet", block(_react_net, (6, 6, 32)), {"LceBconv2d": 3}),
    Family("BinaryDenseNet", block(_dense_net), {"LceBconv2d": 4}),
    Family("MeliusNet", block(_melius_net), {"LceBconv2d": 2}),
    Family("Real-to-Binary", block(_real_to_binary), {"LceBconv2d": 1}),
    Family("QuickNet, with a transition", block(_quick_net, (8, 8, 32)), {"LceBconv2d": 3}),
    Family("BinaryAlexNet", block(_binary_alex_net), {"LceBconv2d": 4, "FULLY_CONNECTED": 0}),
    Family("XNOR-Net", block(_xnor_net), {"LceBconv2d": 2}),
    Family("DoReFa-Net, 1-bit filters and 2-bit activations", block(_dorefa_net), {"CONV_2D": 0, "FULLY_CONNECTED": 0}),
    Family("ABC-Net", block(_abc_net), {"LceBconv2d": 3}),
    Family("MobileNet, binary", block(_mobile_net, (6, 6, 32)), {"DEPTHWISE_CONV_2D": 0}),
    Family("HWGQ-Net", block(_hwgq_net), {"CONV_2D": 0}),
    Family("GroupNet", block(_group_net), {"LceBconv2d": 6}),
    Family("U-Net, binary", block(_u_net), {"LceBconv2d": 3}),
    Family("detector: two heads on two scales", block(_detector), {"LceBconv2d": 4}),
    Family("segmentation", block(_segmentation), {"LceBconv2d": 5}),
    Family("AdaBin", block(_ada_bin), {"CONV_2D": 0}),
    Family("HORQ", block(_horq), {"LceBconv2d": 2}),
    Family("INSTA-BNN", block(_insta_bnn), {"LceBconv2d": 1}),
    Family("a stem, a step, a classifier", block(_fixed_scale, (9, 9, 3)), {"LceBconv2d": 1}),
]
