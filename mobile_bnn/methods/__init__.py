"""The binarization methods of the literature, by name.

    from mobile_bnn import methods

    methods.names()                          # ['bi_real', 'bnn', ...]
    methods.get("bi_real").card.paper
    methods.create("bnn", clip=1.25)         # with hyperparameters

A method is a class (see `Method`); another package brings its own by an entry point of the group `mobile_bnn.methods`,
or a script by the decorator `register`. Listing methods loads no TensorFlow; making a layer does.
"""

from mobile_bnn.methods.bop import Bop
from mobile_bnn.methods.card import DEPLOY_CLASSES, Card, Published
from mobile_bnn.methods.method import METHODS, Method, register
from mobile_bnn.methods.plan import Phase, Schedule
from mobile_bnn.registry import import_modules
from mobile_bnn.typing import Json

import_modules(__name__, __path__)


def names() -> list[str]:
    """The names of all methods, sorted."""
    return METHODS.names()


def get(name: str) -> type[Method]:
    """The method called `name`.

    Raises:
        UsageError: there is none; the nearest names are suggested.
        MobileBnnError: another package brings it, and it cannot be loaded.
    """
    return METHODS.get(name)


def create(name: str, source: str = "", **fields: Json) -> Method:
    """The method called `name` with these hyperparameters, the paper's by default.

    Raises:
        UsageError: there is no such method, or a field is unknown or out of range; `source` begins the message.
    """
    return get(name).create(source, **fields)


__all__ = [
    "DEPLOY_CLASSES",
    "Bop",
    "Card",
    "Method",
    "Phase",
    "Published",
    "Schedule",
    "create",
    "get",
    "names",
    "register",
]
