"""PokeBNN at any multiplier: bottlenecks of binary convolutions that are gated and have a shortcut each.

The stem, the gates and the head, which the reference computes with 8 and 4 bits, are float here; its binarization is
the method `poke_bnn`. Where the reference averages a shortcut over 3x3 pixels, those outside the map do not count here.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, create_model

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.poke_conv import activated, bottleneck, norm
from mobile_bnn.zoo.network_options import Padded

_SOURCE = "Zhang, Zhang, Lew, PokeBNN: A Binary Pursuit of Lightweight Accuracy, CVPR 2022"


class PokeOptions(Padded):
    """Of PokeBNN."""

    multiplier: Annotated[float, Field(gt=0, le=4)] = Field(
        1.0, description="factor of the filters of every bottleneck, rounded down"
    )

    def width(self, filters: int) -> int:
        """A number of filters with the multiplier, 1 at least."""
        return max(1, int(filters * self.multiplier))


def _stages(
    x: KerasTensor, method: Method, groups: Sequence[tuple[int, int]], network: PokeOptions, stride: int
) -> Features:
    """Groups of (width, bottlenecks) after a map of this stride; every group but the first halves height and width."""
    features = Features()
    for group, (filters, count) in enumerate(groups, 1):
        for block in range(1, count + 1):
            strides = 2 if block == 1 and group > 1 else 1
            x = bottleneck(x, method, network.width(filters), strides, f"group{group}_{block}")
        features[stride * 2 ** (group - 1)] = x
    return features


def _stem(image: KerasTensor, filters: int, size: int, strides: int, padding: str) -> KerasTensor:
    """A convolution, and a 3x3 one with two filters for each of its channels."""
    first = keras2.layers.Conv2D(
        filters, size, strides, padding, use_bias=False, kernel_initializer="he_normal", name="stem_1"
    )
    x = activated(norm("stem_1")(first(image)), "stem_1")
    second = keras2.layers.DepthwiseConv2D(
        3, depth_multiplier=2, padding="same", use_bias=False, depthwise_initializer="he_normal", name="stem_2"
    )
    x = second(x)
    return activated(norm("stem_2")(x), "stem_2")


def _register(name: str, multiplier: float, *published: Published) -> None:
    """Registers PokeBNN with a multiplier, which options may change."""
    field = PokeOptions.model_fields["multiplier"]
    described = Field(multiplier, gt=0, le=4, description=field.description)

    @register(
        name,
        summary="a light real stem with a stride of 4, 48 binary convolutions in 16 bottlenecks (3, 4, 6, 3 of width "
        f"64, 128, 256, 512 times {multiplier:g}), each with a shortcut and a gate of its input's means",
        source=_SOURCE,
        offers=SHORTCUT,
        options=create_model(f"PokeOptions{name[-3:]}", __base__=PokeOptions, multiplier=(float, described)),
        pad_value=0.0,
        published=published,
    )
    def pokebnn(method: Method, image: KerasTensor, network: PokeOptions) -> Features:
        x = _stem(image, 32, 4, 4, "valid")
        return _stages(x, method, ((64, 3), (128, 4), (256, 6), (512, 3)), network, stride=4)


def _imagenet(network: str, top1: float, source: str) -> Published:
    return Published(dataset="ImageNet", network=network, top1=top1, source=source)


_register("pokebnn_050", 0.5, _imagenet("PokeBNN-0.5x", 65.2, "Papers with Code"))
_register("pokebnn_075", 0.75, _imagenet("PokeBNN-0.75x", 70.5, "the paper's abstract, matched by its cost of 2.6 ACE"))
_register("pokebnn_100", 1.0, _imagenet("PokeBNN-1.0x", 73.4, "Papers with Code"))
_register("pokebnn_140", 1.4, _imagenet("PokeBNN-1.4x", 75.6, "the paper's abstract, matched by its cost of 7.8 ACE"))


@register(
    "pokebnn_small",
    summary="PokeBNN for images of 28 to 64 pixels: a real stem without a stride, 18 binary convolutions in 6 "
    "bottlenecks (2 each of width 8, 32, 64), each with a shortcut and a gate of its input's means",
    source=f"{_SOURCE}; the stem and the groups are this zoo's",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=4,
    offers=SHORTCUT,
    options=PokeOptions,
    pad_value=0.0,
)
def pokebnn_small(method: Method, image: KerasTensor, network: PokeOptions) -> Features:
    """Three groups after a stem of 3x3 filters."""
    return _stages(_stem(image, 16, 3, 1, "same"), method, ((8, 2), (32, 2), (64, 2)), network, stride=1)
