"""Model architectures, each with any method.

    from mobile_bnn import zoo

    model = zoo.build("resnet20", method="bi_real", input_shape=(32, 32, 3), num_classes=10)

Listing the zoo loads no TensorFlow; building does.
"""

from collections.abc import Sequence
from typing import Any

from mobile_bnn import methods
from mobile_bnn.errors import UsageError
from mobile_bnn.names import look_up
from mobile_bnn.zoo import (
    binary_alexnet,
    binary_densenet,
    binary_lenet,
    binary_net,
    binary_resnet_e18,
    birealnet18,
    dorefa_net,
    meliusnet22,
    quicknet,
    real_to_binary_net,
    resnet20,
    xnornet,
)
from mobile_bnn.zoo.architecture import Architecture

_ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        binary_alexnet.ARCHITECTURE,
        *binary_densenet.ARCHITECTURES,
        binary_lenet.ARCHITECTURE,
        binary_net.ARCHITECTURE,
        binary_resnet_e18.ARCHITECTURE,
        birealnet18.ARCHITECTURE,
        dorefa_net.ARCHITECTURE,
        meliusnet22.ARCHITECTURE,
        *quicknet.ARCHITECTURES,
        real_to_binary_net.ARCHITECTURE,
        resnet20.ARCHITECTURE,
        xnornet.ARCHITECTURE,
    )
}


def names() -> list[str]:
    """The names of all architectures, sorted."""
    return sorted(_ARCHITECTURES)


def get(name: str) -> Architecture:
    """The architecture called `name`.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    return look_up("zoo model", name, _ARCHITECTURES)


def build(
    name: str,
    method: str | methods.Method = "bnn",
    input_shape: Sequence[int] | None = None,
    num_classes: int | None = None,
) -> Any:
    """Builds an architecture with a method's quantizers, randomly initialized.

    Args:
        name: one of `names()`.
        method: a name of `mobile_bnn.methods`, or a record.
        input_shape: (height, width, channels) of float32 images; the architecture's own by default.
        num_classes: length of the output, a softmax; the architecture's own by default.

    Returns:
        A `tf.keras.Model` from float32 [batch, height, width, channels] to probabilities [batch, num_classes].

    Raises:
        UsageError: unknown name, or a shape that the architecture cannot take.
    """
    architecture = get(name)
    record = methods.get(method) if isinstance(method, str) else method
    shape = architecture.input_shape if input_shape is None else tuple(input_shape)
    if len(shape) != 3 or min(shape) < 1:
        raise UsageError(f"input_shape must be (height, width, channels), not {shape}")
    if min(shape[:2]) < architecture.smallest_input:
        raise UsageError(
            f"{name} cannot take images of {shape[0]}x{shape[1]}",
            why=f"it needs at least {architecture.smallest_input}x{architecture.smallest_input}",
            cure="Choose another net or, for images that vary in size, a larger --set image_size=N",
        )
    classes = architecture.num_classes if num_classes is None else num_classes
    if classes < 2:
        raise UsageError(f"num_classes must be at least 2, not {classes}")
    return architecture.build(record, shape, classes)


__all__ = ["Architecture", "build", "get", "names"]
