"""LAB: the scale of binary weights that costs the loss least."""

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasModel, KerasOptimizer, LarqQuantizer


@register
class Lab(Method):
    """Weights scaled by their curvature's mean; formulas in `layers.loss_aware`."""

    card = Card(
        name="lab",
        title="Loss-aware Binarization (LAB2)",
        year=2017,
        paper="Hou, Yao, Kwok: Loss-aware Binarization of Deep Networks, ICLR 2017",
        category="loss",
        deploy_class="1",
        summary="α·sign(w) where α is the mean magnitude weighted by the loss's curvature, for which the square "
        "root of "
        "the optimizer's second moment stands; the sign of activations.",
        formula="weights  α·sign(w), α = ‖d ⊙ w‖₁/‖d‖₁ of the layer, d = √v + 1e-8, v the moving average of g²\n"
        "activations  sign(a)\ngradients  1{|a| ≤ 1};  g for weights, clipped to ±1 after each step",
        choices="As in the authors' code v is that of the step before, with a decay of 0.999 and without bias "
        "correction; the paper's d has it, and 1/η, which α does not see.",
        published=(Published(dataset="CIFAR-10", network="LAB's own", top1=87.72, source="the paper"),),
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w), backward the identity."""
        from mobile_bnn.layers.loss_aware import LossAwareSign

        return LossAwareSign()

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward 1{|a| ≤ 1}."""
        return sign()

    def optimizer(self, default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
        """The recipe's, which keeps the curvatures."""
        from mobile_bnn.layers.loss_aware import with_curvature

        return with_curvature(default, model)
