"""Bounds of what WHILE and IF compute: the graphs that they call, turn by turn, on what these are given."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.subgraph_constants import called_subgraphs
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.verification.error_bounds.analysis import ErrorBounds
from mobile_bnn.converters.verification.error_bounds.bound import Bounded
from mobile_bnn.converters.verification.error_bounds.linear import BinarySums
from mobile_bnn.converters.verification.runners import FileRunner

_MOST_TURNS = 64  # each takes as long as a network of the body's size


class CalledBounds:
    """Runs the subgraphs of a float file beside their analysis.

    Args:
        graphs: the subgraphs, from number 1 on.
        binary: how their linear operators are computed (ErrorBounds).
    """

    def __init__(self, graphs: Sequence[Graph], binary: Mapping[Tensor, BinarySums]) -> None:
        self._graphs, self._binary = graphs, binary
        self._bounds: dict[int, tuple[ErrorBounds, list[Tensor], FileRunner | None]] = {}

    def __call__(self, operator: Operator, inputs: Sequence[Bounded]) -> list[Bounded] | None:
        """The bounds of an operator's results.

        Args:
            operator: of any type.
            inputs: what it is given.

        Returns:
            None if it calls no subgraph, or one that cannot be followed: whose lists grow from turn to turn, that is
            given what is no number, or that takes too many turns.
        """
        if operator.op_type == "IF":
            then, otherwise = called_subgraphs(operator)
            found = self._run(then if inputs[0].values.all() else otherwise, inputs[1:])
            return _or_anything(found, bool(inputs[0].jump.any()))
        return self._loop(operator, list(inputs)) if operator.op_type == "WHILE" else None

    def _loop(self, operator: Operator, state: list[Bounded]) -> list[Bounded] | None:
        condition, body = called_subgraphs(operator)
        doubtful = False
        for _ in range(_MOST_TURNS):
            goes_on = self._run(condition, state)
            if goes_on is None:
                return None
            doubtful |= bool(goes_on[0].jump.any())
            if not goes_on[0].values.all():
                return _or_anything(state, doubtful)
            following = self._run(body, state)
            if following is None:
                return None
            state = following
        return None

    def _run(self, number: int, inputs: Sequence[Bounded]) -> list[Bounded] | None:
        """What one call of a subgraph computes."""
        graph = self._graphs[number - 1]
        declared = [(tensor.dtype, tensor.shape) for tensor in graph.inputs]
        if declared != [(each.values.dtype, each.values.shape) for each in inputs]:
            return None
        bounds, tensors, runner = self._analysis(number)
        given = dict(zip(graph.inputs, inputs, strict=True))
        numbers = runner.run_once([each.values for each in inputs]) if runner else []
        found = bounds.run(dict(zip(tensors, numbers, strict=True)), {}, graph.outputs, given)
        return [found[tensor] for tensor in graph.outputs]

    def _analysis(self, number: int) -> tuple[ErrorBounds, list[Tensor], FileRunner | None]:
        """The analysis of a subgraph, the tensors that it asks for, and what runs them."""
        if number not in self._bounds:
            graph = self._graphs[number - 1]
            bounds = ErrorBounds(graph, self._binary, called=self)
            tensors = bounds.tensors()
            others = [each.copy() for each in self._graphs]  # no operator is in two graphs of a file
            tapped = TfliteModel.of(Graph(graph.name, graph.inputs, tensors, graph.operators), *others)
            self._bounds[number] = bounds, tensors, FileRunner(tapped.write(), delegates=False) if tensors else None
        return self._bounds[number]


def _or_anything(found: list[Bounded] | None, doubtful: bool) -> list[Bounded] | None:
    """Results, or others altogether if rounding may decide which subgraph computes them."""
    if found is None or not doubtful:
        return found
    return [replace(each, jump=np.asarray(np.inf)) for each in found]
