"""What is measured: networks of the zoo, and the four binary 3x3 convolutions of a ResNet-18."""

from dataclasses import dataclass

from mobile_bnn.errors import UsageError
from mobile_bnn.names import look_up


@dataclass(frozen=True)
class Network:
    """A model of the zoo, as its recipe trains it, 224x224, batch 1."""

    name: str
    title: str


@dataclass(frozen=True)
class Layer:
    """One LceBconv2d, 3x3, padded with 1, float output: `size` pixels wide and high, `channels` in and out."""

    size: int
    channels: int

    @property
    def name(self) -> str:
        """How it is called on the command line."""
        return f"bconv_{self.size}x{self.size}x{self.channels}"

    @property
    def title(self) -> str:
        """How it is called in tables."""
        return f"bconv 3×3, {self.size}×{self.size}×{self.channels}"


Case = Network | Layer
SMALL = Network("quicknet_small", "QuickNetSmall")
_NETWORKS = (
    SMALL,
    Network("quicknet", "QuickNet"),
    Network("quicknet_large", "QuickNetLarge"),
    Network("birealnet18", "Bi-Real-18"),
)
_LAYERS = (Layer(56, 64), Layer(28, 128), Layer(14, 256), Layer(7, 512))
CASES: dict[str, Case] = {case.name: case for case in (*_NETWORKS, *_LAYERS)}


def choose(names: str) -> list[Case]:
    """The cases of a list of names with commas between them; all of them for an empty text.

    Raises:
        UsageError: a name is unknown; the nearest ones are suggested.
    """
    if not names.strip():
        return list(CASES.values())
    chosen = [look_up("model", name.strip(), CASES) for name in names.split(",")]
    if len(set(chosen)) < len(chosen):
        raise UsageError(f"--models {names!r} names a model twice")
    return chosen
