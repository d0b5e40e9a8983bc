"""BNext's quantizers: wide gradients of activations, weights that harden while the network trains."""

from collections.abc import Sequence

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasModel, LarqQuantizer, TfTensor


@register
class BNext(Method):
    """Softened signs of weights; formulas in `layers.softened_sign`."""

    card = Card(
        name="bnext",
        title="BNext (its quantizers)",
        year=2022,
        paper="Guo, Bethge, Yang, Zhu, Meinel: Join the High Accuracy Club on ImageNet with a Binary Neural Network "
        "Ticket, arXiv:2211.12933",
        category="beyond the survey",
        deploy_class="1",
        summary="sign of activations, whose gradient passes up to ±1.5; weights are clipped linear functions that "
        "steepen until they are signs, and stay in ±1.5.",
        formula="weights  clip(w/T, −1, 1), at inference and for T < 1e-7 sign(w)\nactivations  sign(a)\n"
        "gradients  1{|a| ≤ 1.5};  g for weights, clipped to ±1.5 after each step\nT = decay^(decays·progress)",
        choices="The authors' code multiplies T by 0.9 in each of 512 epochs, and sign(0) is 0 there; here it takes as "
        "many decays, however many epochs there are. It evaluates soft weights while they are soft, here the signs. "
        "Only the quantizers: their blocks with gates belong to a network, their several teachers to the recipe's "
        "[teacher].",
        published=(
            Published(dataset="ImageNet", network="BNext-T", top1=72.4, source="the authors' README"),
            Published(dataset="ImageNet", network="BNext-L", top1=80.6, source="the authors' README"),
        ),
    )
    clip: Clip = 1.5
    decay: float = Field(0.9, gt=0, lt=1, description="what T is multiplied by at a time")
    decays: int = Field(512, ge=1, description="how often that is until the end")

    def kernel_quantizer(self) -> LarqQuantizer:
        """clip(w/T, −1, 1)."""
        from mobile_bnn.layers.softened_sign import SoftenedSign

        return SoftenedSign()

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward 1{|a| ≤ 1.5}."""
        return sign("straight_through", 1.5)

    def temperature(self, progress: TfTensor) -> TfTensor:
        """T: decay^floor(decays · progress)."""
        from mobile_bnn.legacy_keras import tf

        return self.decay ** tf.floor(self.decays * progress)

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """T of every kernel."""
        from mobile_bnn.layers.scheduled import quantizers_of
        from mobile_bnn.layers.softened_sign import SoftenedSign

        return [Schedule(q.temperature, self.temperature) for q in quantizers_of(model) if isinstance(q, SoftenedSign)]
