"""The tables of a report as plain text cells; the page and the terminal both draw these, so they cannot differ."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

from mobile_bnn import __version__
from mobile_bnn.profile_records import Machine, Measurement, Profile
from mobile_bnn.records import History, LayerCheck, Operators, Verification
from mobile_bnn.report.figures import ONCE, engine, is_float_baseline, speed_at_same_threads, unexplained
from mobile_bnn.report.formats import (
    capitalized,
    count,
    operator_number,
    percent,
    plural,
    printable,
    ratio,
    significant,
    size,
)
from mobile_bnn.report.layout import Column, Table
from mobile_bnn.report.records import Records
from mobile_bnn.typing import Json

_NAME = 8  # characters: layers' names are long, and may be broken anywhere


def _numbers(*headers: str) -> list[Column]:
    return [Column(header, number=True) for header in headers]


def training(history: History) -> Table:
    """One row for each epoch: its length, the learning rate and every metric; of flip ratios only their mean."""
    names = [*metric_names(history), *(name for name in flip_ratio_names(history) if name == "flip_ratio")]
    columns = _numbers("epoch", "time (s)", "learning rate", *(printable(name) for name in names))
    rows = []
    for epoch in history.epochs:
        values = [epoch.metrics.get(name) for name in names]
        cells = ["–" if value is None else significant(value, 4) for value in values]
        rows.append([count(epoch.epoch), significant(epoch.seconds), significant(epoch.learning_rate), *cells])
    return Table("Training by epoch", columns, rows)


def metric_names(history: History) -> list[str]:
    """The metrics in the order they first appear, without the flip ratios."""
    return [name for name in _all_names(history) if "flip_ratio" not in name]


def flip_ratio_names(history: History) -> list[str]:
    """The flip ratios: the mean of all layers (flip_ratio) and each layer's own (flip_ratio/…).

    Those of the validation are left out: nothing is trained there, so nothing flips.
    """
    return [name for name in _all_names(history) if name.startswith("flip_ratio")]


def _all_names(history: History) -> list[str]:
    return list(dict.fromkeys(name for epoch in history.epochs for name in epoch.metrics))


def accuracy(verification: Verification) -> Table:
    """Keras against the file, figure by figure."""
    rows = [
        *_metric_rows(verification),
        [_AGREEMENT.get(verification.task, "Same predictions in both"), percent(verification.agreement)],
        ["Largest difference of an output", significant(verification.largest_difference)],
        ["Images compared", count(verification.samples)],
    ]
    caption = f"Keras and the file on the {printable(verification.split)} split of {printable(verification.dataset)}"
    return Table(caption, [Column("figure"), Column("value", number=True)], rows)


_AGREEMENT = {"classification": "Same top-1 class in both"}


def _metric_rows(verification: Verification) -> list[list[str]]:
    """The headline metric first."""
    names = sorted(verification.metrics, key=lambda name: name != verification.headline)
    rows = []
    for name in names:
        pair, title = verification.metrics[name], capitalized(name)
        rows += [[f"{title}, Keras", percent(pair.keras)], [f"{title}, file", percent(pair.tflite)]]
    return rows


_OF_CLASSES = {"detection": "Average precision at an overlap of 0.5", "segmentation": "Intersection over union"}


def by_class(verification: Verification) -> Table | None:
    """The metric of each class, the best first; None for a task without such."""
    if not verification.classes:
        return None
    best_first = sorted(verification.classes.items(), key=lambda item: -item[1].tflite)
    rows = [[printable(name), percent(pair.keras), percent(pair.tflite)] for name, pair in best_first]
    title = _OF_CLASSES.get(verification.task, capitalized(verification.headline))
    return Table(f"{title}, by class", [Column("class", unbroken=_NAME), *_numbers("Keras", "file")], rows)


def layers(verification: Verification) -> Table:
    """The inputs of each binary layer: bits compared, bits that differ, and how many of those rounding explains."""
    columns = [
        Column("layer", unbroken=_NAME),
        *_numbers("#", "signs compared", "flips", "share flipped", "ties", "rounding", "propagated", "unexplained"),
    ]
    rows = [
        [printable(layer.layer), operator_number(layer.operator, layer.subgraph), *_flip_cells(layer)]
        for layer in verification.layers
    ]
    total = LayerCheck(
        layer="total",
        operator=0,
        bits=sum(layer.bits for layer in verification.layers),
        flips=sum(layer.flips for layer in verification.layers),
        ties=sum(layer.ties for layer in verification.layers),
        consequences=sum(layer.consequences for layer in verification.layers),
        rounding=max((layer.rounding for layer in verification.layers if layer.rounding is not None), default=None),
    )
    caption = f"Sign flips at the inputs of binary layers, on {plural(verification.layer_samples, 'image')}"
    return Table(caption, columns, rows, ["total", "", *_flip_cells(total)] if rows else [])


def _flip_cells(layer: LayerCheck) -> list[str]:
    share = percent(layer.flips / layer.bits, 4) if layer.bits else "–"
    rounding = "–" if layer.rounding is None else f"{layer.rounding:.1g}" if layer.rounding else "none"
    explained = (layer.consequences, unexplained(layer))
    return [count(layer.bits), count(layer.flips), share, count(layer.ties), rounding, *map(count, explained)]


def operators(table: Operators) -> Table:
    """One row for each operator of the file, batch 1; MACs and bytes are exact, those of loops are of one step."""
    called = any(row.subgraph for row in table.operators)
    columns = [
        *_numbers("#"),
        Column("operator"),
        *([Column("in", unbroken=_NAME)] if called else []),
        Column("layer", unbroken=_NAME),
        Column("output"),
        *_numbers("binary MACs", "float MACs", "weights (bytes)", "output (bytes)"),
    ]
    rows = [
        [
            operator_number(row.index, row.subgraph),
            printable(row.name),
            *([printable(row.called_as)] if called else []),
            printable(layer),
            f"{'×'.join(map(str, row.output_shape))} {printable(row.output_type)}",
            *map(count, (row.binary_macs, row.float_macs, row.weight_bytes, row.output_bytes)),
        ]
        for row, layer in zip(table.operators, short_names(table), strict=True)
    ]
    macs = (table.total("binary_macs"), table.total("float_macs"))
    sizes = (table.total("weight_bytes"), table.total("output_bytes"))
    totals = ["", "total", *([""] if called else []), "", "", *map(count, macs + sizes)]
    caption = f"Operators of the file ({size(table.file_bytes)}), batch 1"
    caption += f"; {ONCE}" if called else ""
    return Table(caption, columns, rows, totals if rows else [])


def float_layers(table: Operators) -> Table | None:
    """The layers declared binary that stayed float, with the reason; None if there is none."""
    rows = [[printable(layer), printable(why)] for layer, why in table.float_layers.items()]
    return Table("Layers that stayed float", [Column("layer", unbroken=_NAME), Column("why")], rows) if rows else None


def short_names(table: Operators) -> list[str]:
    """The layers' names without the model's, which most begin with, and without the further ones of fused operators."""
    names = [row.layer.partition(";")[0] for row in table.operators]
    for model, times in Counter(name.partition("/")[0] for name in names).most_common(1):
        if times > len(names) / 2:
            names = [name.removeprefix(f"{model}/") for name in names]
    return names


def latency(profiles: Sequence[Profile]) -> Table:
    """One row for each measurement on each target; latencies in ms over all runs after the warm-up."""
    # One binary file and its float twin are told apart by the engine's name; more files need names of their own.
    every = [(profile, measured) for profile in profiles for measured in profile.measurements]
    binary_files = {measured.file for _, measured in every if not is_float_baseline(measured)}
    pinned = any(measured.cores for _, measured in every)
    powered = any(measured.energy for _, measured in every)
    marked = any(_marks(profile, measured) for profile, measured in every)
    columns = [
        Column("target"),
        Column("engine"),
        *([Column("cores")] if pinned else []),
        *_numbers("threads", "median (ms)", "95 % interval", "p90 (ms)", "p99 (ms)", "min (ms)"),
        *_numbers("load (ms)", "first (ms)", "peak memory"),
        *(_numbers("energy (mJ)") if powered else []),
        *_numbers("speed against float"),
        *([Column("remark")] if marked else []),
    ]
    rows = []
    for profile, measured in every:
        times = speed_at_same_threads(measured, profile)
        name = engine(measured)
        if len(binary_files) > 1 or _is_another(measured, every):
            name += f", {printable(PurePath(measured.file).name)}"
        energy = significant(measured.energy.millijoules) if measured.energy else "–"
        rows.append(
            [
                printable(profile.target),
                name,
                *([printable(measured.cores)] if pinned else []),
                str(measured.threads),
                significant(measured.median_ms),
                _interval(measured),
                *map(significant, (measured.p90_ms, measured.p99_ms, measured.min_ms)),
                significant(measured.load_ms),
                "–" if measured.first_ms is None else significant(measured.first_ms),
                size(measured.peak_memory_bytes),
                *([energy] if powered else []),
                "–" if times is None else ratio(times),
                *([_marks(profile, measured)] if marked else []),
            ]
        )
    return Table(f"Latency, batch 1, {_runs(measured for _, measured in every)} each", columns, rows)


def _is_another(measured: Measurement, every: Sequence[tuple[Profile, Measurement]]) -> bool:
    """Whether it is of one of several float files, such as those that were measured beside the own twin."""
    floats = {other.file for _, other in every if is_float_baseline(other)}
    return is_float_baseline(measured) and len(floats) > 1


def _interval(measured: Measurement) -> str:
    if measured.median_low_ms is None or measured.median_high_ms is None:
        return "–"
    return f"{significant(measured.median_low_ms)} to {significant(measured.median_high_ms)}"


def _marks(profile: Profile, measured: Measurement) -> str:
    marks = ["emulated"] * profile.machine.emulated + ["throttled"] * measured.throttled
    return ", ".join(marks + ["stated by the tool"] * measured.stated)


def parity(profiles: Sequence[Profile]) -> Table | None:
    """What files computed beside their float files in the same session; None if none was compared."""
    rows = [
        [
            printable(profile.target),
            engine(measured),
            str(measured.threads),
            count(measured.parity.samples),
            printable(measured.parity.inputs),
            significant(measured.parity.largest_difference),
            percent(measured.parity.top1_agreement),
        ]
        for profile in profiles
        for measured in profile.measurements
        if measured.parity
    ]
    columns = [
        Column("target"),
        Column("engine"),
        *_numbers("threads", "samples"),
        Column("inputs"),
        *_numbers("largest difference", "same top-1"),
    ]
    return Table("Outputs beside those of the float file, in the same session", columns, rows) if rows else None


def _runs(measurements: Iterable[Measurement]) -> str:
    """How often each was run: slow models less often, fast ones more."""
    runs = sorted({measured.timed_runs for measured in measurements}) or [0]
    return plural(runs[0], "run") if len(runs) == 1 else f"{count(runs[0])} to {plural(runs[-1], 'run')}"


def machine(profile: Profile) -> Table:
    """Where the latencies were measured."""
    facts: Machine = profile.machine
    rows = [
        ["Target", profile.target],
        *(
            [["Emulated", "an emulator ran the programs: the times say nothing of a real device"]]
            if facts.emulated
            else []
        ),
        *([["Board", facts.board]] if facts.board and facts.board != facts.cpu else []),
        ["CPU", facts.cpu],
        ["Architecture", facts.architecture],
        ["Logical cores", count(facts.logical_cores)],
        *(
            [["Kinds of cores", _kinds(facts)]]
            if len(facts.cores) > 1 or any(each.max_mhz for each in facts.cores)
            else []
        ),
        ["Memory", size(facts.memory_bytes)],
        ["Frequency governor", facts.governor],
        ["Instruction sets", ", ".join(facts.flags) or "none of note"],
        ["Load average before measuring (1 min)", significant(facts.load_1min)],
        ["System", f"{facts.system}, {facts.bits}-bit programs"],
        *([["Distribution", facts.distribution]] if facts.distribution else []),
        *([["C library", facts.libc]] if facts.libc else []),
        *([["Python", facts.python]] if facts.python else []),
        *_conditions(profile),
    ]
    return _pairs("The machine that measured", "fact", rows)


def _kinds(facts: Machine) -> str:
    texts = []
    for kind in facts.cores:
        clock = "" if kind.max_mhz is None else f" up to {count(round(kind.max_mhz))} MHz"
        texts.append(f"{len(kind.cpus)} {kind.name}{clock}")
    return ", ".join(texts)


def _conditions(profile: Profile) -> list[list[str]]:
    """The range of temperatures and clocks of a session, and what throttled it."""
    moments = [moment for each in profile.measurements for one in each.rounds for moment in (one.before, one.after)]
    heats = [moment.temperature_c for moment in moments if moment.temperature_c is not None]
    clocks = [clock for moment in moments for clock in moment.mhz or []]
    throttled = sorted({reason for moment in moments for reason in moment.throttled or []})
    rows = []
    if heats:
        rows.append(["Temperature while measuring", f"{min(heats):.0f} to {max(heats):.0f} °C"])
    if clocks:
        rows.append(["Clock while measuring", f"{count(round(min(clocks)))} to {count(round(max(clocks)))} MHz"])
    if throttled:
        rows.append(["Throttled by", ", ".join(throttled)])
    if profile.measured_at:
        rows.append(["Measured at", profile.measured_at])
    return rows


def recipe(content: Mapping[str, Json]) -> Table:
    """What was asked for: every field of recipe.toml, nested ones with dots."""
    return _pairs("Recipe", "field", [[name, value] for name, value in _flat(content)])


def _flat(content: Mapping[str, Json], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((prefix + name, str(value).lower() if isinstance(value, bool) else str(value)))
    return rows


def versions(records: Records) -> Table:
    """The software that made the file, that measured it and that wrote the report."""
    rows = [["mobile_bnn (this report)", __version__]]
    if records.metadata:
        rows += [[f"{name} (made the file)", version] for name, version in sorted(records.metadata.versions.items())]
    measurements = [measurement for profile in records.profiles for measurement in profile.measurements]
    measured = {(measurement.engine, measurement.engine_version) for measurement in measurements}
    rows += [[f"{name} (measured)", version] for name, version in sorted(measured)]
    return _pairs("Versions", "package", rows)


def _pairs(caption: str, header: str, rows: list[list[str]]) -> Table:
    return Table(caption, [Column(header), Column("value")], [[printable(cell) for cell in row] for row in rows])
