"""The record of an architecture: its name, its source, and the function that builds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mobile_bnn.methods import Method

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Architecture:
    """An architecture of the zoo.

    Attributes:
        name: how it is called in recipes and on the command line.
        summary: its layers in a sentence.
        source: where it is published.
        input_shape: (height, width, channels) that it was designed for.
        num_classes: classes that it was designed for.
        smallest_input: least height and width that it can take.
        build: from (method, input shape, classes) to a Keras model named after the architecture.
    """

    name: str
    summary: str
    source: str
    input_shape: Shape
    num_classes: int
    smallest_input: int
    build: Callable[[Method, Shape, int], Any]
