"""BWNH: binary weights are hash codes that keep a layer's inner products."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.float_inputs import FloatInputs
from mobile_bnn.methods.layer_fitting import best_scales, descend, filters_of_groups, layer_rows, quantized_layers
from mobile_bnn.methods.method import register
from mobile_bnn.methods.plan import Phase
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import Array, KerasModel, KerasTensor, LarqQuantizer

_BINARY = (-1.0, 1.0)


@register
class Bwnh(FloatInputs):
    """BWN's weights, from a start that answers a batch of images as the float weights do."""

    card = Card(
        name="bwnh",
        title="Binary Weight Networks via Hashing (BWNH)",
        year=2018,
        paper="Hu, Wang, Cheng: From Hashing to CNNs: Training Binary Weight Networks via Hashing, AAAI 2018",
        category="quantization error",
        deploy_class="W",
        summary="trained float weights are replaced, layer by layer, by scaled signs that keep the inner products with "
        "the layer's inputs; they are trained on as in BWN. Activations stay float.",
        formula="weights  α·b of min ‖X·w − α·X·b‖² over b ∈ {−1, 1}ⁿ and α in turn, b by discrete coordinate descent, "
        "α = ⟨Xw, Xb⟩/‖Xb‖²;  then α·sign(w), α = ‖w‖₁/n of each filter\n"
        "activations  max(a, 0)\ngradients  α·g·1{|w| ≤ 1} + sign(w)·⟨g, sign(w)⟩/n",
        choices="The paper's text was not seen: formulas as its abstract has them. X is one batch of training images "
        "as the layers hashed before answer it, at most 8192 rows; the number of rounds is ours. The training after it "
        "is BWN's.",
        published=(
            Published(dataset="ImageNet", network="AlexNet", bits="1/32", top1=58.5, source="recalled, not verified"),
            Published(dataset="ImageNet", network="ResNet-18", bits="1/32", top1=64.3, source="recalled, not verified"),
        ),
    )
    float_kernels: float = Field(0.5, gt=0, lt=1, description="share of the epochs, from the first, of float weights")
    rounds: Annotated[int, Field(ge=1, le=100)] = Field(10, description="of the alternation in each layer, at most")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w)."""
        return sign(scale="filter_mean")

    def phases(self) -> Sequence[Phase]:
        """Float weights, then their hash codes."""
        first = Phase("float kernels", self.float_kernels, binarize_kernels=False)
        second = Phase("binary kernels", 1 - self.float_kernels, reset_optimizer=True, begin=self.hash_kernels)
        return first, second

    def hash_kernels(self, model: KerasModel, images: KerasTensor) -> None:
        """Replaces each binary layer's kernel by α·b, of which the quantizer gives back α and b."""
        for layer in quantized_layers(model):
            kernel = np.asarray(layer.kernel.latent_variable)
            hashed = kernel.copy()
            groups = filters_of_groups(kernel, getattr(layer, "groups", 1))
            for rows, (place, w) in zip(layer_rows(model, layer, images), groups, strict=True):
                *_, (codes, scales, _) = self.alternate(rows, w)
                hashed[..., place] = (scales * codes).reshape(hashed[..., place].shape)
            layer.kernel.latent_variable.assign(hashed)

    def alternate(self, rows: Array, w: Array) -> list[tuple[Array, Array, float]]:
        """Codes, scales and ‖Xw − α·Xb‖² after each round; it ends where a round changes no code.

        Args:
            rows: X, what the filters see: float64 [rows, n].
            w: the float filters as columns, [n, filters].
        """
        gram = rows.T @ rows
        target = gram @ w
        codes = np.where(w >= 0, 1.0, -1.0)
        scales = best_scales(codes, gram, target)
        steps = [(codes, scales, _error(rows, w, codes, scales))]
        for _ in range(self.rounds):
            changed = descend(codes, gram, target, scales, _BINARY)
            if (changed == codes).all():
                break
            codes, scales = changed, best_scales(changed, gram, target)
            steps.append((codes, scales, _error(rows, w, codes, scales)))
        return steps


def _error(rows: Array, w: Array, codes: Array, scales: Array) -> float:
    return float(((rows @ (w - scales * codes)) ** 2).sum())
