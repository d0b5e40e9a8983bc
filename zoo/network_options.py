"""What may be changed about a published architecture: the structure tricks of the survey, as options of a recipe."""

from typing import Annotated, Literal

from pydantic import Field

from mobile_bnn.named_options import NamedOptions


class Network(NamedOptions):
    """The options of an architecture that has none."""

    kind = "network"

    @classmethod
    def registered_name(cls) -> str:
        """For messages: an architecture's options have no choice between names."""
        return "options"

    def lacks(self) -> frozenset[str]:
        """What the architecture no longer offers to methods."""
        return frozenset()

    def pad_value(self, published: float | None) -> float | None:
        """What is put around binarized maps, of what the published architecture puts there; None: the method's own."""
        return published


class Padded(Network):
    """Of published networks that pad binarized maps with another value than those that binarized inputs take."""

    padding: Literal["published", "fast"] = Field(
        "published",
        description="published pads as the authors' code does, which their weights need; fast with a value that "
        "binarized inputs take, +1 for signs, which costs nothing on the device",
    )

    def pad_value(self, published: float | None) -> float | None:
        """The published value, or None for padding=fast."""
        return None if self.padding == "fast" else published


class Widened(Network):
    """Of networks whose binary convolutions may have more filters, or fewer."""

    width: Annotated[float, Field(gt=0, le=16)] = Field(
        1.0, description="factor of the filters of every binary convolution, as WRPN widens (Mishra et al. 2018)"
    )

    def widened(self, filters: int) -> int:
        """A number of filters with the factor, rounded, 1 at least."""
        return max(1, round(self.width * filters))


class Chain(Widened):
    """Of networks that are a chain of convolutions, poolings and batch norms."""

    order: Literal["pool_norm", "norm_pool"] = Field(
        "pool_norm",
        description="pool_norm pools what the convolution gives and normalizes it right before the next sign; "
        "norm_pool pools what the batch norm gives, which flips the maxima of negative factors",
    )


class Residual(Widened):
    """Of networks with a float shortcut around every binary convolution."""

    shortcuts: bool = Field(True, description="the shortcuts of Bi-Real Net (Liu et al. 2018); false leaves them out")

    def lacks(self) -> frozenset[str]:
        """The shortcuts, if they are left out."""
        return frozenset() if self.shortcuts else frozenset({"shortcut"})


class PaddedResidual(Residual, Padded):
    """Of published residual networks."""
