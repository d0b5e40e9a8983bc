"""What a binary file is compared with: a Keras model, or a float file, with what goes into each binary layer."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.lowering import Layer, Lowering
from mobile_bnn.converters.quantizers.elementwise import ELEMENTWISE
from mobile_bnn.converters.rules.bconv import terms_of
from mobile_bnn.converters.verification.activations import Given
from mobile_bnn.converters.verification.call_pairs import agree, pair_calls
from mobile_bnn.converters.verification.error_bounds.analysis import ErrorBounds
from mobile_bnn.converters.verification.error_bounds.bound import Bounded, quantum_of
from mobile_bnn.converters.verification.error_bounds.control_flow import CalledBounds
from mobile_bnn.converters.verification.error_bounds.linear import BinarySums
from mobile_bnn.converters.verification.error_bounds.steps import STEPS
from mobile_bnn.converters.verification.runners import FileRunner, float_runner
from mobile_bnn.typing import Array, KerasModel

if TYPE_CHECKING:
    from mobile_bnn.converters.keras.layers import Call


@dataclass(frozen=True)
class LayerInput:
    """What one call of a binary layer got.

    Attributes:
        number: of the layer, among the binary ones of the float graph.
        layer: the name.
        quantized: [N, ..., C], after its input's quantizer.
        near: bool in that shape: where rounding alone may give another value.
        replaced: whether the layer computed with what the binary file has there, instead.
        rounding: how far rounding may move what the quantizer looks at, at most; 0 where it is exact.
    """

    number: int
    layer: str
    quantized: Array
    near: Array
    replaced: bool
    rounding: float = 0.0


@dataclass(frozen=True)
class ReferenceRun:
    """What a reference computed.

    Attributes:
        outputs: of the model, [N, ...] each.
        margins: how far rounding may move another evaluation from each of them, float64 in their shapes.
        calls: what each binary layer got, in the order of their numbers; Keras may lack some.
    """

    outputs: list[Array]
    margins: list[Array]
    calls: list[LayerInput]


class Reference(Protocol):
    """What tells the truth, and its name in messages."""

    name: str

    def run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> ReferenceRun:
        """Runs the model, some layers of it on what they read in the file: none sees what others made of rounding.

        Args:
            inputs: float32 [N, ...].
            given: by the layers' numbers.
        """


class FloatFile:
    """The float graph that the binary one was made from, in the same runtime, and how far rounding may move it.

    Args:
        lowering: of the float graph.
        magnitudes: for its constants that were computed from larger terms, how large these are (ErrorBounds).
        sharing: further graphs with the same constants. All have them in a file from the first run on, not in memory.
    """

    name = "the float file"

    def __init__(
        self, lowering: Lowering, magnitudes: Mapping[Tensor, Array] | None = None, sharing: Sequence[Graph] = ()
    ) -> None:
        self._layers = lowering.binary
        self._lowering, self._graph = lowering, lowering.floats
        binary = _binary_sums([layer for each in lowering.every for layer in each.binary])
        called = CalledBounds(lowering.subgraphs, binary)
        self._bounds = ErrorBounds(self._graph, binary, magnitudes, called)
        self._sources = {layer.data: _argument(self._graph, layer.data) for layer in self._layers}
        outside = {*self._graph.outputs, *self._graph.inputs}  # a graph's outputs are all different ones, and no inputs
        self._tensors = [*self._graph.outputs, *(each for each in self._bounds.tensors() if each not in outside)]
        self._sharing = [self._graph, *lowering.subgraphs, *sharing]
        self._runners: dict[tuple[int, ...], FileRunner] = {}
        self._kept: list[tuple[Sequence[Array], Mapping[int, Given], ReferenceRun]] = []

    @classmethod
    def of_keras(cls, model: KerasModel, lowering: Lowering, sharing: Sequence[Graph] = ()) -> "FloatFile":
        """The float file of a Keras model, whose batch norms may have been computed from larger terms."""
        from mobile_bnn.converters.keras.batch_norms import term_magnitudes

        return cls(lowering, term_magnitudes(model, lowering.floats), sharing)

    def run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> ReferenceRun:
        """Runs the graph, the very same numbers but once: several runtimes are compared with it.

        Each asks for the run in which nothing is given, too, so it is kept beside the last one.
        """
        self._kept = [run for run in self._kept if run[0] is inputs]
        for _, other, result in self._kept:
            if _equal(other, given):
                return result
        result = self._run(inputs, given)
        self._kept = [*(run for run in self._kept if not run[1]), (inputs, given, result)]
        return result

    def _run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> ReferenceRun:
        """Runs the file's batches one by one, each beside the analysis of the one before it."""
        batch = self._graph.inputs[0].shape[0]
        replaced = self._replaced(given)
        runner = self._runner(tuple(replaced.values()))
        parts = list[ReferenceRun]()

        def run_next(start: int) -> tuple[dict[Tensor, Array], dict[Tensor, Array]]:
            here = slice(start, start + batch)
            own = {tensor: given[number].values[here] for tensor, number in replaced.items()}
            known = dict(zip(self._graph.inputs, (values[here] for values in inputs), strict=True))
            known |= dict(zip(self._tensors, runner.run_once([*known.values(), *own.values()]), strict=True))
            return known, own

        with ThreadPoolExecutor(1) as thread:
            coming = thread.submit(run_next, 0)
            for start in range(batch, len(inputs[0]) + batch, batch):
                known, own = coming.result()
                if start < len(inputs[0]):  # no further ahead: the values of all tensors take much memory
                    coming = thread.submit(run_next, start)
                parts.append(self._bounded(known, own))
        return _all(parts)

    def _replaced(self, given: Mapping[int, Given]) -> dict[Tensor, int]:
        """What layers read, each with the first layer that does."""
        found = dict[Tensor, int]()
        for number in given:
            found.setdefault(self._layers[number].data, number)
        return found

    def _bounded(self, known: Mapping[Tensor, Array], replaced: Mapping[Tensor, Array]) -> ReferenceRun:
        """One batch with its bounds, which take as much memory as all its tensors."""
        wanted = {*self._graph.outputs, *self._sources, *self._sources.values()}
        found = self._bounds.run(known, replaced, wanted)
        calls = [self._call(n, layer, found, layer.data in replaced) for n, layer in enumerate(self._layers)]
        margins = [np.broadcast_to(found[tensor].margin, known[tensor].shape) for tensor in self._graph.outputs]
        return ReferenceRun([known[tensor] for tensor in self._graph.outputs], margins, calls)

    def _runner(self, numbers: tuple[int, ...]) -> FileRunner:
        """The graph with inputs in the place of what these layers read, and every tensor as an output."""
        if numbers not in self._runners:
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
            self._runners = {numbers: float_runner(self._lowering.float_file(graph), self._sharing)}
        return self._runners[numbers]

    def _call(self, number: int, layer: Layer, found: Mapping[Tensor, Bounded], replaced: bool) -> LayerInput:
        data, source = found[layer.data], found[self._sources[layer.data]]
        near = np.broadcast_to(data.jump > 0, data.values.shape)
        return LayerInput(number, layer.name, data.values, near, replaced, float(source.noise.max(initial=0)))


def _binary_sums(layers: Sequence[Layer]) -> dict[Tensor, BinarySums]:
    """By the results of binary layers, how they are computed."""
    found = dict[Tensor, BinarySums]()
    for layer in layers:
        if layer.reads:
            terms = max(map(terms_of, layer.binary_operators))
            sums = layer.reads[0].sum
            level = float(np.abs(sums.middle).max() + np.abs(sums.amplitudes).sum())
            quantum = quantum_of(np.append(sums.amplitudes, sums.middle).astype(np.float32))
            found[layer.operator.output] = BinarySums(terms, level, quantum, len(layer.reads) == 1)
    return found


def _argument(graph: Graph, tensor: Tensor) -> Tensor:
    """What the first step of the quantizer before a binary layer looks at; the tensor itself if there is none."""
    found, above = tensor, graph.producer(tensor)
    while above is not None and above.op_type in ELEMENTWISE:
        computed = [each for each in above.inputs if each is not None and each.content is None]
        if len(computed) != 1:
            break
        found = computed[0] if above.op_type in STEPS and computed[0].dtype == np.float32 else found
        above = graph.producer(computed[0])
    return found


def _all(parts: Sequence[ReferenceRun]) -> ReferenceRun:
    outputs, margins = (
        [np.concatenate(column) for column in zip(*(getattr(part, name) for part in parts), strict=True)]
        for name in ("outputs", "margins")
    )
    return ReferenceRun(
        outputs, margins, [_joined(column) for column in zip(*(part.calls for part in parts), strict=True)]
    )


def _joined(calls: Sequence[LayerInput]) -> LayerInput:
    quantized, near = (np.concatenate(parts) for parts in zip(*((c.quantized, c.near) for c in calls), strict=True))
    return replace(calls[0], quantized=quantized, near=near, rounding=max(call.rounding for call in calls))


def _equal(one: Mapping[int, Given], other: Mapping[int, Given]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key].values, other[key].values) for key in one)


class KerasReference:
    """The Keras model that was exported.

    It is another evaluation of the float graph: where it differs from the float file, rounding must explain that, as it
    must where the binary file does.

    Args:
        model: the model.
        lowering: of its float graph, which tells the layers' numbers and the batch.
        floats: the float file, for the bounds; made here by default.
    """

    name = "Keras"

    def __init__(self, model: Any, lowering: Lowering, floats: FloatFile | None = None) -> None:
        self._model, self._names = model, [layer.name for layer in lowering.binary]
        self._batch = lowering.floats.inputs[0].shape[0]
        self._floats = floats or FloatFile.of_keras(model, lowering)
        self._branches = bool(lowering.subgraphs)  # which one is taken may hang on a whole batch
        self._repeats = False  # whether a layer is called more than once
        self._pairs: list[int] | None = None  # of these calls, if they are the same ones in every run

    def run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> ReferenceRun:
        """Runs the model: on all together, unless the others of a batch matter to a sample, as in a mean over it."""
        bounds = self._floats.run(inputs, given)
        outputs, calls = self._run(inputs, given)
        if self._branches or not _are_near(calls, bounds):
            starts = range(0, len(inputs[0]), self._batch)
            parts = [self._part(inputs, given, start) for start in starts]
            outputs = [np.concatenate(column) for column in zip(*(part[0] for part in parts), strict=True)]
            in_all = set.intersection(*({call.number for call in part[1]} for part in parts))
            columns = ([call for call in part[1] if call.number in in_all] for part in parts)
            calls = [_joined(column) for column in zip(*columns, strict=True)]
        calls = [_bounded(call, bounds.calls[call.number]) for call in calls]
        # Each is within its margin of the float file, and so within twice that of each other.
        return ReferenceRun(outputs, [2 * margin for margin in bounds.margins], calls)

    def _part(
        self, inputs: Sequence[Array], given: Mapping[int, Given], start: int
    ) -> tuple[list[Array], list[LayerInput]]:
        """Runs one of the file's batches."""
        here = slice(start, start + self._batch)
        own = {number: Given(each.values[here], each.gap) for number, each in given.items()}
        return self._run([values[here] for values in inputs], own)

    def _run(self, inputs: Sequence[Array], given: Mapping[int, Given]) -> tuple[list[Array], list[LayerInput]]:
        """The outputs, and what the binary layers of the file got, in the order of their numbers."""
        from mobile_bnn.converters.keras.layers import run_recorded

        pairs = self._paired(inputs) if self._repeats and given else None
        numbers: list[int] = []

        def replacement(name: str, quantized: Array) -> Array | None:
            at = len(numbers)
            # Another branch than before may call more.
            numbers.append(self._number(name) if pairs is None else pairs[at] if at < len(pairs) else -1)
            other = given.get(numbers[-1])
            return other.values.reshape(quantized.shape) if other and other.values.size == quantized.size else None

        outputs, calls = run_recorded(self._model, inputs, replacement)
        found = [number for number in numbers if number >= 0]
        self._repeats = self._repeats or len(set(found)) < len(found)
        if self._repeats and pairs is None:
            if given:  # which was given to the first call of a name alone
                return self._run(inputs, given)
            numbers = self._paired(inputs, calls)
        first = {number: call for number, call in reversed(list(zip(numbers, calls, strict=True))) if number >= 0}
        return outputs, [
            LayerInput(number, call.layer, call.quantized, np.zeros(call.quantized.shape, bool), call.replaced)
            for number, call in sorted(first.items())
        ]

    def _number(self, name: str) -> int:
        return self._names.index(name) if name in self._names else -1

    def _paired(self, inputs: Sequence[Array], calls: "Sequence[Call] | None" = None) -> list[int]:
        """For each call the number of its layer, -1 where it has none; the calls of a run in which nothing is given."""
        from mobile_bnn.converters.keras.layers import run_recorded

        if self._pairs is not None:
            return self._pairs
        calls = run_recorded(self._model, inputs)[1] if calls is None else calls
        pairs, certain = pair_calls(calls, self._floats.run(inputs, {}).calls)
        if certain and not self._branches:
            self._pairs = pairs
        return pairs


def _are_near(calls: Sequence[LayerInput], bounds: ReferenceRun) -> bool:
    """Whether rounding explains all that layers got."""
    agreed = (agree(call.quantized, bounds.calls[call.number]) for call in calls)
    return all(same is None or same.all() for same in agreed)


def _bounded(call: LayerInput, bounds: LayerInput) -> LayerInput:
    """What Keras gave a layer, with the bounds of what the float file gave it, unless that is a map of another size."""
    if bounds.near.size != call.quantized.size:
        return call
    return replace(call, near=bounds.near.reshape(call.quantized.shape), rounding=bounds.rounding)
