"""Reads the per-operator times that the native library writes when its option `profile` names a file."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from ai_edge_litert.schema_py_generated import ModelT

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime.describe import operator_name, tensor_name
from mobile_bnn.wording import operator_number

_LINE = re.compile(r"(\d{1,18})\t(?:(\d{1,9}):)?(\d{1,9})\t([A-Za-z0-9_+]{1,1000})\t(\d{1,18})\n", re.ASCII)
_SHOWN = 60  # characters of a malformed line that an error repeats


@dataclass(frozen=True)
class OperatorTime:
    """How long one operator takes, or several that run as one.

    Attributes:
        operator: its index in its subgraph.
        name: what it computes, e.g. LceBconv2d, or LceBconv2d+ADD+LceQuantize where operators run as one.
        layer: the name that the converter gave the tensor it writes; where several run as one, the first one's.
        median_ms: of all inferences that were timed; of an operator in a loop, all its steps in an inference.
        share: of the time of all operators of the library, 0 to 1.
        subgraph: whose operator it is: 0 is the main graph, others are in loops and branches.
        calls: how often it runs in an inference, the median.
        operators: indices of all that run as one; empty: the first alone is known.
        runs_in: who runs it: delegate (the native library), xnnpack, litert.
    """

    operator: int
    name: str
    layer: str
    median_ms: float
    share: float
    subgraph: int = 0
    calls: int = 1
    operators: tuple[int, ...] = ()
    runs_in: str = "delegate"


_Key = tuple[int, int]  # subgraph, operator


def read_operator_times(inferences: Iterable[Iterable[str]], model: ModelT, *, skip: int = 0) -> list[OperatorTime]:
    r"""Reads lines of `call \t operator \t name \t nanoseconds \n`.

    An operator of the main graph is its index, one of a subgraph is `subgraph:index`; the call is that of its graph.

    Args:
        inferences: what the library wrote in each.
        model: the file that ran.
        skip: how many inferences at the beginning do not count.

    Returns:
        The operators in the order of the file, those in loops and branches last.

    Raises:
        MobileBnnError: a line is malformed, names an operator that the file has not, or says what another contradicts.
    """
    names: dict[_Key, str] = {}
    calls: dict[_Key, set[int]] = defaultdict(set)
    counted: list[dict[_Key, list[int]]] = []
    read = 0
    for lines in inferences:
        counted.append(defaultdict(list))
        for line in lines:
            read += 1
            call, key, name, nanoseconds = _fields(line, read)
            shown = operator_number(key[1], key[0])
            if not _is_in(model, key, name):
                raise _malformed(read, f"the file has no operator {shown} that is {name}")
            if names.setdefault(key, name) != name:
                raise _malformed(read, f"operator {shown} was {names[key]} before, now it is {name}")
            if call in calls[key]:
                raise _malformed(read, f"operator {shown} ran twice in call {call}")
            calls[key].add(call)
            counted[-1][key].append(nanoseconds)
    if not names:
        raise MobileBnnError("the native library's times cannot be read", why="it wrote none")
    counted = counted[skip:]
    if not counted or any(len(each[key]) != 1 for key in names if not key[0] for each in counted):
        raise MobileBnnError("the native library's times cannot be read", why="some operators lack inferences")
    medians_ms = {key: median(sum(each[key]) for each in counted) / 1e6 for key in sorted(names)}
    total = sum(medians_ms.values()) or 1.0
    return [
        OperatorTime(
            operator=key[1],
            name=names[key],
            layer=_layer(model, key),
            median_ms=value,
            share=value / total,
            subgraph=key[0],
            calls=round(median(len(each[key]) for each in counted)),
        )
        for key, value in medians_ms.items()
    ]


def _layer(model: ModelT, key: _Key) -> str:
    graph = model.subgraphs[key[0]]
    return tensor_name(graph.tensors[graph.operators[key[1]].outputs[0]])


def _fields(line: str, number: int) -> tuple[int, _Key, str, int]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise _malformed(number, f"{line[:_SHOWN]!r} is not call, operator, name and nanoseconds")
    return int(match[1]), (int(match[2] or 0), int(match[3])), match[4], int(match[5])


def _is_in(model: ModelT, key: _Key, name: str) -> bool:
    subgraph, index = key
    operators = model.subgraphs[subgraph].operators if subgraph < len(model.subgraphs) else []
    if index >= len(operators) or not operators[index].outputs:
        return False
    return operator_name(model, operators[index]) in name.split("+")


def _malformed(number: int, why: str) -> MobileBnnError:
    return MobileBnnError("the native library's times cannot be read", why=f"line {number}: {why}")
