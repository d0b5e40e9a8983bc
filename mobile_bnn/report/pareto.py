"""Accuracy, latency and size of every model and engine that was measured, and which of them nothing beats."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePath

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.report import provenance
from mobile_bnn.report.figures import identity, is_float_baseline
from mobile_bnn.report.formats import DOT, percent, plural, printable, significant, size
from mobile_bnn.report.layout import Column, Table
from mobile_bnn.report.provenance import Origin
from mobile_bnn.report.records import Records
from mobile_bnn.runtime import read_metadata


@dataclass(frozen=True)
class Score:
    """An accuracy, 0 to 1: of which data, and whether it was measured with this file or published for its network."""

    value: float
    dataset: str
    published: bool = False
    source: str = ""


@dataclass(frozen=True)
class Entry:
    """A file with an engine on a target, at its fastest thread count.

    Attributes:
        front: nothing measured on that target with that data is both at least as accurate and faster.
    """

    model: str
    engine: str
    target: str
    threads: int
    median_ms: float
    size_bytes: int
    memory_bytes: int
    score: Score | None
    emulated: bool = False
    front: bool = False


def entries(every: Sequence[Records]) -> list[Entry]:
    """What was measured in these runs, each file, engine and target once; the fastest first."""
    found: dict[tuple[str, str, str], Entry] = {}
    for records in every:
        for profile in records.profiles:
            for measured in profile.measurements:
                entry = _entry(records, profile, measured)
                key = (measured.graph_sha256 or measured.file, entry.engine, entry.target)
                if key not in found or entry.median_ms < found[key].median_ms:
                    found[key] = entry
    ordered = sorted(found.values(), key=lambda entry: entry.median_ms)
    return [replace(entry, front=_is_front(entry, ordered)) for entry in ordered]


def _entry(records: Records, profile: Profile, measured: Measurement) -> Entry:
    return Entry(
        model=_model(records, measured),
        engine=f"{measured.engine} {DOT} {measured.kernel}",
        target=profile.target,
        threads=measured.threads,
        median_ms=measured.median_ms,
        size_bytes=measured.file_bytes,
        memory_bytes=measured.peak_memory_bytes,
        score=score(records, measured),
        emulated=profile.machine.emulated,
    )


def _model(records: Records, measured: Measurement) -> str:
    name = PurePath(measured.file).stem
    if not _is_own(records, measured):
        return str(_sidecar(measured.file).get("model", name))
    own = f" {DOT} ".join(identity(records)) or name
    return f"{own} (float)" if is_float_baseline(measured) else own


def _is_own(records: Records, measured: Measurement) -> bool:
    """Whether it is of the run's own file or of its float twin."""
    named = provenance.is_named_as_own(measured, records)
    return named and provenance.of_measurement(measured, records) is not Origin.ANOTHER


def score(records: Records, measured: Measurement) -> Score | None:
    """What is known of a file's accuracy: verified in its run, told by its metadata, or published for its network."""
    verification = records.verification
    if verification and _is_own(records, measured):
        result = verification.result
        return Score(result.keras if is_float_baseline(measured) else result.tflite, verification.dataset)
    sidecar = _sidecar(measured.file)
    if "accuracy" in sidecar:
        value, dataset = float(sidecar["accuracy"]), str(sidecar.get("dataset", ""))
        return Score(value, dataset, published=True, source=str(sidecar.get("source", "")))
    return _of_metadata(measured.file)


@cache
def _of_metadata(file: str) -> Score | None:
    try:
        metadata = read_metadata(Path(file))
    except MobileBnnError:
        return None
    if metadata is None or metadata.accuracy is None:
        return None
    accuracy = metadata.accuracy
    return Score(accuracy.metrics[accuracy.headline].tflite, accuracy.dataset)


@cache
def _sidecar(file: str) -> "dict[str, str | float]":
    """What `mbnn zoo baseline` wrote beside a file; empty where there is none, or none that can be read."""
    path = Path(file)
    try:
        found = json.loads(path.with_name(f"{path.stem}_baseline.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_front(entry: Entry, every: Sequence[Entry]) -> bool:
    if entry.score is None:
        return False
    return not any(
        other is not entry
        and other.score is not None
        and other.target == entry.target
        and other.score.dataset == entry.score.dataset
        and other.score.value >= entry.score.value
        and other.median_ms <= entry.median_ms
        and (other.score.value, -other.median_ms) != (entry.score.value, -entry.median_ms)
        for other in every
    )


def table(found: Sequence[Entry]) -> Table:
    """A row for each entry."""
    columns = [
        Column("model"),
        Column("engine"),
        Column("target"),
        *(Column(name, number=True) for name in ("threads", "median (ms)", "top-1", "size", "peak memory")),
        Column("data"),
        Column("front"),
    ]
    rows = [
        [
            printable(entry.model),
            printable(entry.engine),
            printable(entry.target) + (" (emulated)" if entry.emulated else ""),
            str(entry.threads),
            significant(entry.median_ms),
            percent(entry.score.value) if entry.score else "–",
            size(entry.size_bytes),
            size(entry.memory_bytes),
            _data(entry.score),
            "yes" if entry.front else "",
        ]
        for entry in found
    ]
    return Table(f"{plural(len(found), 'model')} and engines, the fastest first", columns, rows)


def sources(found: Sequence[Entry]) -> list[str]:
    """Where published accuracies are from, each once."""
    lines = [
        f"{printable(entry.model)}: {percent(entry.score.value)}, {printable(entry.score.source, 400)}"
        for entry in found
        if entry.score and entry.score.published
    ]
    return list(dict.fromkeys(lines))


def _data(score: Score | None) -> str:
    if score is None:
        return "–"
    return printable(score.dataset) + (", published" if score.published else "")
