"""The element-wise operators between a tensor and one that it is computed from, as a function that can be evaluated."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

ELEMENTWISE = frozenset(
    {
        "ABS",
        "ADD",
        "CAST",
        "CEIL",
        "DIV",
        "EQUAL",
        "FLOOR",
        "FLOOR_DIV",
        "GREATER",
        "GREATER_EQUAL",
        "LEAKY_RELU",
        "LESS",
    }
    | {"LESS_EQUAL", "LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR", "MAXIMUM", "MINIMUM", "MUL", "NEG", "NOT_EQUAL"}
    | {"PRELU", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "ROUND", "SELECT", "SELECT_V2", "SIGN", "SQUARE"}
    | {"SUB", "TANH", "LOGISTIC", "HARD_SWISH"}
)


@dataclass(frozen=True)
class ElementwiseSubgraph:
    """Operators that compute one tensor from another element by element, in an order in which they can run.

    Constants may have one element, or one per channel (the last dimension).
    """

    source: Tensor
    output: Tensor
    operators: list[Operator]

    @property
    def channels(self) -> int:
        """Channels of the source, 1 for a scalar."""
        return self.source.shape[-1] if self.source.shape else 1

    def part(self, output: Tensor) -> "ElementwiseSubgraph":
        """Those operators that one of its tensors is computed by."""
        producers = {operator.output: operator for operator in self.operators}
        needed, left = set[Operator](), [output]
        while left:
            operator = producers.get(left.pop())
            if operator is not None and operator not in needed:
                needed.add(operator)
                left += [tensor for tensor in operator.inputs if tensor is not None]
        return ElementwiseSubgraph(self.source, output, [each for each in self.operators if each in needed])

    def evaluator(self) -> "Evaluator":
        """The function itself, run by LiteRT's own kernels."""
        return Evaluator(self)


class Evaluator:
    """Evaluates a subgraph for samples of every channel."""

    def __init__(self, subgraph: ElementwiseSubgraph) -> None:
        graph = Graph("subgraph", [subgraph.source], [subgraph.output], subgraph.operators)
        self._interpreter = Interpreter(
            model_content=TfliteModel.of(graph).write(),
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._rank = len(subgraph.source.shape)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._samples = -1

    def __call__(self, x: Array) -> Array:
        """The function's values.

        Args:
            x: float32 [samples, channels].

        Returns:
            float32 [samples, channels].
        """
        samples, channels = x.shape
        shape = (samples, *(1,) * (self._rank - 2), channels)  # constants of a vector broadcast over samples of it
        if samples != self._samples:
            self._interpreter.resize_tensor_input(self._input, shape)
            self._interpreter.allocate_tensors()
            self._samples = samples
        self._interpreter.set_tensor(self._input, x.reshape(shape))
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output), np.float32).reshape(samples, channels)


def subgraphs(graph: Graph, output: Tensor) -> Iterator[ElementwiseSubgraph]:
    """The subgraphs that end in a tensor, the smallest first: one for each tensor that alone determines it.

    A tensor alone determines the output if every way from the output upwards through element-wise operators meets it
    and everything else that is met is a constant.
    """
    # Tensors whose producers are not looked at yet; operators of the subgraph so far, each once.
    open_tensors: dict[Tensor, None] = {output: None}
    found: dict[Operator, None] = {}
    while open_tensors:
        # The latest is the one that no other open tensor is needed for.
        last = max(open_tensors, key=lambda tensor: _rank(graph, tensor))
        operator = graph.producer(last)
        if operator is None or not _is_elementwise(operator, output):
            return
        found[operator] = None
        del open_tensors[last]
        open_tensors |= {tensor: None for tensor in operator.inputs if tensor is not None and tensor.content is None}
        if len(open_tensors) == 1:
            (source,) = open_tensors
            if source.dtype == np.float32:
                yield ElementwiseSubgraph(source, output, sorted(found, key=graph.rank))


def producer_above(graph: Graph, reader: Operator, op_type: str) -> tuple[Operator, ElementwiseSubgraph]:
    """The nearest operator of a type whose result alone an operator reads, and what is done to it in between.

    Raises:
        NoMatch: there is none.
    """
    data = reader.input(0)
    for subgraph in (ElementwiseSubgraph(data, data, []), *subgraphs(graph, data)):
        producer = graph.producer(subgraph.source)
        if producer is not None and producer.op_type == op_type:
            return producer, subgraph
    raise NoMatch(RefusalCode.PATTERN_ABSENT, f"its input is not an element-wise function of one {op_type}")


def _rank(graph: Graph, tensor: Tensor) -> float:
    operator = graph.producer(tensor)
    return -np.inf if operator is None else graph.rank(operator)


def _is_elementwise(operator: Operator, output: Tensor) -> bool:
    """Whether an operator works on each element, with constants that are the same for all elements of a channel."""
    if operator.op_type not in ELEMENTWISE or len(operator.outputs) != 1:
        return False
    channels = output.shape[-1:] or (1,)
    for tensor in operator.inputs:
        if tensor is None:
            return False
        if tensor.content is None:
            if tensor.shape != output.shape:
                return False
        elif any(size != 1 for size in tensor.shape[:-1]) or tensor.shape[-1:] not in ((), (1,), channels):
            return False
    return True
