"""TSQ: activations are learned first; then ternary weights are fitted to them, layer by layer."""

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from mobile_bnn.methods.card import Card
from mobile_bnn.methods.layer_fitting import best_scales, descend, filters_of_groups, layer_rows, quantized_layers
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Phase, has_float_kernel
from mobile_bnn.typing import Array, KerasModel, KerasTensor, LarqQuantizer

_PULL = 1.0  # λ of ‖z − α·ŵX‖²
_TERNARY = (-1.0, 0.0, 1.0)


@register
class Tsq(Method):
    """Sparse activations of two bits, ternary weights; formulas in `layers.sparse_steps`."""

    card = Card(
        name="tsq",
        title="Two-Step Quantization (TSQ)",
        year=2018,
        paper="Wang, Hu, Zhang, Zhang, Liu, Cheng: Two-Step Quantization for Low-bit Neural Networks, CVPR 2018",
        category="quantization error",
        deploy_class="M",
        bconvs=6,
        summary="a first step trains activations of four levels, small ones 0, with float weights; a second finds "
        "ternary weights layer by layer so that the quantized answers stay as they were, and trains on what is float.",
        formula="activations  Δ·(1{a > ε} + 1{a > 3Δ/2} + 1{a > 5Δ/2}), Δ best for a Gaussian above ε\n"
        "weights  α·ŵ, ŵ ∈ {−1, 0, 1}, of min ‖Y − Q(z)‖² + ‖z − α·ŵX‖² over z, α and ŵ in turn, Y the answers with "
        "float weights\ngradients  1{0 < a ≤ 3Δ}; in the second step weights are not trained",
        choices="The paper's text was not seen: ε = 0.25, the factor 1 of the second term and the number of rounds are "
        "ours. Q sees each channel less its mean, by its deviation, as the batch norm after the layer makes it. Ŵ by "
        "coordinate descent, from 0.7·mean|w| as threshold. X is what the layers fitted before leave. One batch of "
        "training images; at most 8192 rows.",
        published=(),
    )
    pad_value = 0.0
    clip: Clip = math.inf
    epsilon: float = Field(0.25, ge=0, lt=1, description="ε: activations up to it are 0")
    float_weights: float = Field(0.6, gt=0, lt=1, description="share of the epochs, from the first, of the first step")
    rounds: Annotated[int, Field(ge=1, le=100)] = Field(5, description="of the alternation in each layer")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·{−1, 0, 1}."""
        from mobile_bnn.layers.sparse_steps import TernaryWeights

        return TernaryWeights()

    def input_quantizer(self) -> LarqQuantizer:
        """The sparse steps."""
        from mobile_bnn.layers.sparse_steps import SparseHalfWave

        return SparseHalfWave(self.epsilon)

    def phases(self) -> Sequence[Phase]:
        """Float weights, then ternary ones, which are not trained."""
        first = Phase("activations", self.float_weights, binarize_kernels=False)
        second = Phase("weights", 1 - self.float_weights, trainable=has_float_kernel, begin=self.fit)
        return first, second

    def fit(self, model: KerasModel, images: KerasTensor) -> None:
        """Replaces each binary layer's kernel by a ternary one."""
        for layer in quantized_layers(model):
            kernel = np.asarray(layer.kernel.latent_variable)
            start, fitted = np.asarray(layer.kernel_quantizer(kernel)), kernel.copy()
            for rows, (place, w), (_, codes) in zip(
                layer_rows(model, layer, images),
                filters_of_groups(kernel, getattr(layer, "groups", 1)),
                filters_of_groups(np.sign(start), getattr(layer, "groups", 1)),
                strict=True,
            ):
                *_, (codes, scales, _) = self.alternate(rows - rows.mean(0), w, codes)
                fitted[..., place] = (scales * codes).reshape(fitted[..., place].shape)
            layer.kernel.latent_variable.assign(fitted)

    def alternate(self, rows: Array, w: Array, codes: Array) -> list[tuple[Array, Array, float]]:
        """Codes, scales and the objective after each half-step, from the start on.

        Args:
            rows: X, what the filters see, each column less its mean: float64 [rows, n].
            w: the float filters as columns, [n, filters].
            codes: ŵ to begin with, of −1, 0 and 1, in its shape.
        """
        from mobile_bnn.layers.sparse_steps import best_step, sparse_thresholds

        step = best_step(self.epsilon)
        ends = np.array([-np.inf, *sparse_thresholds(self.epsilon, step), np.inf])
        gram, answers = rows.T @ rows, rows @ w
        deviation = np.maximum(answers.std(0), 1e-12)
        wanted = step * (answers[..., None] / deviation[:, None] > ends[1:-1]).sum(-1)
        scales = best_scales(codes, gram, rows.T @ answers)
        steps = []
        for _ in range(self.rounds):
            z, costs = _nearest_answers(scales * (rows @ codes) / deviation, wanted, step, ends)
            steps.append((codes, scales, costs))
            target = rows.T @ (z * deviation)
            # Each filter's own error counts in units of its deviation, so its best codes and scale are the same.
            codes = descend(codes, gram, target, scales, _TERNARY)
            scales = best_scales(codes, gram, target)
        _, costs = _nearest_answers(scales * (rows @ codes) / deviation, wanted, step, ends)
        return [*steps, (codes, scales, costs)]


def _nearest_answers(v: Array, wanted: Array, step: float, ends: Array) -> tuple[Array, float]:
    """z with the least (Y − Q(z))² + λ·(z − v)², number by number, and the sum of it."""
    z = np.clip(v[..., None], ends[:-1], ends[1:])
    costs = (wanted[..., None] - step * np.arange(len(ends) - 1)) ** 2 + _PULL * (z - v[..., None]) ** 2
    best = costs.argmin(-1)[..., None]
    return np.take_along_axis(z, best, -1)[..., 0], float(np.take_along_axis(costs, best, -1).sum())
