"""The small model that a method's layers are checked in."""

from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods import Method
from mobile_bnn.typing import KerasModel


def two_layers(method: Method) -> KerasModel:
    """Two layers and a shortcut, whose names are those of the zoo's networks: a method must not take them."""
    tf.keras.utils.set_random_seed(0)
    image = tf.keras.layers.Input((6, 6, 16))
    x = tf.keras.layers.BatchNormalization(name="conv1_norm")(method.conv2d(image, 16, 3, name="conv1"))
    x = method.shortcut(image, x, name="sum")
    x = tf.keras.layers.BatchNormalization(name="conv2_norm")(method.conv2d(x, 8, 3, strides=2, name="conv2"))
    return tf.keras.Model(image, x)


def step(method: Method, model: KerasModel) -> None:
    """A training step at the end of the method's schedules."""
    for schedule in method.all_schedules(model):
        schedule.variable.assign(schedule.value(tf.constant(1.0)))
    optimizer = method.optimizer(tf.keras.optimizers.Adam(1e-3), model)
    images = tf.random.normal((4, *model.input_shape[1:]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.cast(model(images, training=True), tf.float32) ** 2) + sum(model.losses)
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(
        (gradient, weight)
        for gradient, weight in zip(gradients, model.trainable_weights, strict=True)
        if gradient is not None
    )
