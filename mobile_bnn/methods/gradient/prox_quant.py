"""ProxQuant: real weights that a proximal step draws to ±1."""

from collections.abc import Sequence

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.float_inputs import FloatInputs
from mobile_bnn.methods.method import register
from mobile_bnn.methods.plan import Phase, Schedule, has_float_kernel
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasConstraint, KerasModel, LarqQuantizer, TfTensor


@register
class ProxQuant(FloatInputs):
    """Training with float weights, with a proximal operator after each step; formulas in `layers.constraints`."""

    card = Card(
        name="prox_quant",
        title="ProxQuant",
        year=2019,
        paper="Bai, Wang, Liberty: ProxQuant: Quantized Neural Networks via Proximal Operators, ICLR 2019",
        category="gradient",
        deploy_class="W",
        summary="weights stay float while they are trained, without a straight-through gradient; after each step a "
        "proximal operator moves them towards ±1, ever further. At two thirds they are taken for their signs, and only "
        "float parameters are trained on.",
        formula="weights  w ← prox(w − η·∇f(w)), prox(w) = sign(w)·(1 + sign(|w| − 1)·(||w| − 1| − λ)₊), clipped "
        "to ±1\n"
        "λ grows linearly;  from hard_from on sign(w)\nactivations  max(a, 0)",
        choices="λ grows with the progress, to strength at hard_from: the authors' code takes 1e-4·learning "
        "rate·epoch, "
        "the paper 1e-4·η·t. The distance in its first power; the squared one is left out.",
        published=(
            Published(dataset="CIFAR-10", network="ResNet-20", bits="1/32", top1=90.7, source="recalled, not verified"),
        ),
    )
    strength: float = Field(0.01, gt=0, allow_inf_nan=False, description="λ at the end of the float weights")
    hard_from: float = Field(2 / 3, gt=0, lt=1, description="share of the epochs before weights are taken for signs")

    def kernel_quantizer(self) -> LarqQuantizer:
        """sign(w), in the last phase."""
        return sign("identity")

    def phases(self) -> Sequence[Phase]:
        """Float weights that are drawn to ±1, then their signs, which are not trained."""
        first = Phase("drawn to signs", self.hard_from, binarize_kernels=False)
        return first, Phase("signs", 1 - self.hard_from, trainable=has_float_kernel)

    def layer_options(self, *, binary_input: bool = True) -> dict[str, object]:
        """While weights are float they have the proximal operator as constraint."""
        options = dict(super().layer_options(binary_input=binary_input))
        if not self._phase.binarize_kernels:
            options["kernel_constraint"] = self._prox()
        return options

    def _prox(self) -> KerasConstraint:
        from mobile_bnn.layers.constraints import ProxToSigns

        return ProxToSigns()

    def strength_at(self, progress: TfTensor) -> TfTensor:
        """λ."""
        return self.strength * progress / self.hard_from

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """λ of every kernel."""
        from mobile_bnn.layers.constraints import ProxToSigns

        found = (getattr(layer, "kernel_constraint", None) for layer in model.submodules)
        return [Schedule(each.strength, self.strength_at) for each in found if isinstance(each, ProxToSigns)]
