"""A report for machines: its figures as one JSON object; docs/json.md lists the fields."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from mobile_bnn import __version__
from mobile_bnn.profile_records import Machine, Measurement, OperatorLatency, Profile
from mobile_bnn.records import PrintedVerification
from mobile_bnn.report import figures, operator_times, provenance
from mobile_bnn.report.provenance import Origin
from mobile_bnn.report.records import Records, read
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.typing import JsonObject

_OF_CURRENT = "whether it is of the file that lies there now: current, another, unknown (an older record) or absent"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileFigures(_Part):
    """The .tflite, as it lies there now or as the operator table tells."""

    bytes: int | None
    float_bytes: int | None = Field(description="of its float twin")
    sha256: str | None
    graph_sha256: str | None = Field(description="of the file without our metadata record")
    binary_macs: int | None
    float_macs: int | None
    float_layers: dict[str, str] = Field(description="layers declared binary that stayed float, with the reason")


class TrainingFigures(_Part):
    """What the training history tells in short."""

    epochs: int
    seconds: float = Field(description="of all epochs")
    best_epoch: int | None = Field(description="with the highest validation accuracy")
    best_validation_accuracy: float | None = Field(description="0 to 1")
    last_epoch: dict[str, float] = Field(description="every metric of the last epoch")
    test: dict[str, float] | None = Field(description="loss and accuracy on the test split, after the last epoch")


class LatencyFigures(_Part):
    """One measurement, batch 1, without its single latencies, which the file in profiles/ has."""

    target: str = Field(description="where it was measured")
    engine: str
    engine_version: str
    kernel: str
    threads: int
    file: str
    float_baseline: bool = Field(description="whether it is of the float twin")
    runs: int
    median_ms: float
    p90_ms: float
    p99_ms: float
    min_ms: float
    load_ms: float
    peak_memory_bytes: int
    speed_against_float: float | None = Field(description="against the best float median at as many threads")
    of_file: str = Field(description=_OF_CURRENT)


class OperatorTimes(_Part):
    """Where the median inference goes, at the fastest measurement that tells its operators apart."""

    engine: str
    kernel: str
    threads: int
    binary_ms: float = Field(description="the sum of the operators that our library runs")
    float_ms: float = Field(description="the rest: other operators, copying in and out")
    parts: dict[str, float] = Field(description="the same in ms by kind: binary, packing, glue, float, outside")
    operators: list[OperatorLatency]


class TargetFigures(_Part):
    """Where latencies were measured."""

    target: str
    machine: Machine
    speed_against_float: float | None = Field(description="best medians of both files at thread counts of both")
    operator_times: OperatorTimes | None


class KeyFigure(_Part):
    """A figure as the report shows it."""

    title: str
    value: str
    lines: list[str]


class MissingPart(_Part):
    """A part that has no record yet."""

    title: str
    command: str = Field(description="what makes it")


class Versions(_Part):
    """The software that made the file, that measured it, and that wrote this."""

    mobile_bnn: str
    file: dict[str, str] = Field(description="of the packages that made it")
    engines: dict[str, str] = Field(description="of those that measured it")


class ReportFigures(_Part):
    """What a report shows; null where there is no record."""

    run: str = Field(description="the run folder, or the .tflite")
    zoo_model: str | None
    method: str | None
    dataset: str | None
    file: FileFigures
    training: TrainingFigures | None
    verification: PrintedVerification | None
    verification_of_file: str | None = Field(description=_OF_CURRENT)
    target: str | None = Field(description="the first of targets")
    machine: Machine | None = Field(description="of the first of targets")
    targets: list[TargetFigures]
    latency: list[LatencyFigures]
    speed_against_float: float | None = Field(description="on the first of targets")
    key_figures: list[KeyFigure]
    cautions: list[str] = Field(description="what to know before believing the figures")
    missing: list[MissingPart]
    recipe: JsonObject = Field(description="every field of recipe.toml")
    versions: Versions


def as_json(run: RunFolder | Records | Path | str) -> JsonObject:
    """The figures of a report, as plain dicts and lists; numbers that JSON lacks are floats still.

    Raises:
        UsageError: there is no such folder or file, or nothing in it to report.
        MobileBnnError: a record is damaged or of another version.
    """
    return _figures(read(run)).model_dump(mode="json")


def _figures(records: Records) -> ReportFigures:
    verified = provenance.of_verification(records)
    targets = [_target(profile, records) for profile in records.profiles]
    first = targets[0] if targets else None
    zoo_model, method, dataset = figures.names(records)
    return ReportFigures(
        run=str(records.run),
        zoo_model=zoo_model,
        method=method,
        dataset=dataset,
        file=_file(records),
        training=_training(records),
        verification=records.verification and PrintedVerification.of(records.verification),
        verification_of_file=_word(verified) if verified else None,
        target=first.target if first else None,
        machine=first.machine if first else None,
        targets=targets,
        latency=[each for profile in records.profiles for each in _latency(profile, records)],
        speed_against_float=first.speed_against_float if first else None,
        key_figures=[KeyFigure(**vars(card)) for card in figures.key_figures(records)],
        cautions=figures.cautions(records),
        missing=[MissingPart(**vars(missing)) for missing in records.missing],
        recipe=records.recipe,
        versions=Versions(
            mobile_bnn=__version__,
            file=records.metadata.versions if records.metadata else {},
            engines={each.engine: each.engine_version for profile in records.profiles for each in profile.measurements},
        ),
    )


def _file(records: Records) -> FileFigures:
    operators = records.operators
    return FileFigures(
        bytes=figures.file_bytes(records),
        float_bytes=records.float_file_bytes,
        sha256=records.file_sha256,
        graph_sha256=records.graph_sha256,
        binary_macs=operators.total("binary_macs") if operators else None,
        float_macs=operators.total("float_macs") if operators else None,
        float_layers=operators.float_layers if operators else {},
    )


def _training(records: Records) -> TrainingFigures | None:
    history = records.history
    if history is None:
        return None
    best = figures.best_epoch(history)
    return TrainingFigures(
        epochs=len(history.epochs),
        seconds=sum(epoch.seconds for epoch in history.epochs),
        best_epoch=best.epoch if best else None,
        best_validation_accuracy=figures.validation_metric(history, best) if best else None,
        last_epoch=history.epochs[-1].metrics,
        test=history.test,
    )


def _target(profile: Profile, records: Records) -> TargetFigures:
    pair = figures.fair_pair(figures.of_these_files(profile, records))
    speed = figures.speed(*pair) if pair else None
    return TargetFigures(
        target=profile.target,
        machine=profile.machine,
        speed_against_float=speed,
        operator_times=_operator_times(operator_times.timed(profile, records)),
    )


def _operator_times(measured: Measurement | None) -> OperatorTimes | None:
    if measured is None:
        return None
    split = operator_times.breakdown(measured)
    ours = sum(row.latency.median_ms for row in split.rows if row.latency.runs_in == "delegate")
    return OperatorTimes(
        **measured.model_dump(include={"engine", "kernel", "threads"}),
        binary_ms=ours,
        float_ms=split.whole - ours,
        parts=dict(split.by_kind()),
        operators=measured.operator_times,
    )


def _latency(profile: Profile, records: Records) -> list[LatencyFigures]:
    comparable, found = figures.of_these_files(profile, records), []
    for measured in profile.measurements:
        shown = measured.model_dump(include=set(LatencyFigures.model_fields) - {"runs"})
        found.append(
            LatencyFigures(
                **shown,
                target=profile.target,
                runs=measured.timed_runs,
                float_baseline=figures.is_float_baseline(measured),
                speed_against_float=figures.speed_at_same_threads(measured, comparable),
                of_file=_word(provenance.of_measurement(measured, records)),
            )
        )
    return found


def _word(origin: Origin) -> str:
    return origin.name.lower()
