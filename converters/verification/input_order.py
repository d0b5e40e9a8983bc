"""Samples come in the order of a file's signature, as `Interpreter.predict` takes them; a graph has its own.

TensorFlow sorts a SavedModel's signature by names, and leaves the graph's inputs in the order of the function.
"""

from collections.abc import Sequence
from typing import TypeVar

from mobile_bnn.converters.graph.model import Graph, Signature
from mobile_bnn.runtime.describe import text

T = TypeVar("T")


def signature_order(graph: Graph) -> list[int]:
    """The graph's positions of the inputs that the signature names; their own order where it does not name them all."""
    positions = {id(tensor): at for at, tensor in enumerate(graph.inputs)}
    # The same choice as mobile_bnn.runtime's, which sees the file only.
    for signature in sorted(graph.signatures, key=lambda each: text(each.key) != "serving_default"):
        if _covers(signature, graph):
            return [positions[id(tensor)] for tensor in signature.inputs.values()]
    return list(range(len(graph.inputs)))


def in_signature_order(graph: Graph, items: Sequence[T]) -> list[T]:
    """What belongs to the graph's inputs, in the order of the signature."""
    return [items[at] for at in signature_order(graph)]


def in_graph_order(graph: Graph, items: Sequence[T]) -> list[T]:
    """What belongs to the signature's inputs, in the order of the graph. Of another number they stay as they are."""
    order = signature_order(graph)
    if len(items) != len(order):
        return list(items)
    return [item for _, item in sorted(zip(order, items, strict=True), key=lambda pair: pair[0])]


def _covers(signature: Signature, graph: Graph) -> bool:
    inputs = [id(tensor) for tensor in signature.inputs.values()]
    outputs = {id(tensor) for tensor in signature.outputs.values()}
    return sorted(inputs) == sorted(map(id, graph.inputs)) and outputs == set(map(id, graph.outputs))
