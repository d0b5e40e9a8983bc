"""What a binary file is compared with: a Keras model, or a float file, with what goes into each binary layer."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.lowering import Layer, Lowering
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph, subgraphs
from mobile_bnn.converters.quantizers.encoding import reshaped_from
from mobile_bnn.converters.quantizers.steps import StepFunction
from mobile_bnn.converters.quantizers.value_sets import value_set
from mobile_bnn.converters.verification.activations import Given
from mobile_bnn.converters.verification.runners import run_float_file
from mobile_bnn.typing import Array

# Float sums in another order differ in the last bits of their largest terms: within this share of the layer's largest
# pre-activation, two runs may land on different sides of a threshold.
_TIE = 1e-5
_LEAST = 1e-6  # what terms near 1 leave where they cancel out
_TINY = np.finfo(np.float32).tiny  # machines may take smaller numbers for 0


@dataclass(frozen=True)
class LayerInput:
    """What one call of a binary layer got.

    Attributes:
        layer: the name.
        quantized: [N, ..., C], after its input's quantizer.
        near: bool in that shape: where rounding alone may give another value.
        replaced: whether the layer computed with what the binary file has there, instead.
    """

    layer: str
    quantized: Array
    near: Array
    replaced: bool


class Reference(Protocol):
    """What tells the truth, and its name in messages."""

    name: str

    def run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> tuple[list[Array], list[LayerInput]]:
        """Runs the model, some layers of it on what they read in the file: none sees what others made of rounding.

        Args:
            inputs: float32 [N, ...].
            given: by the layers' numbers.

        Returns:
            Outputs, and what each binary layer got, in the order of the calls.
        """


class FloatFile:
    """The float graph that the binary one was made from, in the same runtime."""

    name = "the float file"

    def __init__(self, lowering: Lowering) -> None:
        self._layers = lowering.binary
        self._lowering, self._graph = lowering, lowering.floats
        graph = self._graph
        self._quantizers = {id(layer.data): _quantizer(lowering, layer.data) for layer in self._layers}
        taps = {id(tensor): tensor for layer in self._layers for tensor in (layer.data, self._source(layer))}
        # A graph's outputs are all different ones, and no inputs.
        seen = {id(tensor) for tensor in (*graph.outputs, *graph.inputs)}
        self._tensors = [*graph.outputs, *(tensor for key, tensor in taps.items() if key not in seen)]
        self._files: dict[tuple[int, ...], bytes] = {}
        self._last: tuple[Sequence[Array], Mapping[int, Given], tuple[list[Array], list[LayerInput]]] | None = None

    def _source(self, layer: Layer) -> Tensor:
        found = self._quantizers[id(layer.data)]
        return layer.data if found is None else found[0].source

    def run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> tuple[list[Array], list[LayerInput]]:
        """Runs the graph, the very same numbers but once: several runtimes are compared with it."""
        if self._last is None or self._last[0] is not inputs or not _equal(self._last[1], given):
            self._last = inputs, given, self._run(inputs, given)
        return self._last[2]

    def _run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> tuple[list[Array], list[LayerInput]]:
        unique: dict[int, int] = {}  # of layers that read the same tensor, the first
        for number in given:
            unique.setdefault(id(self._layers[number].data), number)
        numbers = tuple(unique.values())
        outputs = run_float_file(self._file(numbers), [*inputs, *(given[number].values for number in numbers)])
        known = {id(tensor): values for tensor, values in zip(self._graph.inputs, inputs, strict=True)}
        known |= {id(tensor): values for tensor, values in zip(self._tensors, outputs, strict=True)}
        calls = [self._call(layer, known, id(layer.data) in unique) for layer in self._layers]
        return outputs[: len(self._graph.outputs)], calls

    def _file(self, numbers: tuple[int, ...]) -> bytes:
        """The graph with inputs in the place of what these layers read."""
        if numbers not in self._files:
            data = [self._layers[number].data for number in numbers]
            given = {id(tensor): Tensor.of(f"{tensor.name}/given", tensor.shape, np.float32) for tensor in data}
            operators = [
                operator.between(
                    [tensor if tensor is None else given.get(id(tensor), tensor) for tensor in operator.inputs],
                    operator.outputs,
                )
                for operator in self._graph.operators
            ]
            inputs = [*self._graph.inputs, *given.values()]
            graph = Graph(self._graph.name, inputs, self._tensors, operators)
            self._files[numbers] = self._lowering.float_file(graph).write()
        return self._files[numbers]

    def _call(self, layer: Layer, known: dict[int, Array], replaced: bool) -> LayerInput:
        quantized = known[id(layer.data)]
        found = self._quantizers[id(layer.data)]
        if found is None:
            return LayerInput(layer.name, quantized, np.zeros(quantized.shape, bool), replaced)
        subgraph, quantizer = found
        source = known[id(subgraph.source)]
        near = _changes(quantizer, source.reshape(-1, subgraph.channels))
        if (
            isinstance(quantizer, StepFunction) and subgraph.source in self._graph.inputs
        ):  # nothing was rounded on the way
            near &= (np.abs(source) < _TINY).reshape(near.shape) & (source != 0).reshape(near.shape)
        return LayerInput(layer.name, quantized, near.reshape(quantized.shape), replaced)


def _equal(one: Mapping[int, Given], other: Mapping[int, Given]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key].values, other[key].values) for key in one)


def _quantizer(lowering: Lowering, tensor: Tensor) -> tuple[ElementwiseSubgraph, Callable[[Array], Array]] | None:
    """The function of one tensor that gives a binary layer its input; None if there is none.

    One that is not monotone is only known as a step function of itself: then it is the function of the nearest tensor
    that takes many values.
    """
    graph, steps = lowering.floats, lowering.quantizers[tensor]
    if steps is not None and steps.subgraph.operators:
        return steps.subgraph, steps
    for part in reshaped_from(graph, tensor):
        for subgraph in subgraphs(graph, part):
            if value_set(graph, subgraph.source) is None:
                return subgraph, subgraph.evaluator()
    return None


class KerasReference:
    """The Keras model that was exported.

    Args:
        model: the model.
        lowering: of its float graph, which tells the layers' numbers and the batch.
    """

    name = "Keras"

    def __init__(self, model: Any, lowering: Lowering) -> None:
        self._model, self._names = model, [layer.name for layer in lowering.binary]
        self._batch = lowering.floats.inputs[0].shape[0]
        self._branches = bool(lowering.subgraphs)  # which one is taken may hang on a whole batch
        self._folded: set[int] | None = None  # calls that are none of the file's

    def run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> tuple[list[Array], list[LayerInput]]:
        """Runs the model: on all together, unless the others of a batch matter to a sample, as in a mean over it."""
        outputs, calls = self._run(inputs, given)
        parts = [self._part(inputs, given, 0)]
        if not self._branches and _begin_with(calls, parts[0][1]):
            return outputs, calls
        parts += [self._part(inputs, given, start) for start in range(self._batch, len(inputs[0]), self._batch)]
        columns = zip(*(part_outputs for part_outputs, _ in parts), strict=True)
        joined = zip(*(part_calls for _, part_calls in parts), strict=True)
        return [np.concatenate(column) for column in columns], [_joined(column) for column in joined]

    def _part(
        self, inputs: Sequence[Array], given: Mapping[int, Given], start: int
    ) -> tuple[list[Array], list[LayerInput]]:
        """Runs one of the file's batches."""
        here = slice(start, start + self._batch)
        own = {number: Given(each.values[here], each.gap) for number, each in given.items()}
        return self._run([values[here] for values in inputs], own)

    def _run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> tuple[list[Array], list[LayerInput]]:
        from mobile_bnn.converters.keras.layers import run_recorded

        left, called = list(enumerate(self._names)), 0
        folded = self._folded or set()

        def replacement(name: str, quantized: Array) -> Array | None:
            nonlocal called
            called += 1
            if called - 1 in folded:
                return None
            at = next((i for i, (_, other) in enumerate(left) if other == name), None)
            other = None if at is None else given.get(left.pop(at)[0])
            return other.values.reshape(quantized.shape) if other and other.values.size == quantized.size else None

        outputs, calls = run_recorded(self._model, inputs, replacement)
        if self._folded is None and len(inputs[0]) > 1:
            self._folded = self._find_folded(inputs, [call.layer for call in calls])
            if self._folded:
                return self._run(inputs, given)
        return outputs, [
            LayerInput(call.layer, call.quantized, _changes(call.quantizer, call.real), call.replaced)
            for number, call in enumerate(calls)
            if number not in folded
        ]

    def _find_folded(self, inputs: Sequence[Array], calls: Sequence[str]) -> set[int]:
        """The calls that read a constant, such as an RNN's first state: the file holds their results.

        They are looked for where Keras calls a layer more often than the file.
        """
        from mobile_bnn.converters.keras.layers import run_recorded

        surplus = Counter(name for name in calls if name in self._names)
        surplus.subtract(self._names)
        if not any(count > 0 for count in surplus.values()):
            return set()
        found = set[int]()
        for number, call in enumerate(run_recorded(self._model, inputs)[1]):
            if surplus[call.layer] > 0 and (call.real == call.real[:1]).all():
                surplus[call.layer] -= 1
                found.add(number)
        return found


def _begin_with(calls: Sequence[LayerInput], first: Sequence[LayerInput]) -> bool:
    """Whether the same layers were called, and the first samples were given the same."""
    if [call.layer for call in calls] != [call.layer for call in first]:
        return False
    pairs = zip(calls, first, strict=True)
    return all(np.array_equal(call.quantized[: len(part.quantized)], part.quantized) for call, part in pairs)


def _joined(calls: Sequence[LayerInput]) -> LayerInput:
    quantized, near = (np.concatenate(parts) for parts in zip(*((c.quantized, c.near) for c in calls), strict=True))
    return replace(calls[0], quantized=quantized, near=near)


def _changes(quantizer: Callable[[Array], Any], real: Array) -> Array:
    """Where a quantizer gives another value for a number that rounding may have moved."""
    margin = np.float32(max(_TIE * float(np.abs(real).max()), _LEAST))
    changes: Array = np.asarray(quantizer(real - margin)) != np.asarray(quantizer(real + margin))
    return changes
