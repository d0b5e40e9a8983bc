"""Operator times as a trace for ui.perfetto.dev and chrome://tracing: one inference laid out, operator by operator.

It is in the Trace Event Format: complete events ("ph": "X") with times in microseconds, and metadata events ("ph": "M")
that name the tracks. A process is an engine on a target, a thread is a thread count. Operators stand in the order in
which they ran, one after the other; what the whole takes beyond them is a slice of its own at the end.
"""

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from mobile_bnn import __version__
from mobile_bnn.profile_records import Measurement, OperatorLatency, Profile
from mobile_bnn.report.csv_export import MacsBySha, MacsOfOperators
from mobile_bnn.wording import plural

_Event = dict[str, Any]


def trace_json(profiles: Sequence[Profile], tables: MacsBySha | None = None) -> str:
    """The trace of every measurement that tells its operators apart.

    Args:
        profiles: of any targets.
        tables: operator tables by the hash of their graph, for multiply-accumulates.
    """
    names: list[_Event] = []
    slices: list[_Event] = []
    processes: dict[tuple[str, ...], int] = {}
    for profile in profiles:
        for measured in profile.measurements:
            for label, times in (("", measured.operator_times), ("without XNNPACK", measured.operator_times_plain)):
                if not times:
                    continue
                process = _process(profile, measured)
                if process not in processes:
                    processes[process] = len(processes) + 1
                    names.append(_name("process_name", processes[process], 0, ", ".join(filter(None, process))))
                number = processes[process]
                track = 1 + sum(event["pid"] == number and event["name"] == "thread_name" for event in names)
                names.append(_name("thread_name", number, track, _track(measured, label)))
                names.append({**_name("thread_sort_index", number, track, ""), "args": {"sort_index": track}})
                macs = MacsOfOperators(measured, tables or {})
                slices += _inference(measured, times, macs, number, track)
    other = {"made_by": f"mobile_bnn {__version__}", "note": "medians of many inferences, laid out as one"}
    return json.dumps({"traceEvents": names + slices, "displayTimeUnit": "ms", "otherData": other}, allow_nan=False)


def _process(profile: Profile, measured: Measurement) -> tuple[str, ...]:
    emulated = "emulated" if profile.machine.emulated else ""
    return profile.target, f"{measured.engine} {measured.kernel}".strip(), PurePath(measured.file).name, emulated


def _track(measured: Measurement, label: str) -> str:
    where = f"{measured.cores} cores" if measured.cores else ""
    throttled = "throttled" if measured.throttled else ""
    return ", ".join(filter(None, (plural(measured.threads, "thread"), where, label, throttled)))


def _name(kind: str, process: int, thread: int, name: str) -> _Event:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _inference(
    measured: Measurement, times: Sequence[OperatorLatency], macs: MacsOfOperators, process: int, track: int
) -> list[_Event]:
    """The slices of one inference: the whole, and in it the operators and what they leave."""
    where = {"pid": process, "tid": track}
    operators_ms = sum(each.median_ms for each in times)
    plain = times is measured.operator_times_plain
    whole_ms = operators_ms if plain else max(measured.median_ms, operators_ms)  # the median is with XNNPACK
    whole = _slice(f"inference of {PurePath(measured.file).name}", "inference", 0.0, whole_ms, where)
    whole["args"] = {"median_ms": measured.median_ms, "operators_ms": operators_ms, "runs": measured.timed_runs}
    found, at_ms = [whole], 0.0
    for each in times:
        event = _slice(each.name, each.runs_in, at_ms, each.median_ms, where)
        event["args"] = _facts(each, macs)
        found.append(event)
        at_ms += each.median_ms
    if whole_ms > operators_ms:
        found.append(_slice("outside of operators", "outside", at_ms, whole_ms - operators_ms, where))
    return found


def _slice(name: str, category: str, at_ms: float, length_ms: float, where: _Event) -> _Event:
    # Whole nanoseconds, so that rounding never lets a slice end after the one that it lies in.
    begin, end = round(at_ms * 1e6), round((at_ms + length_ms) * 1e6)
    return {"ph": "X", "name": name, "cat": category, "ts": begin / 1e3, "dur": (end - begin) / 1e3, **where}


def _facts(each: OperatorLatency, macs: MacsOfOperators) -> _Event:
    facts: _Event = {"layer": each.layer, "operator": each.operator, "subgraph": each.subgraph, "calls": each.calls}
    binary, floats = macs.of(each.subgraph, each.operators or [each.operator])
    if binary is not None and floats is not None:
        facts |= {"binary_macs": binary, "float_macs": floats}
        if each.median_ms > 0:
            facts["gmacs_per_second"] = (binary + floats) * each.calls / each.median_ms / 1e6
    return facts
