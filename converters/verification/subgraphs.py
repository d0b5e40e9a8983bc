"""Loops' bodies, branches and further signatures: each as a file of its own, beside the float one, on what it is given.

What a WHILE computes within itself no output of the file shows, and a bit that rounding flips in one turn changes all
turns after it. So the float file is run turn by turn, and what each call of a subgraph is given is kept. The subgraph
of the binary file then runs on these very inputs, beside that of the float file, as every main graph does. What the
samples never call, such as the other branch of an IF, runs on random inputs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.subgraph_constants import called_subgraphs
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import Lowering
from mobile_bnn.converters.verification.comparison import Comparison
from mobile_bnn.converters.verification.instrument import Runner
from mobile_bnn.converters.verification.noise import noise
from mobile_bnn.converters.verification.reference import FloatFile
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.records import LayerCheck
from mobile_bnn.typing import Array

_SAMPLES = 8  # of random inputs
_MOST_CALLS, _MOST_BYTES = 512, 2**24  # that are compared together
_MOST_SHAPES = 8  # each takes files of its own
_COUNTED = ("bits", "flips", "ties", "consequences")
_Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Call:
    """A call of a subgraph.

    Attributes:
        subgraph: its number.
        inputs: what it is given.
        batch: in which batch of the samples.
        parent: number of the call that it belongs to; None if the main graph calls it.
    """

    subgraph: int
    inputs: list[Array]
    batch: int
    parent: int | None


class ControlFlow:
    """Runs a float file so that every call of its subgraphs is seen.

    Args:
        model: the file.
    """

    def __init__(self, model: TfliteModel) -> None:
        self._graphs, self._runners = model.graphs, dict[int, tuple[list[Tensor], FileRunner | None]]()
        self._called = [graph.copy() for graph in model.graphs[1:]]  # no operator is in two graphs of a file

    def calls(self, inputs: Sequence[Array]) -> list[Call]:
        """The calls in the order in which they begin, on inputs [N, ...] in batches of the file's size."""
        found, size = list[Call](), self._graphs[0].inputs[0].shape[0]
        for batch, start in enumerate(range(0, len(inputs[0]), size)):
            self._run(0, [values[start : start + size] for values in inputs], found, batch, None)
        return found

    def _run(self, number: int, inputs: list[Array], found: list[Call], batch: int, parent: int | None) -> list[Array]:
        """The outputs of a subgraph; the calls in it are appended to `found`."""
        graph = self._graphs[number]
        tensors, runner = self._runner(number)
        known = dict(zip(tensors, runner.run_once(inputs) if runner else [], strict=True))
        known |= dict(zip(graph.inputs, inputs, strict=True))
        for operator in _calling(graph):
            given = [_value(tensor, known) for tensor in operator.inputs]
            if operator.op_type == "WHILE":
                self._loop(operator, given, found, batch, parent)
            else:
                then, otherwise = called_subgraphs(operator)
                self._call(then if given[0].all() else otherwise, given[1:], found, batch, parent)
        return [_value(tensor, known) for tensor in graph.outputs]

    def _call(self, number: int, inputs: list[Array], found: list[Call], batch: int, parent: int | None) -> list[Array]:
        own = len(found)
        found.append(Call(number, inputs, batch, parent))
        return self._run(number, inputs, found, batch, own)

    def _loop(self, operator: Operator, values: list[Array], found: list[Call], batch: int, parent: int | None) -> None:
        condition, body = called_subgraphs(operator)
        while self._call(condition, values, found, batch, parent)[0].all():
            values = self._call(body, values, found, batch, parent)

    def _runner(self, number: int) -> tuple[list[Tensor], FileRunner | None]:
        """What a subgraph computes that is an output, or given to another one, and what runs it so far."""
        if number not in self._runners:
            graph = self._graphs[number]
            read = [tensor for operator in _calling(graph) for tensor in operator.inputs if tensor is not None]
            wanted = dict.fromkeys(t for t in (*graph.outputs, *read) if t.content is None and t not in graph.inputs)
            tapped = Graph(graph.name, graph.inputs, wanted, graph.operators)
            file = TfliteModel.of(tapped, *self._called).write()
            runner = FileRunner(file, delegates=False) if wanted else None
            self._runners[number] = list(wanted), runner
        return self._runners[number]


def _calling(graph: Graph) -> list[Operator]:
    return [operator for operator in graph.operators if operator.op_type in ("WHILE", "IF")]


def _value(tensor: Tensor | None, known: dict[Tensor, Array]) -> Array:
    values = None if tensor is None else known.get(tensor, tensor.values)
    if values is None:
        raise MobileBnnError("the file's control flow cannot be followed", why=f"{tensor} has no numbers")
    return values


def alone(graph: Graph, shapes: Sequence[tuple[int, ...]]) -> Graph:
    """A subgraph with a dimension of 1 before those of each input and output: a call of it is a sample.

    Args:
        graph: its operators and tensors are in the result too.
        shapes: of the inputs. A loop may be given lists that grow, and the file says one size.
    """
    inputs, outputs, before, after = list[Tensor](), list[Tensor](), list[Operator](), list[Operator]()
    for tensor, shape in zip(graph.inputs, shapes, strict=True):
        inputs.append(Tensor.of(tensor.name, (1, *shape), tensor.dtype))
        size = Tensor.constant(f"{tensor.name}/shape", np.array(shape, np.int32))
        before.append(Operator.builtin("RESHAPE", [inputs[-1], size], [tensor]))
    first = Tensor.constant("first", np.zeros((), np.int32))
    for tensor in graph.outputs:
        outputs.append(Tensor.of(tensor.name, (1, *tensor.shape), tensor.dtype))
        after.append(Operator.builtin("EXPAND_DIMS", [tensor, first], [outputs[-1]], schema.ExpandDimsOptionsT()))
    return Graph(graph.name, inputs, outputs, [*before, *graph.operators, *after])


class Subgraphs:
    """Compares every further subgraph that holds binary layers with the float one.

    Args:
        lowering: of the float file that the binary one was made from by our rules.
        flatbuffer: the binary file, with the same subgraphs.
        runners: each makes a runner of a file.

    Raises:
        MobileBnnError: the file has not as many subgraphs.
    """

    def __init__(
        self, lowering: Lowering, flatbuffer: bytes, runners: Sequence[Callable[[bytes], Runner]] = (FileRunner,)
    ) -> None:
        self._bodies = {
            number: replace(body, bodies=lowering.bodies) for number, body in lowering.bodies.items() if body.binary
        }
        self._floats, self._runners = lowering.float_file(), runners
        self._comparisons = {number: dict[_Shapes, list[Comparison]]() for number in self._bodies}
        if not self._bodies:
            return
        self._binary = graphs = TfliteModel.read(flatbuffer).graphs
        if len(graphs) != len(self._floats.graphs):
            raise MobileBnnError(
                f"the file has {len(graphs)} subgraphs, the float one {len(self._floats.graphs)}",
                cure="Verify the file against the model that it was made from",
            )
        self._flow = ControlFlow(self._floats)
        for number in self._bodies:
            self._of_shapes(number, self._declared(number))

    def _declared(self, number: int) -> _Shapes:
        return tuple(tensor.shape for tensor in self._floats.graphs[number].inputs)

    def _of_shapes(self, number: int, shapes: _Shapes) -> list[Comparison]:
        """Those of a subgraph, for inputs of some shapes."""
        if shapes not in self._comparisons[number]:
            body, graphs = self._bodies[number], self._binary
            # No operator is in two graphs of a file.
            called = [graph.copy() if n == number else graph for n, graph in enumerate(body.subgraphs, 1)]
            floats = replace(body, floats=alone(body.floats, shapes), subgraphs=called)
            own = TfliteModel.of(alone(graphs[number].copy(), shapes), *graphs[1:]).write()
            reference = FloatFile(floats)
            made = [Comparison(floats, own, reference, runner) for runner in self._runners]
            self._comparisons[number][shapes] = made
        return self._comparisons[number][shapes]

    @property
    def errors(self) -> list[str]:
        """What rounding does not explain."""
        comparisons = (each for parts in self._comparisons.values() for made in parts.values() for each in made)
        return [error for comparison in comparisons for error in comparison.errors]

    def checks(self) -> list[LayerCheck]:
        """What was counted, layer by layer."""
        found = []
        for number, parts in self._comparisons.items():
            for counts in zip(*(made[0].checks() for made in parts.values()), strict=True):
                sums = {field: sum(getattr(count, field) for count in counts) for field in _COUNTED}
                rounding = max(count.rounding or 0.0 for count in counts)
                found.append(counts[0].model_copy(update={"subgraph": number, "rounding": rounding, **sums}))
        return found

    def float_layers(self) -> list[str]:
        """The layers that could be binary and have no operator in the file."""
        first = [self._of_shapes(number, self._declared(number))[0] for number in self._bodies]
        return [name for comparison in first for name in comparison.float_layers()]

    def add(self, inputs: Sequence[Array]) -> Array:
        """Runs a batch of the file's inputs [N, ...], and compares every call of every subgraph that it leads to.

        Returns:
            Bool [N], the samples of which a bit in a subgraph is so near to a threshold that rounding may flip it: of
            these the outputs of the whole file may differ.
        """
        near = np.zeros(len(inputs[0]), bool)
        if not self._comparisons:
            return near
        calls = self._flow.calls(inputs)
        numbers, tainted = defaultdict[int, list[int]](list), np.zeros(len(calls), bool)
        for at, call in enumerate(calls):
            numbers[call.subgraph].append(at)
        for number in _inner_first(self._floats.graphs):
            if number in self._comparisons:
                self._compare(number, calls, numbers[number], tainted)
            for at in numbers[number]:
                parent = calls[at].parent
                if tainted[at] and parent is not None:
                    tainted[parent] = True
        size = self._floats.graphs[0].inputs[0].shape[0]
        for at, call in enumerate(calls):
            near[call.batch * size : (call.batch + 1) * size] |= tainted[at]
        return near

    def _compare(self, number: int, calls: list[Call], own: list[int], tainted: Array) -> None:
        groups = defaultdict[_Shapes, list[int]](list)
        for at in own:
            groups[tuple(values.shape for values in calls[at].inputs)].append(at)
        if not groups:
            generator, tensors = np.random.default_rng(0), self._floats.graphs[number].inputs
            random = [noise(generator, (_SAMPLES, *tensor.shape), tensor.dtype) for tensor in tensors]
            for comparison in self._of_shapes(number, self._declared(number)):
                comparison.add(random)
        for shapes, group in islice(groups.items(), _MOST_SHAPES):
            for part in _parts(group, sum(values.nbytes for values in calls[group[0]].inputs)):
                stacked = [np.stack(values) for values in zip(*(calls[at].inputs for at in part), strict=True)]
                for comparison in self._of_shapes(number, shapes):
                    tainted[part] |= comparison.add(stacked, tainted[part])


def _parts(items: list[int], size: int) -> Iterator[list[int]]:
    length = max(1, min(_MOST_CALLS, _MOST_BYTES // max(size, 1)))
    for start in range(0, len(items), length):
        yield items[start : start + length]


def _inner_first(graphs: Sequence[Graph]) -> Iterable[int]:
    """The numbers of the subgraphs, each after those that it calls."""
    done: dict[int, None] = {}

    def visit(number: int) -> None:
        for operator in graphs[number].operators:
            for called in called_subgraphs(operator):
                if called not in done and called != number:
                    visit(called)
        done[number] = None

    for number in range(len(graphs)):
        if number not in done:
            visit(number)
    return done
