"""Real-to-Binary Nets: a gate computed from the float input, and a teacher's attention."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import register
from mobile_bnn.methods.naive.bnn import Bnn
from mobile_bnn.methods.plan import Phase
from mobile_bnn.typing import Json, KerasRegularizer, KerasTensor


@register
class RealToBinary(Bnn):
    """BNN's signs times a gate; formulas in `layers.input_gate` and `training.attention`."""

    card = Card(
        name="real_to_binary",
        title="Real-to-Binary Nets",
        year=2020,
        paper="Martinez, Yang, Bulat, Tzimiropoulos: Training Binary Neural Networks with Real-to-Binary Convolutions, "
        "ICLR 2020",
        category="quantization error",
        deploy_class="I",
        summary="sign of weights and activations; each output channel is multiplied by a gate that two small dense "
        "layers compute from the float input. Three stages, first a tanh, then binary inputs, then binary weights too; "
        "a float network teaches logits, and attention until weights are binary.",
        formula="weights  sign(w)\nactivations  sign(a), in the first stage tanh(a)\n"
        "output  y ⊙ G, G = σ(W₂·max(W₁·mean(a), 0)), a the float input\ngradients  1{|x| ≤ 1}\n"
        "loss  CE + 3·KL(teacher ‖ student) + 30·mean (q_s − q_t)², q = Q/max Q, Q = mean over channels of a²",
        choices="As in Larq Zoo weights are not scaled and attention is divided by its maximum; the paper has a scale "
        "of each filter and the L2 norm. One float twin teaches all stages, where the paper's stages teach one "
        "another. The last stage keeps the weight 3 of "
        "the teacher's logits (there 0.8). The losses stand here as shares: ¼ CE, ¾ KL, 7.5 attention. The shortcut "
        "around every convolution is the network's.",
        short_training={"tanh_share": 0.5, "float_kernels": 0.25},  # in three epochs each stage would have one
        published=(
            Published(dataset="ImageNet", network="ResNet-18", top1=65.4, source="the README of ReActNet"),
            Published(dataset="ImageNet", network="ResNet-18", top1=65.01, source="Larq Zoo"),
        ),
    )
    teacher: ClassVar[dict[str, Json]] = {"name": "float_twin", "weight": 0.75, "attention": 7.5}
    tanh_share: float = Field(1 / 3, gt=0, lt=1, description="share of the epochs of the first stage, without signs")
    float_kernels: float = Field(
        1 / 3, ge=0, lt=1, description="share of the epochs after it in which only inputs are binarized"
    )
    reduction: int = Field(8, ge=1, description="input channels for each unit between the gate's two layers")
    decay: float = Field(1e-5, ge=0, allow_inf_nan=False, description="factor of Σw² while weights are float")

    def kernel_regularizer(self) -> KerasRegularizer | None:
        """decay·Σw² of float weights."""
        return None if self._phase.binarize_kernels else keras2.tf.keras.regularizers.L2(self.decay)

    def conv2d(
        self,
        x: KerasTensor,
        filters: int,
        kernel_size: int | Sequence[int],
        *,
        binary_input: bool = True,
        name: str,
        **options: Any,
    ) -> KerasTensor:
        """A binary convolution times the gate; one of a float input has none."""
        seen = self._activated(x, binary_input, name)
        y = super().conv2d(seen, filters, kernel_size, binary_input=binary_input, name=name, **options)
        if not binary_input:
            return y
        from mobile_bnn.layers.input_gate import input_gate

        return keras2.layers.Multiply(name=f"{name}_gated")([y, input_gate(x, filters, self.reduction, f"{name}_gate")])

    def dense(self, x: KerasTensor, units: int, *, binary_input: bool = True, name: str) -> KerasTensor:
        """A binary dense layer, of tanh(x) in the first stage."""
        return super().dense(self._activated(x, binary_input, name), units, binary_input=binary_input, name=name)

    def _activated(self, x: KerasTensor, binary_input: bool, name: str) -> KerasTensor:
        if self._phase.binarize_inputs or not binary_input:
            return x
        return keras2.layers.Activation("tanh", name=f"{name}_tanh")(x)

    def phases(self) -> Sequence[Phase]:
        """tanh and float weights, binary inputs, binary weights; attention transfer in the first two."""
        both = Phase("binary kernels", 1 - self.tanh_share - self.float_kernels, reset_optimizer=True, attention=False)
        second = Phase("float kernels", self.float_kernels, binarize_kernels=False, reset_optimizer=True)
        first = Phase("tanh", self.tanh_share, binarize_inputs=False, binarize_kernels=False)
        return first, *([second] if self.float_kernels else []), both
