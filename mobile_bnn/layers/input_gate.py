"""A gate computed from a convolution's input: a factor in (0, 1) for each of its output channels."""

from mobile_bnn.legacy_keras import layers
from mobile_bnn.typing import KerasTensor


def input_gate(x: KerasTensor, filters: int, reduction: int, name: str) -> KerasTensor:
    """σ(W₂·max(W₁·mean(x), 0)) with the mean over all places: float32 [n, 1, 1, filters] of [n, h, w, c].

    Real-to-Binary Nets (Martinez et al. 2020), section 4.3; without biases, as in Larq Zoo.

    Args:
        x: the float map.
        filters: channels that are gated.
        reduction: r; the layer in between has c/r units, at least one.
        name: of the layers, before "_mean", "_squeeze" and "_expand".
    """
    mean = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    units = max(x.shape[-1] // reduction, 1)
    squeezed = layers.Dense(units, "relu", use_bias=False, name=f"{name}_squeeze")(mean)
    return layers.Dense(filters, "sigmoid", use_bias=False, name=f"{name}_expand")(squeezed)
