"""Constants that a loop or a branch is given become constants of the subgraph that reads them.

WHILE hands each of its inputs to its body, and takes the next value of it from the body's output of the same number.
Where that output is the input itself, the value never changes: with a constant at the start it is that constant in
every turn, in the body as in the condition. IF hands its inputs to the branch that it takes, whichever that is. So the
subgraph may hold the constant itself, and nothing is handed over: a filter is one that a rule can read, and the file
does not store it twice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.runtime import subgraphs


def called_subgraphs(operator: Operator) -> list[int]:
    """The numbers of the subgraphs that an operator calls: of WHILE condition and body, of IF both branches."""
    return list(subgraphs.called_subgraphs(operator.table).values())


def call_counts(graphs: Iterable[Graph]) -> Counter[int]:
    """How many operators call each subgraph, by its number."""
    return Counter(n for graph in graphs for operator in graph.operators for n in called_subgraphs(operator))


def sink_constants(graphs: list[Graph]) -> None:
    """Moves constant operands of WHILE and IF into the subgraphs that only this operator calls."""
    counts, changed = call_counts(graphs), True
    while changed:
        changed = False
        for graph in graphs:
            for operator in list(graph.operators):
                called = called_subgraphs(operator)
                own = all(0 < number < len(graphs) and counts[number] == 1 for number in called)
                if own and not any(graphs[number].signatures for number in called):
                    sink = {"WHILE": _sink_into_while, "IF": _sink_into_if}.get(operator.op_type)
                    changed |= sink is not None and sink(graph, operator, [graphs[number] for number in called])


def _sink_into_while(graph: Graph, operator: Operator, called: list[Graph]) -> bool:
    condition, body = called
    if not _fit(operator.inputs, condition.inputs, body.inputs, body.outputs, operator.outputs):
        return False
    # An output of the graph must be computed by an operator.
    found = {
        number: tensor
        for number, tensor in _constants(operator.inputs)
        if body.outputs[number] is body.inputs[number]
        and body.outputs.count(body.inputs[number]) == 1
        and body.inputs[number] not in condition.outputs
        and operator.outputs[number] not in graph.outputs
    }
    if not found:
        return False
    for number, constant in found.items():
        graph.replace(operator.outputs[number], constant)
    body.outputs = _without(body.outputs, found)
    for each in called:
        _take(each, found)
    graph.set_outputs(operator, _without(operator.outputs, found))
    graph.set_inputs(operator, _without(operator.inputs, found))
    return True


def _sink_into_if(graph: Graph, operator: Operator, called: list[Graph]) -> bool:
    if not _fit(operator.inputs[1:], *(branch.inputs for branch in called)):
        return False
    found = {
        number: tensor
        for number, tensor in _constants(operator.inputs[1:])
        if not any(branch.inputs[number] in branch.outputs for branch in called)
    }
    for branch in called:
        _take(branch, found)
    graph.set_inputs(operator, [operator.inputs[0], *_without(operator.inputs[1:], found)])
    return bool(found)


def _fit(*sides: Iterable[Tensor | None]) -> bool:
    """Whether they are as many; a malformed file is left to the runtime, which refuses it."""
    return len({len(list(side)) for side in sides}) == 1


def _constants(inputs: Iterable[Tensor | None]) -> list[tuple[int, Tensor]]:
    return [(n, tensor) for n, tensor in enumerate(inputs) if tensor is not None and tensor.content is not None]


def _take(graph: Graph, constants: Mapping[int, Tensor]) -> None:
    """Puts constants in the place of a graph's inputs."""
    for number, constant in constants.items():
        graph.replace(graph.inputs[number], constant.copy())
    graph.inputs = _without(graph.inputs, constants)


def _without(items: Iterable[Tensor | None], numbers: Mapping[int, Tensor]) -> list[Tensor]:
    return [item for number, item in enumerate(items) if number not in numbers]  # type: ignore[misc]
