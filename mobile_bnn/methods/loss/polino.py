"""Quantized distillation: weights on a uniform grid, and a float network that teaches."""

import math
from typing import ClassVar

from pydantic import Field

from mobile_bnn.methods.card import Card
from mobile_bnn.methods.float_inputs import FloatInputs
from mobile_bnn.methods.method import Clip, register
from mobile_bnn.typing import Json, LarqQuantizer


@register
class Polino(FloatInputs):
    """Bucketed uniform weights with a teacher; formulas in `layers.bucketed_grid`."""

    card = Card(
        name="polino",
        title="Model Compression via Distillation and Quantization",
        year=2018,
        paper="Polino, Pascanu, Alistarh: Model Compression via Distillation and Quantization, ICLR 2018",
        category="loss",
        deploy_class="Q",
        summary="weights rounded to a uniform grid between the least and the greatest of each bucket of 256; their "
        "gradient is applied to the real ones; most of the loss is the distance to a float network's softmax.",
        formula="weights  β + α·round((w − β)/α·(2^k − 1))/(2^k − 1), β the bucket's minimum, α its span\n"
        "activations  max(a, 0)\ngradients  g\nloss  0.3·CE + 0.7·T²·KL(teacher ‖ student), T = 2",
        choices="Its first method, quantized distillation, with rounding to the nearest level (the code's default); "
        "stochastic rounding and learned levels (differentiable quantization) are left out. 0.7, 0.3 and T = 2 are the "
        "authors' code.",
    )
    clip: Clip = math.inf
    teacher: ClassVar[dict[str, Json]] = {"name": "float_twin", "weight": 0.7, "temperature": 2.0}
    weight_bits: int = Field(4, ge=1, le=8, description="k")
    bucket: int = Field(256, ge=2, description="weights that share the ends of a grid")

    def kernel_quantizer(self) -> LarqQuantizer:
        """The nearest point of the bucket's grid."""
        from mobile_bnn.layers.bucketed_grid import BucketedGrid

        return BucketedGrid(self.weight_bits, self.bucket)
