"""RBNN: weights that are rotated before their sign is taken."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.methods.quantizers import scheduled_signs, sign
from mobile_bnn.typing import KerasModel, KerasTensor, LarqQuantizer, TfTensor


@register
class Rbnn(Method):
    """Filters turned towards their signs, and an estimator that follows the training; formulas in `layers.rotated`."""

    card = Card(
        name="rbnn",
        title="Rotated Binary Neural Network (RBNN)",
        year=2020,
        paper="Lin, Ji, Xu, Zhang, Wang, Wu, Huang, Lin: Rotated Binary Neural Network, NeurIPS 2020",
        category="beyond the survey",
        deploy_class="1",
        summary="sign of standardized weights that are moved towards their rotation, which brings them nearer to their "
        "signs; sign of activations; a learned scale of each channel; an estimator that sharpens.",
        formula="weights  sign(ŵ + |sin θ|·(Rŵ − ŵ)), ŵ = (w − mean)/std of each filter, R = (R₁ ⊗ R₂)ᵀ, θ learned\n"
        "R₁, R₂  of the layer, orthogonal, raise Σ|Rŵ| by three rounds of alternation at each renewal\n"
        "activations  sign(a)\noutput  α ⊙ y, α learned\n"
        "gradients  k·(√2·t − t²|x|)₊, t from t_min to t_max geometrically, k = max(1/t, 1);  of activations t ≥ 1, "
        "k = 1",
        choices="R is renewed `renewals` times over the training, in the authors' code in each of its epochs; Rŵ is "
        "a constant to the gradient as there. θ starts at random in [0, π/2] as in the CIFAR code; the ImageNet code "
        "starts at π/2, where it has no gradient, and standardizes each sample before its sign, here nothing does. "
        "α starts at 1, there at mean|w|.",
        published=(Published(dataset="ImageNet", network="ResNet-18", top1=59.9, source="recalled, not verified"),),
    )
    clip: Clip = math.inf
    t_min: float = Field(1e-2, gt=0, allow_inf_nan=False, description="t of the weights' estimator at the start")
    t_max: float = Field(10.0, gt=0, allow_inf_nan=False, description="t of the weights' estimator at the end")
    renewals: Annotated[int, Field(ge=1)] = Field(100, description="how often R is renewed over the training")

    def kernel_quantizer(self) -> LarqQuantizer:
        """The sign of rotated weights."""
        from mobile_bnn.layers.rotated import RotatedSign

        return RotatedSign(self.t_min)

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a)."""
        return sign("training_aware", max(self.t_min, 1.0), scheduled=True)

    def conv2d(self, x: KerasTensor, *shape: Any, name: str, **options: Any) -> KerasTensor:
        """A binary convolution times α."""
        from mobile_bnn.layers.channel_scale import ChannelScale

        return ChannelScale(name=f"{name}_scale")(super().conv2d(x, *shape, name=name, **options))

    def t(self, progress: TfTensor) -> TfTensor:
        """T_min · (T_max / T_min)^progress."""
        return self.t_min * (self.t_max / self.t_min) ** progress

    def t_of_inputs(self, progress: TfTensor) -> TfTensor:
        """The same, at least 1."""
        from mobile_bnn.legacy_keras import tf

        return tf.maximum(self.t(progress), 1.0)

    def renewal(self, progress: TfTensor) -> TfTensor:
        """Which renewal a step belongs to, from 1."""
        from mobile_bnn.legacy_keras import tf

        return 1.0 + tf.floor(self.renewals * progress)

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """t of every sign, and the renewals of every kernel."""
        from mobile_bnn.layers.rotated import RotatedSign
        from mobile_bnn.layers.scheduled import quantizers_of

        rotated = [each for each in quantizers_of(model) if isinstance(each, RotatedSign)]
        return [
            *scheduled_signs(model, self.t_of_inputs),
            *(Schedule(each.t, self.t) for each in rotated),
            *(Schedule(each.renewal, self.renewal) for each in rotated),
        ]
