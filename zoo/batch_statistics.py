"""Random networks as after a training in one respect: their batch norms know what goes in."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.typing import Array, KerasModel


def observe(model: KerasModel, images: Array) -> None:
    """Gives every batch norm the statistics of a batch of images.

    Without that activations shrink from layer to layer, or are sums of few numbers that are often exactly 0.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras2.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(images, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
