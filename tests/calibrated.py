"""Networks as after a training, without one: every batch norm knows its input and shifts and scales it."""

from typing import Any

import numpy as np


def calibrated(model: Any, seed: int = 0, input_shape: tuple[int, ...] | None = None) -> Any:
    """Gives every batch norm random gammas (of both signs) and betas, and the statistics of a batch of noise.

    Statistics that were random too would let a constant drown the image: an error in a layer could not be seen behind.

    Args:
        model: a Keras model whose inputs are known; it is changed.
        seed: of all that is random.
        input_shape: of the noise, where the model leaves sizes open.
    """
    from mobile_bnn.converters.keras.layers import flatten
    from mobile_bnn.legacy_keras import tf

    generator = np.random.default_rng(seed)
    norms = [layer for layer in flatten(model) if isinstance(layer, tf.keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
        for weight in norm.trainable_weights:
            weight.assign(generator.normal(size=weight.shape))
    shapes = [input_shape or tensor.shape[1:] for tensor in model.inputs]
    noise = [generator.normal(size=(4, *shape)).astype(np.float32) for shape in shapes]
    model(noise if len(noise) > 1 else noise[0], training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model
