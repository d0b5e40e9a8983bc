"""The real-valued layers that the residual and dense networks share: batch norm, convolution, stem, classifier."""

from typing import Any


def norm(name: str) -> Any:
    """A batch normalization, named after the layer that it follows."""
    from mobile_bnn.legacy_keras import tf

    return tf.keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")


def real_conv(filters: int, size: int, name: str, strides: int = 1, groups: int = 1) -> Any:
    """A real-valued convolution without bias."""
    from mobile_bnn.legacy_keras import tf

    return tf.keras.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        groups=groups,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )


def stem(image: Any, activation: Any | None = None) -> Any:
    """ResNet's: a 7x7 convolution of 64 filters and a maximum pooling, from [N, H, W, C] to [N, H / 4, W / 4, 64]."""
    from mobile_bnn.legacy_keras import tf

    x = norm("stem")(real_conv(64, 7, "stem", strides=2)(image))
    if activation is not None:
        x = activation(x)
    return tf.keras.layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)


def probabilities(x: Any, num_classes: int) -> Any:
    """A real-valued dense layer over the mean of all pixels, and a softmax."""
    from mobile_bnn.legacy_keras import tf

    x = tf.keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return tf.keras.layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
