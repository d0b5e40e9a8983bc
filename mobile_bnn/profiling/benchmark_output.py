"""Reads what benchmark_model prints: its timings, its memory and its table of operators; formats of 2018 to 2025."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profile_records import OperatorLatency
from mobile_bnn.profiling.messages import Statistics

_NUMBER = r"([-+]?[0-9.]+(?:e[-+]?\d+)?)"
_STATISTICS = re.compile(r"(?:^|\s)count=(\d+)(.*)$")
_PAIR = re.compile(rf"(\w+)={_NUMBER}")
_INIT = re.compile(rf"\bInit: {_NUMBER}")
_FIRST = re.compile(rf"\bFirst inference: {_NUMBER}")
_SESSION = re.compile(rf"Initialized session in {_NUMBER}ms")
_PEAK = re.compile(rf"Overall peak memory footprint \(MB\)[^:]*: {_NUMBER}")
_GROWTH = re.compile(rf"[Mm]emory footprint[^:]*\(MB\): init={_NUMBER} overall={_NUMBER}")
_TITLE = re.compile(r"=+ ([\w ]+) =+\s*$")
_INDEX = re.compile(r"^(.*):(\d+)$")
_XNNPACK, _OURS = "TfLiteXNNPackDelegate", "mobile_bnn"


@dataclass(frozen=True)
class Row:
    """A row of a table of operators.

    Attributes:
        node: the type of the operator: CONV_2D, or what a delegate calls it.
        name: the tensors that it writes, or what a delegate calls it.
        index: of the node in the graph; its place in the table where the tool is too old to tell.
        mean_ms: within an inference.
        calls: how often it runs in an inference.
    """

    node: str
    name: str
    index: int
    mean_ms: float
    calls: int


@dataclass(frozen=True)
class Printed:
    """What the tool printed.

    Attributes:
        init_ms: creating the session.
        first_ms: the first inference.
        warmup: the runs not counted; None where it does not tell.
        inference: the runs; None where it does not tell.
        memory_bytes: the peak; or its growth since the tool started; 0 where it tells neither.
        operators: in the order in which they run; empty without --enable_op_profiling.
        by_type: milliseconds of an inference by type of operator, as the tool sums them up.
    """

    init_ms: float
    first_ms: float
    warmup: Statistics | None
    inference: Statistics | None
    memory_bytes: int
    operators: tuple[Row, ...]
    by_type: dict[str, float]


def read_output(text: str) -> Printed:
    """What the tool printed, standard output and error together.

    Raises:
        MobileBnnError: the figures are not there, or are cut off.
    """
    lines = text.splitlines()
    told = [found for found in map(_statistics, lines) if found is not None]
    tables = list(_tables(lines))
    # The tables end with "Timings (microseconds): count=...", which are of the operators.
    runs = [statistics for statistics, of_table in told if not of_table]
    if not runs:
        raise MobileBnnError("the output of the benchmark tool cannot be read", why=_why(lines))
    init = _found(_INIT, text)
    session = _found(_SESSION, text)
    if init is None and session is None:
        raise MobileBnnError(
            "the output of the benchmark tool cannot be read", why="it does not tell how long it loads"
        )
    first = _found(_FIRST, text)
    return Printed(
        init_ms=init / 1e3 if init is not None else session or 0.0,
        first_ms=first / 1e3 if first is not None else _first_run(lines),
        warmup=runs[0] if len(runs) > 1 else None,
        inference=runs[-1],
        memory_bytes=_memory(text),
        operators=_operators(tables),
        by_type=_by_type(tables),
    )


def operator_latencies(rows: tuple[Row, ...]) -> list[OperatorLatency]:
    """The rows as a record has them. Their times are means, which the tool prints in the place of medians."""
    return [
        OperatorLatency(
            operator=row.index,
            name=row.node,
            layer=row.name,
            median_ms=row.mean_ms,
            calls=max(1, row.calls),
            runs_in=_runs_in(row),
        )
        for row in rows
    ]


def _runs_in(row: Row) -> Literal["delegate", "xnnpack", "litert"]:
    if row.node.startswith("Lce") or row.node == _OURS:
        return "delegate"
    return "xnnpack" if row.node == _XNNPACK or row.name.startswith("Delegate/") else "litert"


def _found(pattern: re.Pattern[str], text: str) -> float | None:
    match = pattern.search(text)
    return float(match[1]) if match else None


def _statistics(line: str) -> tuple[Statistics, bool] | None:
    """The statistics of a line in microseconds, and whether they are of a table; None if it has none that are whole."""
    match = _STATISTICS.search(line)
    if not match or "Memory" in line:
        return None
    runs, pairs = int(match[1]), {key: float(value) / 1e3 for key, value in _PAIR.findall(match[2])}
    if runs == 0 or "curr" not in pairs:
        return None
    of_table = "Timings" in line
    if "avg" not in pairs:  # all alike, and only the last is printed; one run, or "(all same)"
        if runs > 1 and "(all same)" not in line:
            return None
        alike = pairs["curr"]
        return Statistics(runs=runs, mean_ms=alike, min_ms=alike, max_ms=alike, median_ms=alike), of_table
    if not {"min", "max", "std"} <= pairs.keys():
        return None
    statistics = Statistics(
        runs=runs,
        mean_ms=pairs["avg"],
        min_ms=pairs["min"],
        max_ms=pairs["max"],
        std_ms=pairs["std"],
        p5_ms=pairs.get("p5"),
        median_ms=pairs.get("median"),
        p95_ms=pairs.get("p95"),
    )
    return statistics, of_table


def _first_run(lines: list[str]) -> float:
    """The first run of the warm-up, which older tools tell in its statistics only."""
    for line in lines:
        match = _STATISTICS.search(line)
        if match and "Timings" not in line and "Memory" not in line:
            pairs: dict[str, str] = dict(_PAIR.findall(match[2]))
            return float(pairs["first"] if "first" in pairs else pairs.get("curr", "0")) / 1e3
    return 0.0


def _memory(text: str) -> int:
    peak = _found(_PEAK, text)
    if peak is not None:
        return round(peak * 2**20)
    growth = _GROWTH.search(text)
    return round(float(growth[2]) * 2**20) if growth else 0


def _tables(lines: list[str]) -> Iterator[tuple[str, str, list[dict[str, str]]]]:
    """The tables: what they are of, their title, and their rows by the names of the columns."""
    section, title = "", ""
    columns: list[str] = []
    rows: list[dict[str, str]] = []
    for line in [*lines, "=== end ==="]:
        found = _TITLE.search(line)
        cells = [cell.strip() for cell in line.strip("\n").lstrip("\t").split("\t")]
        if found:
            if columns:
                yield section, title, rows
            title, columns, rows = found[1], [], []
        elif line.rstrip().endswith("Runs:") or line.rstrip().endswith("Initialization:"):
            section = line
        elif cells[0].lower() == "[node type]":
            columns = [cell.strip("[]").lower() for cell in cells]
        elif columns and len(cells) == len(columns):
            rows.append(dict(zip(columns, cells, strict=True)))


def _operators(tables: list[tuple[str, str, list[dict[str, str]]]]) -> tuple[Row, ...]:
    """The rows of the last table in run order that is not of the initialization."""
    wanted = [rows for section, title, rows in tables if title == "Run Order" and "Initialization" not in section]
    if not wanted:
        return ()
    return tuple(_row(place, cells) for place, cells in enumerate(wanted[-1]))


def _row(place: int, cells: dict[str, str]) -> Row:
    try:
        match = _INDEX.match(cells["name"])
        name, index = (match[1], int(match[2])) if match else (cells["name"], place)
        if name.startswith("[") and name.endswith("]"):
            name = name[1:-1]
        calls = int(float(cells["times called"]))
        return Row(cells["node type"], name, index, float(cells["avg ms"]), calls)
    except (KeyError, ValueError) as error:
        why = f"a row of its table of operators is malformed: {' | '.join(cells.values())}"
        raise MobileBnnError("the output of the benchmark tool cannot be read", why=why) from error


def _by_type(tables: list[tuple[str, str, list[dict[str, str]]]]) -> dict[str, float]:
    wanted = [rows for section, title, rows in tables if "Summary" in title and "Initialization" not in section]
    try:
        return {cells["node type"]: float(cells["avg ms"]) for cells in wanted[-1]} if wanted else {}
    except (KeyError, ValueError):
        return {}


def _why(lines: list[str]) -> str:
    """The tool's own complaint, or that its figures are missing."""
    complaints = [line.strip() for line in lines if "ERROR" in line or "Failed" in line or "Could not" in line]
    return complaints[-1] if complaints else "it has no statistics of its runs"
