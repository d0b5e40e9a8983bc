"""Whether a file's signatures name the same inputs and outputs as those of the model that it was made from.

Outputs are compared by their place in the graph. `Interpreter.predict` and a signature runner go by names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime.describe import text

_Places = dict[str, set[int]]


def check_signatures(before: Sequence[Graph], after: Sequence[Graph]) -> None:
    """Compares keys, names, their order and what they stand for, subgraph by subgraph.

    Args:
        before: the subgraphs of the float file.
        after: those of the binary one.

    Raises:
        MobileBnnError: a name is missing, or stands for another input or output.
    """
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        was, now = _named(one), _named(other)
        for key in dict.fromkeys((*was, *now)):
            if not all(map(_stands_for, was.get(key, ()), now.get(key, ()))) or (key in was) != (key in now):
                where = f" of subgraph {number}" if number else ""
                raise MobileBnnError(f"the file's signature {key}{where} names other inputs or outputs than before")


def _named(graph: Graph) -> dict[str, tuple[_Places, _Places]]:
    """For each signature the inputs and outputs that it names, and at which places of the graph they are."""
    return {
        text(signature.key): (_places(signature.inputs, graph.inputs), _places(signature.outputs, graph.outputs))
        for signature in graph.signatures
    }


def _places(named: Mapping[Any, Tensor], tensors: Sequence[Tensor]) -> _Places:
    return {text(name): {at for at, each in enumerate(tensors) if each is tensor} for name, tensor in named.items()}


def _stands_for(was: _Places, now: _Places) -> bool:
    """Whether the names are the same; what they stand for may have become equal to another output besides."""
    return list(was) == list(now) and all(was[name] <= now[name] for name in was)
