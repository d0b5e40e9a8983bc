"""Bitwise neural networks: tanh first, then signs."""

import math
from collections.abc import Sequence

from pydantic import Field

from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Phase
from mobile_bnn.typing import LarqQuantizer

_COMPRESSED = "compressed weights"


@register
class Bitwise(Method):
    """Weights and activations by tanh, from which a second phase of signs starts; formulas in `layers.dead_zone`."""

    card = Card(
        name="bitwise",
        title="Bitwise Neural Networks",
        year=2015,
        paper="Kim, Smaragdis: Bitwise Neural Networks, ICML 2015 workshop, arXiv:1601.06071",
        category="naive",
        deploy_class="1",
        summary="a first phase trains tanh(w) and tanh(a); a second starts from its weights and takes signs in the "
        "forward pass, whose gradients update the real weights.",
        formula="weights  tanh(w), then sign(w), 0 for the share λ of them with the least |w|\n"
        "activations  tanh(a), then sign(a)\ngradients  1 − tanh²(x) in both phases",
        choices="λ = 0: with zeros a layer is two binary convolutions. In the second phase the derivative is that of "
        "the tanh which the sign stands for; notes on the paper do not name one. Both phases are of one training.",
        published=(),
    )
    clip: Clip = math.inf
    compressed: float = Field(0.5, ge=0, lt=1, description="share of the epochs, from the first, of the tanh")
    zeros: float = Field(0.0, ge=0, lt=1, description="λ: share of the weights of a layer that become 0")

    def kernel_quantizer(self) -> LarqQuantizer:
        """tanh(w), or its sign."""
        from mobile_bnn.layers.dead_zone import SparseSign, Tanh

        return Tanh() if self._phase.name == _COMPRESSED else SparseSign(self.zeros)

    def input_quantizer(self) -> LarqQuantizer:
        """tanh(a), or its sign."""
        from mobile_bnn.layers.dead_zone import SignOfTanh, Tanh

        return Tanh() if self._phase.name == _COMPRESSED else SignOfTanh()

    def phases(self) -> Sequence[Phase]:
        """The tanh, then signs."""
        if not self.compressed:
            return super().phases()
        return Phase(_COMPRESSED, self.compressed), Phase("signs", 1 - self.compressed, reset_optimizer=True)
