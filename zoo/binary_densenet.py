"""BinaryDenseNet in four sizes: every binary layer reads all channels that were made before it, and adds 64."""

from collections.abc import Sequence

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks.dense_stages import append, norm, transition
from mobile_bnn.zoo.blocks.real_layers import stem
from mobile_bnn.zoo.network_options import Padded


def _register(
    name: str,
    top1: float,
    layers_of: Sequence[int],
    transitions: Sequence[int],
    dilations: Sequence[int] = (1, 1, 1, 1),
) -> None:
    """Registers a network whose stage i has layers_of[i] binary layers and is left by transitions[i] filters."""
    dilated = f", dilated by {', '.join(map(str, dilations))}" if max(dilations) > 1 else ""

    @register(
        name,
        summary=f"a real 7x7 convolution, {sum(layers_of)} binary 3x3 ones ({', '.join(map(str, layers_of))} of 64 "
        f"filters{dilated}), each appended to the channels that it reads, real transitions",
        source="Bethge et al., Back to Simplicity: How to Train Accurate BNNs from Scratch?, arXiv:1906.08637, 2019",
        options=Padded,
        pad_value=0.0,
        published=(Published(dataset="ImageNet", network="BinaryDenseNet", top1=top1, source="Larq Zoo"),),
    )
    def binary_densenet(method: Method, image: KerasTensor) -> Features:
        layers, features, stride = keras2.layers, Features(), 4
        x = stem(image, layers.ReLU(name="stem_relu"), epsilon=1e-5)
        for stage, (count, dilation) in enumerate(zip(layers_of, dilations, strict=True), 1):
            if stage > 1:
                # A dilated stage sees as far as a pooled one would, and keeps the map's size.
                pooling = "valid" if dilation == 1 else None
                x = transition(x, transitions[stage - 2], f"transition{stage - 1}", pooling)
                stride *= 2 if dilation == 1 else 1
            for layer in range(1, count + 1):
                x = append(x, method, f"stage{stage}_{layer}", dilation)
            features[stride] = x
        return {**features, stride: layers.ReLU(name="relu")(norm("last")(x))}


_register("binary_densenet28", 60.91, layers_of=(6, 6, 6, 5), transitions=(160, 192, 256))
_register("binary_densenet37", 62.89, layers_of=(6, 8, 12, 6), transitions=(128, 192, 256))
_register(
    "binary_densenet37_dilated", 64.34, layers_of=(6, 8, 12, 6), transitions=(128, 192, 256), dilations=(1, 1, 2, 4)
)
_register("binary_densenet45", 64.59, layers_of=(6, 12, 14, 8), transitions=(160, 288, 288))
