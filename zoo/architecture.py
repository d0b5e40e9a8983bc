"""The record of an architecture: its name, its source, and the functions that build it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from mobile_bnn.methods import Method, Published
from mobile_bnn.registry import Registry
from mobile_bnn.tasks import Classifier, Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.network_options import Network, Padded

Shape = tuple[int, ...]
# Of a method and the image, and of the options where the architecture has some.
Backbone: TypeAlias = Callable[..., Features]


@dataclass(frozen=True)
class Architecture:
    """An architecture of the zoo.

    Attributes:
        name: in recipes and on the command line.
        summary: its layers in a sentence.
        source: where it is published.
        input_shape: (height, width, channels) that it was designed for.
        num_classes: classes that it was designed for.
        smallest_input: least height and width that it can take.
        backbone: from a method and the image, float32 [batch, height, width, channels], to its maps by stride.
        classifier: from the backbone's maps, a method and the number of classes to logits, float32 [batch, classes];
            for networks whose dense layers were published with them. None: a mean over all pixels and a dense layer.
        offers: what methods may need of a network: "shortcut" around every binary convolution.
        options: what may be changed about it: the backbone is given an object of this class, if it has options beyond
            those of Padded.
        pad_value: what the authors' code puts around binarized maps under "same" padding; None: the method's own.
        published: accuracies of this very network that its authors, or those of its code, report.
    """

    name: str
    summary: str
    source: str
    input_shape: Shape
    num_classes: int
    smallest_input: int
    backbone: Backbone
    classifier: Classifier | None = None
    offers: frozenset[str] = frozenset()
    options: type[Network] = Network
    pad_value: float | None = None
    published: tuple[Published, ...] = ()

    def features(self, method: Method, image: KerasTensor, network: Network) -> Features:
        """The backbone's maps by their stride, float32 [batch, height / stride, width / stride, channels]."""
        own = [] if self.options in (Network, Padded) else [network]
        return self.backbone(method, image, *own)


ARCHITECTURES: Registry[Architecture] = Registry("zoo model", "mobile_bnn.zoo")


def register(
    name: str,
    *,
    summary: str,
    source: str,
    input_shape: Shape = (224, 224, 3),
    num_classes: int = 1000,
    smallest_input: int = 32,
    classifier: Classifier | None = None,
    offers: frozenset[str] = frozenset(),
    options: type[Network] = Network,
    pad_value: float | None = None,
    published: tuple[Published, ...] = (),
) -> Callable[[Backbone], Backbone]:
    """A decorator that makes a backbone known as an architecture; for the arguments see `Architecture`."""

    def add(backbone: Backbone) -> Backbone:
        record = Architecture(
            name,
            summary,
            source,
            input_shape,
            num_classes,
            smallest_input,
            backbone,
            classifier,
            offers,
            options,
            pad_value,
            published,
        )
        ARCHITECTURES.add(name, record, backbone)
        return backbone

    return add


SHORTCUT = frozenset({"shortcut"})
