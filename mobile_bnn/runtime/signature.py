"""The names of a model's inputs and outputs, and the order in which they are given: what its signature says."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ai_edge_litert.schema_py_generated import ModelT, SignatureDefT

from mobile_bnn.runtime.describe import tensor_name, text

_DEFAULT = "serving_default"  # what TensorFlow calls a signature that nobody named


@dataclass(frozen=True)
class End:
    """An input or output of the model.

    Attributes:
        name: by which it is given.
        tensor: its index in the first subgraph, as in the runtime.
    """

    name: str
    tensor: int


@dataclass(frozen=True)
class Ends:
    """All inputs and outputs of a model, in the order in which `Interpreter.predict` takes and returns them."""

    inputs: tuple[End, ...]
    outputs: tuple[End, ...]

    @classmethod
    def of(cls, model: ModelT) -> "Ends":
        """Those of the signature, in the order of the file; without one, the tensors' own names and order.

        A file may have several signatures: `serving_default` goes first, then the file's first. One that belongs to
        another subgraph, or does not name each input and output, is none of the model as it is run.
        """
        graph = model.subgraphs[0]
        own = cls(_of_tensors(model, graph.inputs), _of_tensors(model, graph.outputs))
        signatures = [table for table in model.signatureDefs or [] if table.subgraphIndex == 0]
        for table in sorted(signatures, key=lambda table: text(table.signatureKey) != _DEFAULT):
            ends = cls(_of_signature(table.inputs), _of_signature(table.outputs))
            if ends._covers(own):
                return ends
        return own

    def _covers(self, graph: "Ends") -> bool:
        names = [end.name for end in self.inputs], [end.name for end in self.outputs]
        if any(len(set(side)) < len(side) for side in names):
            return False
        # Two names may stand for one output, but for an input they would contradict each other.
        same_inputs = sorted(_tensors(self.inputs)) == sorted(_tensors(graph.inputs))
        return same_inputs and set(_tensors(self.outputs)) == set(_tensors(graph.outputs))


def signature_names(model: ModelT) -> dict[str, dict[str, list[str]]]:
    """For each signature of the file the names of its "inputs" and "outputs", in the order of the file."""
    return {text(table.signatureKey): _names(table) for table in model.signatureDefs or []}


def _names(table: SignatureDefT) -> dict[str, list[str]]:
    sides = {"inputs": table.inputs, "outputs": table.outputs}
    return {side: [end.name for end in _of_signature(entries)] for side, entries in sides.items()}


def _of_signature(entries: Iterable[Any] | None) -> tuple[End, ...]:
    return tuple(End(text(entry.name), int(entry.tensorIndex)) for entry in entries or [])


def _of_tensors(model: ModelT, indices: Iterable[int]) -> tuple[End, ...]:
    tensors = model.subgraphs[0].tensors
    return tuple(End(tensor_name(tensors[index]), int(index)) for index in indices)


def _tensors(ends: tuple[End, ...]) -> list[int]:
    return [end.tensor for end in ends]
