"""Which subgraphs of a .tflite an operator calls, and how often: loops and branches are subgraphs of their own."""

from collections.abc import Iterator

from ai_edge_litert.schema_py_generated import ModelT, OperatorT

from mobile_bnn.runtime.describe import operator_name
from mobile_bnn.wording import operator_number

# By the schema's name of an operator's option: what the subgraph is to the operator.
_ROLES = {
    "condSubgraphIndex": "condition",
    "bodySubgraphIndex": "body",
    "thenSubgraphIndex": "then branch",
    "elseSubgraphIndex": "else branch",
    "initSubgraphIndex": "initialization",
    "subgraph": "function",
    "decompositionSubgraphIndex": "decomposition",
    "updateComputationSubgraphIndex": "update",
    "comparatorSubgraphIndex": "comparator",
}
# How often one run of the operator runs the subgraph, where that is not once.
_TIMES = {"condition": "per step", "body": "per step", "then branch": "if taken", "else branch": "if taken"}


def called_subgraphs(operator: OperatorT) -> dict[str, int]:
    """The numbers of the subgraphs that an operator calls, by what they are to it, such as "body"."""
    for options in (operator.builtinOptions, operator.builtinOptions2):
        if options is not None:
            fields = vars(options)
            found = {_ROLES[name]: int(fields[name]) for name in _ROLES if name in fields}
            branches = fields.get("branchSubgraphIndices")
            found |= {f"branch {at}": int(number) for at, number in enumerate([] if branches is None else branches)}
            return found
    return {}


def reached_subgraphs(model: ModelT) -> dict[int, str]:
    """The subgraphs that an inference may run, in the order of the file, each with who calls it.

    The main graph's text is empty, others are like "body of WHILE 3, per step"; operator 5 of subgraph 2 is 2:5. A
    subgraph that several operators call is said of the first. Calls of subgraphs that are not there are passed over: a
    runtime refuses such a file.
    """
    found, left = {0: ""}, [0]
    while left:
        number = left.pop(0)
        for role, called, operator in _calls(model, number):
            if called not in found and 0 <= called < len(model.subgraphs):
                times = f", {_TIMES[role]}" if role in _TIMES else ""
                found[called] = f"{role} of {operator}{times}"
                left.append(called)
    return dict(sorted(found.items()))


def _calls(model: ModelT, number: int) -> Iterator[tuple[str, int, str]]:
    for index, operator in enumerate(model.subgraphs[number].operators):
        name = f"{operator_name(model, operator)} {operator_number(index, number)}"
        for role, called in called_subgraphs(operator).items():
            yield role, called, name
