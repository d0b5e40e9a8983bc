"""QuickNet Small, Larq's network for fast inference on phones."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape


def _blur(shape: tuple[int, ...], dtype: Any = None, **_: Any) -> Any:
    """A fixed 3x3 binomial low-pass filter for a depthwise convolution, [3, 3, channels, 1]."""
    from mobile_bnn.legacy_keras import tf

    row = tf.constant([1.0, 2.0, 1.0], dtype) / 4.0
    return tf.broadcast_to((row[:, None] * row[None, :])[:, :, None, None], shape)


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import larq, tf

    layers = tf.keras.layers

    def norm(name: str) -> Any:
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")

    def depthwise(name: str, **options: Any) -> Any:
        return layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False, name=name, **options)

    def pointwise(filters: int, name: str) -> Any:
        return layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal", name=name)

    def stem(image: Any, filters: int) -> Any:
        x = layers.Conv2D(
            filters // 4, 3, strides=2, padding="same", use_bias=False, kernel_initializer="he_normal", name="stem_1"
        )(image)
        x = layers.ReLU(name="stem_1_relu")(norm("stem_1")(x))
        x = norm("stem_2")(depthwise("stem_2")(x))
        return norm("stem_3")(pointwise(filters, "stem_3")(x))

    def transition(x: Any, filters: int, name: str) -> Any:
        x = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(layers.ReLU(name=f"{name}_relu")(x))
        # The low-pass filter is a constant: blurring before the stride keeps shifted images alike.
        x = depthwise(f"{name}_blur", depthwise_initializer=_blur, trainable=False)(x)
        return norm(name)(pointwise(filters, name)(x))

    def binary_layer(x: Any, name: str) -> Any:
        y = larq.layers.QuantConv2D(
            x.shape[-1],
            3,
            **method.convolution(),
            activation="relu",
            kernel_initializer="glorot_normal",
            use_bias=False,
            name=f"{name}_conv",
        )(x)
        return layers.Add(name=f"{name}_add")([norm(f"{name}_conv")(y), x])

    image = layers.Input(input_shape, name="image")
    x = stem(image, 32)
    for stage, filters in enumerate((32, 64, 256, 512), 1):
        if stage > 1:
            x = transition(x, filters, f"transition{stage - 1}")
        for layer in range(1, 5):
            x = binary_layer(x, f"stage{stage}_{layer}")
    x = layers.GlobalAveragePooling2D(name="pool")(layers.ReLU(name="relu")(x))
    x = layers.Dense(num_classes, kernel_initializer="glorot_normal", activation="softmax", name="probabilities")(x)
    return tf.keras.Model(image, x, name="quicknet_small")


ARCHITECTURE = Architecture(
    name="quicknet_small",
    summary="a light real stem, 16 binary 3x3 convolutions (4 each of 32, 64, 256, 512 filters) with a real shortcut "
    "around each, blurred transitions",
    source="Bannink et al., Larq Compute Engine, MLSys 2021 (QuickNetSmall)",
    input_shape=(224, 224, 3),
    num_classes=1000,
    smallest_input=32,
    build=_build,
)
