"""Quantization Networks: sigmoids that steepen into steps."""

import math
from collections.abc import Sequence

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.typing import KerasModel, LarqQuantizer, TfTensor


@register
class QuantizationNetworks(Method):
    """Weights {−α, α} and activations {0, α} by sigmoids of a growing temperature; formulas in `layers.soft_steps`."""

    card = Card(
        name="quantization_networks",
        title="Quantization Networks",
        year=2019,
        paper="Yang, Shen, Xing, Tian, Li, Deng, Huang, Hua: Quantization Networks, CVPR 2019",
        category="gradient",
        deploy_class="1r",
        summary="while it trains a quantizer is a sigmoid, with the sigmoid's own derivative; its temperature grows "
        "until it is a step, which is what the file computes.",
        formula="weights  α·(2σ(Tβw) − 1), at inference ±α\nactivations  α·σ(T(βa − ½)), at inference 0 or α\n"
        "T grows linearly from temperature by growth for each share of the training; α and β by backpropagation",
        choices="At one bit of both. The authors begin with a float model, cluster its activations for the threshold b "
        "and quantize weights, activations and both in three trainings; here b = ½ and one training.",
        short_training={"last_temperature": 50.0},  # at 500 the steps are hard in the second epoch
        published=(
            Published(dataset="ImageNet", network="AlexNet", top1=47.9, source="the paper"),
            Published(dataset="ImageNet", network="ResNet-18", top1=53.6, source="the paper"),
        ),
    )
    pad_value = 0.0
    clip: Clip = math.inf
    beta: float = Field(1.25, gt=0, allow_inf_nan=False, description="β at the start: 5p/(4q) with p = q; α is 1/β")
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False, description="T at the start")
    last_temperature: float = Field(500.0, gt=0, allow_inf_nan=False, description="T at the end")

    def kernel_quantizer(self) -> LarqQuantizer:
        """±α."""
        return self._quantizer(signed=True)

    def input_quantizer(self) -> LarqQuantizer:
        """0 or α."""
        return self._quantizer(signed=False)

    def _quantizer(self, signed: bool) -> LarqQuantizer:
        from mobile_bnn.layers.soft_steps import SigmoidStep

        return SigmoidStep(signed, self.beta, self.temperature)

    def temperature_at(self, progress: TfTensor) -> TfTensor:
        """T."""
        return self.temperature + (self.last_temperature - self.temperature) * progress

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """T of every quantizer."""
        from mobile_bnn.layers.scheduled import quantizers_of
        from mobile_bnn.layers.soft_steps import SigmoidStep

        return [
            Schedule(q.temperature, self.temperature_at) for q in quantizers_of(model) if isinstance(q, SigmoidStep)
        ]
