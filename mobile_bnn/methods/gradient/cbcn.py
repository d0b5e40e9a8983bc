"""CBCN: filters that stand in four orientations."""

from collections.abc import Sequence
from typing import Any

from pydantic import model_validator

from mobile_bnn.errors import UsageError
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import LayerMaker, Method, register
from mobile_bnn.methods.quantizers import made_in_float32, sign
from mobile_bnn.typing import KerasTensor, LarqQuantizer


@register
class Cbcn(Method):
    """Circulant filters; formulas in `layers.circulant`."""

    card = Card(
        name="cbcn",
        title="Circulant Binary Convolutional Networks (CBCN)",
        year=2019,
        paper="Liu, Ding, Xia, Hu, Zhang, Liu, Zhuang, Guo: Circulant Binary Convolutional Networks: Enhancing the "
        "Performance of 1-bit DCNNs with Circulant Back Propagation, CVPR 2019",
        category="gradient",
        deploy_class="1",
        summary="every binary filter stands in a layer four times, turned by quarters, with its input orientations "
        "moved on; the gradients of the four are turned back and added up. Bi-Real Net's gradients.",
        formula="kernel  of each learned w: rot^r(w) for r = 0 … 3, its slice of orientation i moved to i + r mod 4\n"
        "weights  α·sign, α = mean|w| of the layer\nactivations  sign(a)\n"
        "gradients  (2 − 2|x|)₊, for weights also through α",
        choices="A layer has as many channels as in another method, a quarter of them learned; the authors' networks "
        "have four times as many, all of them learned, so their numbers are of wider networks. The first layer and "
        "dense layers are not circulant. Their later fine-tuning with a centre loss is left out, as in their code.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18 4x wide", top1=61.4, source="the authors' README"),
        ),
    )

    @model_validator(mode="after")
    def _has_latent_weights(self) -> "Cbcn":
        if self.bop:
            raise ValueError("bop: trains every filter by itself, and circulant ones are one")
        return self

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w), of layers that are not circulant."""
        return sign("piecewise_polynomial", scale="layer_mean")

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward (2 − 2|a|)₊."""
        return sign("piecewise_polynomial")

    def conv2d(
        self,
        x: KerasTensor,
        filters: int,
        kernel_size: int | Sequence[int],
        *,
        groups: int = 1,
        binary_input: bool = True,
        name: str,
        **options: Any,
    ) -> KerasTensor:
        """A circulant convolution; one of a float input is an ordinary one.

        Raises:
            UsageError: channels or filters are not a multiple of 4, the kernel is not square, or there are groups.
        """
        if not binary_input:
            return super().conv2d(x, filters, kernel_size, groups=groups, binary_input=False, name=name, **options)
        size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        if x.shape[-1] % 4 or filters % 4 or size[0] != size[1] or groups > 1:
            raise UsageError(
                f"cbcn cannot make layer {name}",
                why=f"circulant filters are square, of maps and filters in fours, without groups; this has {size[0]}x"
                f"{size[1]} filters, {x.shape[-1]} channels, {filters} filters and {groups} groups",
                cure="Choose another network or another method",
            )
        from mobile_bnn.layers.circulant import Circulant, CirculantConv2D

        with made_in_float32():
            circulant = Circulant(self._phase.binarize_kernels)
        quantizers = {**self.layer_options(), "kernel_quantizer": circulant}
        pad_value, dilation = options.pop("pad_value", None), options.pop("dilation", 1)
        maker: LayerMaker = CirculantConv2D
        if options.setdefault("padding", "same") == "symmetric":
            maker, options["padding"] = self.symmetric_maker(maker, options.get("strides", 1), name), "same"
        if options["padding"] == "same":
            options["pad_values"] = self.padded_by(pad_value)
        return maker(filters, size, dilation_rate=dilation, use_bias=False, name=name, **options, **quantizers)(x)
