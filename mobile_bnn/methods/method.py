"""The record of a binarization method: what it is, where it comes from, how it binarizes, how it deploys."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

Category = Literal["naive", "quantization error", "loss", "gradient"]
DeployClass = Literal["1", "1r"]

DEPLOY_CLASSES: dict[DeployClass, str] = {
    "1": "one binary convolution with a multiplier and a bias per channel",
    "1r": "one binary convolution after an exact rewrite that LCE's converter lacks: it leaves the layer float",
}


@dataclass(frozen=True)
class Method:
    """A binarization method.

    Attributes:
        name: how it is called in recipes and on the command line.
        title: how its authors call it.
        year: year of the paper's conference, or of the preprint.
        paper: authors, title, venue.
        category: the category of "Binary Neural Networks: A Survey" (Qin et al. 2020), table 1.
        deploy_class: what one layer becomes at inference, a key of `DEPLOY_CLASSES`.
        summary: forward and backward pass in a sentence or two.
        weight_quantizer: makes the kernel quantizer (a Larq quantizer).
        activation_quantizer: makes the input quantizer (a Larq quantizer).
        clip: latent weights are kept in [−clip, clip].
        pad_value: what "same" padding puts around quantized activations; one of the values they take.
    """

    name: str
    title: str
    year: int
    paper: str
    category: Category
    deploy_class: DeployClass
    summary: str
    weight_quantizer: Callable[[], Any]
    activation_quantizer: Callable[[], Any]
    clip: float | None = 1.0
    pad_value: float = 1.0

    def weights(self) -> dict[str, Any]:
        """Keyword arguments of a Larq layer whose weights are binary and whose input is not."""
        from mobile_bnn.legacy_keras import larq

        constraint = None if self.clip is None else larq.constraints.WeightClip(self.clip)
        return {"kernel_quantizer": self.weight_quantizer(), "kernel_constraint": constraint}

    def layer(self) -> dict[str, Any]:
        """Keyword arguments of a Larq layer whose weights and input are binary."""
        return {"input_quantizer": self.activation_quantizer(), **self.weights()}

    def convolution(self) -> dict[str, Any]:
        """Keyword arguments of a `QuantConv2D` with "same" padding, binary weights and binary input."""
        return {"padding": "same", "pad_values": self.pad_value, **self.layer()}

    def latent_free(self) -> "Method":
        """The same method with weights that are ±1 themselves, as the optimizer Bop flips them.

        "Latent Weights Do Not Exist" (Helwegen et al., NeurIPS 2019): there is no latent weight, so there is nothing to
        quantize or to clip in the forward pass.
        """

        def binary_already() -> Any:
            from mobile_bnn.legacy_keras import larq

            return larq.quantizers.NoOp(precision=1)

        return replace(self, weight_quantizer=binary_already, clip=None)
