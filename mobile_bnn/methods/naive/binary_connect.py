"""BinaryConnect: binary weights in the forward and the backward pass, real ones in the update."""

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.float_inputs import FloatInputs
from mobile_bnn.methods.method import register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasModel, KerasOptimizer, LarqQuantizer


@register
class BinaryConnect(FloatInputs):
    """The sign of weights; the step is longer the more inputs and outputs a layer has."""

    card = Card(
        name="binary_connect",
        title="BinaryConnect",
        year=2015,
        paper="Courbariaux, Bengio, David: BinaryConnect: Training Deep Neural Networks with Binary Weights during "
        "Propagations, NeurIPS 2015",
        category="naive",
        deploy_class="W",
        summary="sign of weights in both passes, whose gradient is applied to real weights; activations stay float.",
        formula="weights  sign(w)\nactivations  max(a, 0)\ngradients  g, and w is clipped to ±1 after each step\n"
        "step  times 1/√(1.5/(fan_in + fan_out))",
        choices="The deterministic form. A net of the stochastic one is tested with its real weights, so nothing of it "
        "is binary on a device.",
        published=(
            Published(dataset="CIFAR-10", network="LAB's own", bits="1/32", top1=90.14, source="the paper of LAB"),
        ),
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """sign(w), backward the identity."""
        return sign("identity")

    def optimizer(self, default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
        """The recipe's, with longer steps of binary kernels."""
        from mobile_bnn.layers.scaled_updates import with_glorot_factors

        return super().optimizer(with_glorot_factors(default, model), model)
