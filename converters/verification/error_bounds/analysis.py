"""Goes through a float graph with the numbers of one evaluation, and bounds how far any other one may be from them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.verification.error_bounds.arithmetic import ARITHMETIC, arithmetic, softmax
from mobile_bnn.converters.verification.error_bounds.bound import NOTHING, Bounded
from mobile_bnn.converters.verification.error_bounds.linear import LINEAR, BinarySums, Linear, is_of_data, matmul
from mobile_bnn.converters.verification.error_bounds.movement import MEANS, MOVING, Movement
from mobile_bnn.converters.verification.error_bounds.steps import STEPS, step
from mobile_bnn.typing import Array

# What other operators make of numbers that may be rounded, as a share of the largest: no bound, but what is usual.
_USUAL = 1e-5
_Called = Callable[[Operator, Sequence[Bounded]], list[Bounded] | None]


class ErrorBounds:
    """The bounds of a graph's tensors.

    Args:
        graph: float; it is not changed while this is used.
        binary: by the results of the linear operators that become binary layers, how these are computed.
        magnitudes: for constants that were computed from larger terms, how large these are, float64 per channel.
        called: the bounds of operators that call subgraphs (control_flow.py), None for those that it does not follow.
    """

    def __init__(
        self,
        graph: Graph,
        binary: Mapping[Tensor, BinarySums] | None = None,
        magnitudes: Mapping[Tensor, Array] | None = None,
        called: _Called = lambda operator, inputs: None,
    ) -> None:
        self._graph, self._binary, self._called = graph, binary or {}, called
        self._magnitudes = dict(magnitudes or {})
        self._linear: dict[Operator, Linear] = {}
        self._movement: dict[Operator, Movement] = {}
        self._constants: dict[Tensor, Bounded] = {}
        self._last = {
            tensor: operator for operator in graph.operators for tensor in operator.inputs if tensor is not None
        }

    def tensors(self) -> list[Tensor]:
        """The tensors whose values an evaluation must tell: all that are computed, of types that NumPy has."""
        outputs = (tensor for operator in self._graph.operators for tensor in operator.outputs)
        return [tensor for tensor in dict.fromkeys(outputs) if tensor.dtype is not None]

    def run(
        self,
        values: Mapping[Tensor, Array],
        replaced: Mapping[Tensor, Array],
        wanted: Iterable[Tensor],
        inputs: Mapping[Tensor, Bounded] | None = None,
    ) -> dict[Tensor, Bounded]:
        """Goes through the graph once.

        Args:
            values: of the graph's inputs and of every tensor of `tensors`, in the shapes of the graph.
            replaced: what the operators read instead of some tensors: the very numbers, in every evaluation.
            wanted: tensors.
            inputs: of the graph, with what is known of them; else they are the same numbers in every evaluation.

        Returns:
            The bounds of those that are wanted, as they were computed, not as they were replaced.
        """
        wanted, found = set(wanted), dict[Tensor, Bounded]()
        known = {tensor: Bounded(values[tensor]) for tensor in self._graph.inputs if tensor in values}
        known |= inputs or {}
        found |= {
            tensor: self._input(tensor, known) for tensor in wanted if tensor in known or tensor.content is not None
        }
        known |= {tensor: Bounded(each) for tensor, each in replaced.items() if tensor in known}
        for operator in self._graph.operators:
            for tensor, bounded in zip(operator.outputs, self._bounds(operator, known, values), strict=True):
                if tensor in wanted:
                    found[tensor] = bounded
                known[tensor] = Bounded(replaced[tensor]) if tensor in replaced else bounded
            for read in operator.inputs:
                if read is not None and self._last[read] is operator:
                    known.pop(read, None)
        return found

    def _bounds(
        self, operator: Operator, known: Mapping[Tensor, Bounded], values: Mapping[Tensor, Array]
    ) -> Iterator[Bounded]:
        inputs = [None if tensor is None else self._input(tensor, known) for tensor in operator.inputs]
        results = [values.get(tensor, np.zeros(tensor.shape)) for tensor in operator.outputs]
        present = [each for each in inputs if each is not None]
        op_type = operator.op_type
        if op_type in LINEAR and is_of_data(operator):
            if operator not in self._linear:
                self._linear[operator] = Linear(operator, self._binary.get(operator.output))
            bias = operator.inputs[-1]
            magnitude = None if bias is None else self._magnitudes.get(bias)
            yield self._linear[operator](inputs, results[0], magnitude)
        elif op_type in MOVING or op_type in MEANS:
            if operator not in self._movement:
                self._movement[operator] = Movement(operator)
            yield from self._movement[operator](inputs, results)
        elif op_type not in STEPS and not any(np.issubdtype(result.dtype, np.floating) for result in results):
            yield from (Bounded(result) for result in results)  # places and sizes
        elif op_type == "BATCH_MATMUL":
            yield matmul(operator, present, results[0])
        elif op_type in ARITHMETIC:
            constants = [tensor is not None and tensor.content is not None for tensor in operator.inputs]
            yield arithmetic(op_type, present, constants, results[0])
        elif op_type == "LEAKY_RELU":  # a PRELU whose slope is an option
            slope = Bounded(np.array(operator.options.alpha, np.float32))
            yield arithmetic("PRELU", [*present, slope], [False, True], results[0])
        elif op_type in STEPS:
            yield step(op_type, present, results[0])
        elif op_type == "SOFTMAX":
            yield softmax(present[0], results[0], float(operator.options.beta))
        elif (called := self._called(operator, present)) is not None:
            yield from called
        else:
            yield from _usual(present, results)

    def _input(self, tensor: Tensor, known: Mapping[Tensor, Bounded]) -> Bounded:
        if tensor in known:
            return known[tensor]
        if tensor not in self._constants:
            values = tensor.values
            values = np.zeros(tensor.shape, tensor.dtype or np.uint8) if values is None else values
            magnitude = self._magnitudes.get(tensor)
            self._constants[tensor] = Bounded(values, NOTHING, NOTHING, magnitude)
        return self._constants[tensor]


def _usual(inputs: list[Bounded], values: list[Array]) -> Iterator[Bounded]:
    """Of operators that nothing is known about."""
    rounded = any(not np.issubdtype(each.values.dtype, np.integer) for each in inputs)
    jumps = any(each.jump.any() for each in inputs)
    for each in values:
        if not np.issubdtype(each.dtype, np.floating):
            yield Bounded(each)
            continue
        largest = np.abs(each, where=np.isfinite(each), out=np.zeros_like(each)).max(initial=0)
        noise = np.asarray(_USUAL * float(largest) if rounded else 0.0)
        yield Bounded(each, noise, np.asarray(np.inf) if jumps else NOTHING)
