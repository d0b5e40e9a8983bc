"""The figures that a report derives from the records: speed ratios, shares, totals and the key figures on top."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from mobile_bnn.profile_records import Machine, Measurement, Profile
from mobile_bnn.records import Epoch, History, LayerCheck, Operators, Verification
from mobile_bnn.report import provenance
from mobile_bnn.report.formats import (
    DOT,
    capitalized,
    count,
    macs,
    milliseconds,
    percent,
    plural,
    points,
    printable,
    ratio,
    size,
)
from mobile_bnn.report.provenance import Origin
from mobile_bnn.report.records import Records
from mobile_bnn.typing import JsonObject

_TWIN = "_float.tflite"
ONCE = "loops count for one step, branches all"
X86 = ("x86_64", "amd64", "x86", "i386", "i486", "i586", "i686")


@dataclass(frozen=True)
class KeyFigure:
    """One of the few figures that a reader wants first; `lines` say what it is compared with."""

    title: str
    value: str
    lines: list[str]


def is_float_baseline(measurement: Measurement) -> bool:
    """Whether it timed a float file, such as the twin of a binary one that `mbnn convert` writes beside it."""
    # Stock LiteRT has no binary operators.
    return measurement.engine == "litert" or PurePath(measurement.file).name.endswith(_TWIN)


def engine(measurement: Measurement) -> str:
    """Engine and kernel of a measurement, and "float" where it timed the float file: lce · indirect."""
    parts = [measurement.engine, measurement.kernel, "float" if is_float_baseline(measurement) else ""]
    return f" {DOT} ".join(printable(part) for part in parts if part)


def _fastest(measurements: Iterable[Measurement]) -> Measurement | None:
    return min(measurements, key=lambda measurement: measurement.median_ms, default=None)


def fastest(profile: Profile) -> Measurement | None:
    """The fastest measurement of the binary file, by median; None where there is none."""
    return _fastest(measured for measured in profile.measurements if not is_float_baseline(measured))


def baselines(profile: Profile) -> list[Measurement]:
    """The measurements of the float file that the binary one is compared with: its twin, where there are several.

    Other networks, which were measured in the same session, do not count.
    """
    floats = [measured for measured in profile.measurements if is_float_baseline(measured)]
    if len({measured.file for measured in floats}) < 2:
        return floats
    own = {f"{PurePath(each.file).stem}{_TWIN}" for each in profile.measurements if not is_float_baseline(each)}
    return [measured for measured in floats if PurePath(measured.file).name in own]


def fair_pair(profile: Profile) -> tuple[Measurement, Measurement] | None:
    """The fastest measurement of the binary file and of the float file, among thread counts that both were timed at."""
    binary = [measured for measured in profile.measurements if not is_float_baseline(measured)]
    floats = baselines(profile)
    both = {measured.threads for measured in binary} & {measured.threads for measured in floats}
    ours = _fastest(measured for measured in binary if measured.threads in both)
    baseline = _fastest(measured for measured in floats if measured.threads in both)
    return (ours, baseline) if ours and baseline else None


def speed(measurement: Measurement, baseline: Measurement | None) -> float | None:
    """How many times as fast as the baseline, by medians: 2.0 is twice as fast, 0.5 half as fast."""
    if baseline is None or measurement.median_ms <= 0 or baseline.median_ms <= 0:
        return None
    return baseline.median_ms / measurement.median_ms


def speed_at_same_threads(measurement: Measurement, profile: Profile) -> float | None:
    """`speed` against the fastest float measurement with as many threads; None where there is none."""
    return speed(measurement, _fastest(other for other in baselines(profile) if other.threads == measurement.threads))


def lce_on_x86(profile: Profile) -> bool:
    """Whether LCE was timed on an x86 processor, for which it has no fast kernels."""
    x86 = profile.machine.architecture.lower() in X86
    return x86 and any(measurement.engine == "lce" for measurement in profile.measurements)


def binary_share(binary_macs: int, float_macs: int) -> float | None:
    """The binary share of all multiply-accumulates, 0 to 1; None where there are none."""
    total = binary_macs + float_macs
    return binary_macs / total if total else None


def unexplained(layer: LayerCheck) -> int:
    """The flips of a layer that rounding does not explain."""
    return layer.flips - layer.ties - layer.consequences


def best_epoch(history: History) -> Epoch | None:
    """The epoch with the highest validation metric, the first of equals; None where that was not measured."""
    measured = [epoch for epoch in history.epochs if math.isfinite(validation_metric(history, epoch))]
    return max(measured, key=lambda epoch: validation_metric(history, epoch), default=None)


def validation_metric(history: History, epoch: Epoch) -> float:
    """The metric that the task is judged by, of an epoch's validation, 0 to 1; NaN where it was not measured.

    An accuracy may have a longer name in histories from elsewhere, such as val_sparse_categorical_accuracy.
    """
    names = (name for name in epoch.metrics if name.startswith("val_") and name.endswith(history.metric))
    return epoch.metrics.get(next(names, ""), math.nan)


def identity(records: Records) -> list[str]:
    """Model, method and data set, as far as the file's metadata, the recipe or the verification tell."""
    return [printable(name) for name in names(records) if name]


def names(records: Records) -> tuple[str | None, str | None, str | None]:
    """Model, method and data set as `identity` tells them, None where nothing does."""
    metadata, recipe = records.metadata, records.recipe
    verified_on = records.verification.dataset if records.verification else None
    return (
        (metadata and metadata.zoo_model) or _text(recipe, "zoo") or None,
        (metadata and metadata.method) or _text(recipe, "method") or None,
        (metadata and metadata.dataset) or _text(recipe, "data") or _text(recipe, "dataset") or verified_on,
    )


def _text(recipe: JsonObject, field: str) -> str:
    """A field of a recipe, or the name in a section; recipes of version 1 had no sections."""
    value = recipe.get(field)
    value = value.get("name") if isinstance(value, dict) else value
    return value if isinstance(value, str) else ""


def key_figures(records: Records) -> list[KeyFigure]:
    """The figures on top of a report, each only where its record exists."""
    cards: list[KeyFigure] = []
    verified = provenance.of_verification(records)
    if records.verification and verified is not Origin.ANOTHER:
        cards.append(_accuracy_card(records.verification, verified))
    elif records.history and records.history.test:
        cards.append(_trained_card(records.history))
    if size_bytes := file_bytes(records):
        cards.append(_size_card(size_bytes, records.float_file_bytes))
    for profile in records.profiles:
        target = [f"on {printable(profile.target)}"] if len(records.profiles) > 1 else []
        cards += _latency_cards(of_these_files(profile, records), target)
    if records.operators and records.operators.operators:
        cards.append(_macs_card(records.operators))
    return cards


def of_these_files(profile: Profile, records: Records) -> Profile:
    """The profile without measurements of files that are not in the folder any more, or never were."""
    own = [each for each in profile.measurements if provenance.is_named_as_own(each, records)]
    known = own or profile.measurements
    kept = [each for each in known if provenance.of_measurement(each, records) is not Origin.ANOTHER]
    return profile.model_copy(update={"measurements": kept})


def file_bytes(records: Records) -> int | None:
    """The size of the .tflite, as it lies there or as its operator table tells; None where neither is there."""
    return records.file_bytes or (records.operators.file_bytes if records.operators else None)


def _accuracy_card(verification: Verification, origin: Origin | None) -> KeyFigure:
    result = verification.result
    change = result.tflite - result.keras
    lines = [
        f"Keras {percent(result.keras)}",
        f"change {points(change)}",
        f"agreement {percent(verification.agreement)}",
        f"{plural(verification.samples, 'image')} of {printable(verification.dataset)}",
    ]
    if origin is Origin.UNKNOWN:
        lines.append("of an unknown file")
    title = f"{capitalized(verification.headline)} of the file, {printable(verification.split)} split"
    return KeyFigure(title, percent(result.tflite), lines)


def _trained_card(history: History) -> KeyFigure:
    """Before the verification: what the training itself measured."""
    value = (history.test or {}).get(history.metric, math.nan)
    title = f"{capitalized(history.headline)} of the Keras model, test split"
    return KeyFigure(title, percent(value), ["the file is not verified yet"])


def _size_card(file_bytes: int, float_bytes: int | None) -> KeyFigure:
    lines = []
    if float_bytes:
        smaller = float_bytes / file_bytes
        comparison = f"{ratio(smaller)} smaller" if smaller >= 1 else f"{ratio(1 / smaller)} larger"
        lines = [f"float file {size(float_bytes)}", comparison]
    return KeyFigure("File size", size(file_bytes), lines)


def _latency_cards(profile: Profile, target: list[str]) -> list[KeyFigure]:
    best = fastest(profile)
    if best is None:
        return []
    if profile.machine.emulated:
        target = [*target, "emulated"]
    settings = sum(not is_float_baseline(measured) for measured in profile.measurements)
    lines = [*target, engine(best), f"{plural(best.threads, 'thread')}, fastest of {plural(settings, 'setting')}"]
    cards = [KeyFigure("Median latency", milliseconds(best.median_ms), lines)]
    pair = fair_pair(profile)
    times = speed(*pair) if pair else None
    if pair and times is not None:
        lines = [
            *target,
            verdict(times),
            *(f"{name} {_timed(one)}" for name, one in zip(("binary", "float"), pair, strict=True)),
        ]
        cards.append(KeyFigure("Speed against float", ratio(times), lines))
    return cards


def _timed(measurement: Measurement) -> str:
    return f"{milliseconds(measurement.median_ms)} ({plural(measurement.threads, 'thread')})"


def verdict(times: float) -> str:
    """A speed ratio in words, judged as it is printed: 1.00× is neither faster nor slower."""
    if ratio(times) == ratio(1.0):
        return "as fast as float LiteRT"
    return "faster than float LiteRT" if times > 1 else "slower than float LiteRT"


def _macs_card(operators: Operators) -> KeyFigure:
    binary, floats = operators.total("binary_macs"), operators.total("float_macs")
    share = binary_share(binary, floats)
    lines = [f"{macs(binary)} binary, {macs(floats)} float"]
    if any(operator.subgraph for operator in operators.operators):
        lines.append(ONCE)
    return KeyFigure("Binary share of MACs", "none" if share is None else percent(share), lines)


def cautions(records: Records) -> list[str]:
    """What a reader must know before believing the figures; empty where nothing is amiss."""
    found = list(provenance.remarks(records).values())
    if provenance.is_of_another_model(records):
        names = records.run.tflite.name, records.run.model.name
        told = f"{names[0]} was converted from another {names[1]} than the one that is in the folder now."
        found.append(f"{told} {records.command('convert')} makes it anew.")
    if records.graph_sha256 is None and (records.verification or records.operators or records.profiles):
        found.append(f"The folder holds no {records.run.tflite.name}: the figures are of a file that is not here.")
    if records.verification and (flips := sum(map(unexplained, records.verification.layers))) > 0:
        found.append(f"Sign flips that rounding does not explain: {count(flips)}. The file differs from Keras there.")
    return found


def latency_remarks(profiles: Iterable[Profile]) -> list[str]:
    """What to know of the latencies, besides the files that they are of."""
    found: list[str] = []
    for profile in profiles:
        found += [_lce_remark(profile.machine)] * lce_on_x86(profile)
        found += _emulated_remark(profile) + _idle_remarks(profile) + _throttled_remark(profile)
    return list(dict.fromkeys(found))


def _emulated_remark(profile: Profile) -> list[str]:
    where = printable(profile.target)
    return [f"{where} is emulated: its times say nothing of a real device."] * profile.machine.emulated


def _idle_remarks(profile: Profile) -> list[str]:
    """Where our library was to run a file and took nothing of it."""
    return [
        f"The native library took none of the {plural(measured.operators or 0, 'operator')} of "
        f"{printable(PurePath(measured.file).name)} on {printable(profile.target)}: the runtime ran them all."
        for measured in profile.measurements
        if measured.engine == "delegate" and measured.delegated_operators == 0
    ]


def _throttled_remark(profile: Profile) -> list[str]:
    number = sum(measured.throttled for measured in profile.measurements)
    if not number:
        return []
    what = f"Heat or the supply slowed {plural(number, 'measurement')} on {printable(profile.target)} down"
    return [f"{what}: they are marked as throttled. Cool the device, or measure with --cool-to."]


def _lce_remark(machine: Machine) -> str:
    return (
        f"LCE has no fast kernels for x86 processors ({printable(machine.architecture)}): "
        "its latency here is not what a 64-bit ARM phone shows."
    )
