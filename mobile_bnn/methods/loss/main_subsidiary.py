"""Main/Subsidiary networks: filters that are not needed are found layer after layer."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import Field

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.methods.quantization_error.xnor_net import XnorNet
from mobile_bnn.typing import KerasModel, KerasOptimizer, KerasTensor, LarqQuantizer, TfTensor


@register
class MainSubsidiary(XnorNet):
    """XNOR-Net with a learned mask of each binary layer's filters; formulas in `layers.filter_masks`."""

    card = Card(
        name="main_subsidiary",
        title="Main/Subsidiary Network",
        year=2019,
        paper="Xu, Dong, Li, Su: A Main/Subsidiary Network Framework for Simplifying Binary Neural Networks, CVPR 2019",
        category="loss",
        deploy_class="1",
        summary="XNOR-Net, whose filters are multiplied by the sign of a learned score, 1 or 0. Layer after layer the "
        "scores are learned while weights rest (subsidiary), then weights are trained on (main).",
        formula="weights  m·α·sign(w), m = (1 + sign(μ))/2 of each filter\nactivations  sign(a)\n"
        "gradients  as XNOR-Net's;  ½·1{|μ| < 1} for scores\nloss  + λ·Σ m",
        choices="The released loss counts scores that are not 0, which has no gradient; here it counts the filters "
        "that stay. A layer that is not reached yet has no mask, there it is multiplied by 1 + μ. Before the first "
        "layer the whole network is trained for base_share of the epochs; all steps are equally long. A filter that is "
        "masked stays in the file as one of zeros.",
        published=(Published(dataset="ImageNet", network="ResNet-18", top1=50.13, source="the paper's abstract"),),
    )
    strength: float = Field(1e-8, ge=0, allow_inf_nan=False, description="λ")
    base_share: float = Field(0.4, ge=0, lt=1, description="share of the epochs before the first layer's scores")

    def kernel_quantizer(self) -> LarqQuantizer:
        """m·α·sign(w)."""
        from mobile_bnn.layers.filter_masks import MaskedScaledSign

        return MaskedScaledSign(self.strength)

    def conv2d(self, x: KerasTensor, *shape: Any, binary_input: bool = True, name: str, **options: Any) -> KerasTensor:
        """A binary convolution with masks; one of a float input is XNOR-Net's."""
        convolution = super().conv2d if binary_input else self._unmasked().conv2d
        return convolution(x, *shape, binary_input=binary_input, name=name, **options)

    def dense(self, x: KerasTensor, units: int, *, binary_input: bool = True, name: str) -> KerasTensor:
        """A binary dense layer, XNOR-Net's: it has no filters."""
        return self._unmasked().dense(x, units, binary_input=binary_input, name=name)

    def _unmasked(self) -> XnorNet:
        shared = {name: getattr(self, name) for name in XnorNet.model_fields}
        return XnorNet(**shared).in_phase(self._phase)

    def stage(self, index: int, layers: int) -> Callable[[TfTensor], TfTensor]:
        """The stage of a layer as a function of the progress: not reached, learning, fixed."""
        from mobile_bnn.layers.filter_masks import FIXED, LEARNING, UNREACHED

        width = (1.0 - self.base_share) / (2 * layers)
        begin = self.base_share + 2 * index * width

        def value(progress: TfTensor) -> TfTensor:
            tf = keras2.tf
            return tf.where(progress < begin, UNREACHED, tf.where(progress < begin + width, LEARNING, FIXED))

        return value

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """The stage of every masked layer, from the input on."""
        from mobile_bnn.layers.filter_masks import masked_layers

        layers = masked_layers(model)
        stages = [layer.kernel_quantizer.stage for layer in layers]
        return [Schedule(stage, self.stage(index, len(layers))) for index, stage in enumerate(stages)]

    def optimizer(self, default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
        """The recipe's, which trains scores and weights by turns."""
        from mobile_bnn.layers.filter_masks import with_stages

        return super().optimizer(with_stages(default, model), model)
