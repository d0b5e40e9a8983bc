"""Networks as after a training, without one: every batch norm knows its input and shifts and scales it."""

from typing import Any

import numpy as np


def calibrated(model: Any, seed: int = 0) -> Any:
    """Gives every batch norm random gammas (of both signs) and betas, and the statistics of a batch of noise.

    Statistics that were random too would let a constant drown the image: an error in a layer could not be seen behind.
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
    noise = [generator.normal(size=(4, *tensor.shape[1:])).astype(np.float32) for tensor in model.inputs]
    model(noise if len(noise) > 1 else noise[0], training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model
