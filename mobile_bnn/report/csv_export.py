"""Profiles as CSV for a spreadsheet or a data frame: a row for each measurement, and one for each operator."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO

from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.records import Operator, Operators

MacsBySha = Mapping[str, Operators]

_MACHINE = ("cpu", "board", "architecture", "system", "distribution", "governor", "emulated")
_MEASUREMENT = (
    *("engine", "engine_version", "kernel", "threads", "cores", "file", "file_bytes", "file_sha256", "graph_sha256"),
    *("warmup_runs", "timed_runs", "median_ms", "median_low_ms", "median_high_ms", "p90_ms", "p99_ms", "min_ms"),
    *("load_ms", "first_ms", "peak_memory_bytes", "throttled", "delegated_operators", "operators", "peak_gmacs"),
)
_PARITY = ("reference", "inputs", "samples", "largest_difference", "top1_agreement")
_SETTING = ("engine", "kernel", "threads", "cores", "file")
_OPERATOR = ("subgraph", "operator", "name", "layer", "median_ms", "calls", "runs_in")


def measurements_csv(profiles: Sequence[Profile]) -> str:
    """A row for each measurement, with its machine, parity and energy; what was not measured is empty."""
    header = ["target", "measured_at", *_MACHINE, *_MEASUREMENT, "rounds", *(f"parity_{name}" for name in _PARITY)]
    header += ["energy_mj", "energy_source"]
    rows = []
    for profile in profiles:
        machine = [getattr(profile.machine, name) for name in _MACHINE]
        for each in profile.measurements:
            parity = [getattr(each.parity, name, None) for name in _PARITY]
            energy = [each.energy and each.energy.millijoules, each.energy and each.energy.source]
            figures = [getattr(each, name) for name in _MEASUREMENT]
            rows.append(
                [profile.target, profile.measured_at, *machine, *figures, len(each.rounds) or 1, *parity, *energy]
            )
    return _csv(header, rows)


def operators_csv(profiles: Sequence[Profile], tables: MacsBySha | None = None) -> str:
    """A row for each operator that was timed, or several that ran as one: with XNNPACK and, below them, without.

    Args:
        profiles: of any targets.
        tables: operator tables by the hash of their graph, for multiply-accumulates; without one they are empty.
    """
    header = ["target", *_SETTING, "xnnpack", *_OPERATOR, "operators", "binary_macs", "float_macs"]
    rows = []
    for profile in profiles:
        for measured in profile.measurements:
            setting = [profile.target, *(getattr(measured, name) for name in _SETTING)]
            macs = MacsOfOperators(measured, tables or {})
            for xnnpack, times in ((True, measured.operator_times), (False, measured.operator_times_plain)):
                for each in times:
                    indices = each.operators or [each.operator]
                    own = [getattr(each, name) for name in _OPERATOR]
                    counted = macs.of(each.subgraph, indices)
                    rows.append([*setting, xnnpack, *own, " ".join(map(str, indices)), *counted])
    return _csv(header, rows)


class MacsOfOperators:
    """The multiply-accumulates of a measurement's operators, from the table of the very graph that it ran."""

    def __init__(self, measured: Measurement, tables: MacsBySha) -> None:
        table = tables.get(measured.graph_sha256) if measured.graph_sha256 else None
        self._known: dict[tuple[int, int], Operator] = {}
        if table:
            self._known = {(each.subgraph, each.index): each for each in table.operators}

    def of(self, subgraph: int, indices: Sequence[int]) -> tuple[int | None, int | None]:
        """Binary and float ones of operators together, of one step of a loop; None where they are not known."""
        found = [self._known[subgraph, index] for index in indices if (subgraph, index) in self._known]
        if len(found) < len(indices):
            return None, None
        return sum(each.binary_macs for each in found), sum(each.float_macs for each in found)


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([["" if value is None else value for value in row] for row in rows])
    return written.getvalue()
