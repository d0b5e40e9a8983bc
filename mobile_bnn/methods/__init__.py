"""The binarization methods of the literature, by name.

    from mobile_bnn import methods

    methods.names()                  # ['bi_real', 'bnn', ...]
    methods.get("bi_real").paper

A method is a record (see `Method`); reading the records loads no TensorFlow, only their quantizers do.
"""

from mobile_bnn.methods import bi_real, bnn, dorefa, xnor_net
from mobile_bnn.methods.method import DEPLOY_CLASSES, Method
from mobile_bnn.names import look_up

_METHODS: dict[str, Method] = {module.METHOD.name: module.METHOD for module in (bi_real, bnn, dorefa, xnor_net)}


def names() -> list[str]:
    """The names of all methods, sorted."""
    return sorted(_METHODS)


def get(name: str) -> Method:
    """The method called `name`.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    return look_up("method", name, _METHODS)


__all__ = ["DEPLOY_CLASSES", "Method", "get", "names"]
