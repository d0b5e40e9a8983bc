"""Data sets that other packages and scripts bring."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from mobile_bnn.registry import Registry

if TYPE_CHECKING:
    from mobile_bnn.data.pipeline import Source

Reader: TypeAlias = "Callable[[int, float | None, int | None], Source]"
"""From the seed, the validation fraction and the image size of a recipe to the raw splits (None: the set's own choice).

Where the reader holds no validation split out, `load` does.
"""

READERS: Registry[Reader] = Registry("data set", "mobile_bnn.data")


def register(name: str) -> Callable[[Reader], Reader]:
    """A decorator that makes a data set known: `data.load(name)` and recipes then find it."""

    def add(reader: Reader) -> Reader:
        READERS.add(name, reader, reader)
        return reader

    return add
