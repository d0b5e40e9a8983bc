"""Reads the per-operator times that the native library writes when its option `profile` names a file."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from ai_edge_litert.schema_py_generated import ModelT

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime.describe import operator_name, tensor_name

_LINE = re.compile(r"(\d{1,18})\t(\d{1,9})\t([A-Za-z0-9_+]{1,1000})\t(\d{1,18})\n", re.ASCII)
_SHOWN = 60  # characters of a malformed line that an error repeats


@dataclass(frozen=True)
class OperatorTime:
    """How long one operator of the native library takes.

    Attributes:
        operator: its index in the file's main graph.
        name: what it computes, e.g. LceBconv2d, or LceBconv2d+ADD+LceQuantize where operators run as one.
        layer: the name that the converter gave the tensor it writes; where several run as one, the first one's.
        median_ms: of all inferences that were timed.
        share: of the time of all operators of the library, 0 to 1.
    """

    operator: int
    name: str
    layer: str
    median_ms: float
    share: float


def read_operator_times(lines: Iterable[str], model: ModelT, *, skip: int = 0) -> list[OperatorTime]:
    r"""Reads lines of `inference \t operator \t name \t nanoseconds \n`.

    Args:
        lines: what the library wrote, one inference after the other.
        model: the file that ran.
        skip: how many inferences at the beginning do not count.

    Returns:
        The operators in the order of the file.

    Raises:
        MobileBnnError: a line is malformed, names an operator that the file has not, or says what another contradicts.
    """
    names: dict[int, str] = {}
    times: dict[int, dict[int, int]] = defaultdict(dict)
    for number, line in enumerate(lines, 1):
        inference, operator, name, nanoseconds = _fields(line, number)
        if not _is_in(model, operator, name):
            raise _malformed(number, f"the file has no operator {operator} that is {name}")
        if names.setdefault(operator, name) != name:
            raise _malformed(number, f"operator {operator} was {names[operator]} before, now it is {name}")
        if inference in times[operator]:
            raise _malformed(number, f"operator {operator} ran twice in inference {inference}")
        times[operator][inference] = nanoseconds
    counted = {
        operator: [nanoseconds for inference, nanoseconds in sorted(of_one.items()) if inference >= skip]
        for operator, of_one in sorted(times.items())
    }
    if not counted:
        raise MobileBnnError("the native library's times cannot be read", why="it wrote none")
    if len({len(of_one) for of_one in counted.values()}) > 1 or not all(counted.values()):
        raise MobileBnnError("the native library's times cannot be read", why="some operators lack inferences")
    medians_ms = {operator: median(of_one) / 1e6 for operator, of_one in counted.items()}
    total = sum(medians_ms.values()) or 1.0
    graph = model.subgraphs[0]
    return [
        OperatorTime(
            operator=operator,
            name=names[operator],
            layer=tensor_name(graph.tensors[graph.operators[operator].outputs[0]]),
            median_ms=value,
            share=value / total,
        )
        for operator, value in medians_ms.items()
    ]


def _fields(line: str, number: int) -> tuple[int, int, str, int]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise _malformed(number, f"{line[:_SHOWN]!r} is not inference, operator, name and nanoseconds")
    return int(match[1]), int(match[2]), match[3], int(match[4])


def _is_in(model: ModelT, index: int, name: str) -> bool:
    operators = model.subgraphs[0].operators
    if index >= len(operators) or not operators[index].outputs:
        return False
    return operator_name(model, operators[index]) in name.split("+")


def _malformed(number: int, why: str) -> MobileBnnError:
    return MobileBnnError("the native library's times cannot be read", why=f"line {number}: {why}")
