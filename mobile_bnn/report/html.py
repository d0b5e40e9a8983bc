"""Writes a run's report as one HTML file that opens from disk with no network; it may be mailed as it is.

A Content-Security-Policy allows the page's own script by its hash and nothing else: no network, and nothing that a name
out of a file could smuggle in.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from mobile_bnn import __version__
from mobile_bnn.files import write_text
from mobile_bnn.profile_records import Measurement
from mobile_bnn.records import History, Operators, Verification
from mobile_bnn.report import charts, classes, drawing, figures, operator_times, pareto, provenance, tables
from mobile_bnn.report.anchors import anchor_lines
from mobile_bnn.report.formats import DOT, percent, plural, printable
from mobile_bnn.report.records import Records, read
from mobile_bnn.run_folder import ModelFile, RunFolder
from mobile_bnn.typing import JsonObject


def write_html(run: RunFolder | Records | Path | str, path: Path | str | None = None) -> Path:
    """Writes the report of `run` to `path`, or to report.html in its folder, and returns where it is.

    Raises:
        UsageError: there is no such folder, or nothing in it to report.
        MobileBnnError: a record is damaged or of another version.
    """
    records = read(run)
    target = Path(path) if path is not None else Path(records.run.report)
    write_text(target, _page(records))
    return target


def write_comparison(every: Sequence[Records], path: Path | str) -> Path:
    """Writes one page of several runs beside each other to `path`, and returns where it is."""
    write_text(path, _comparison(every))
    return Path(path)


def _comparison(every: Sequence[Records]) -> str:
    profiles = [profile for records in every for profile in records.profiles]
    found = pareto.entries(every)
    models = list(dict.fromkeys(entry.model for entry in found))
    targets = ", ".join(dict.fromkeys(printable(each.target) for each in profiles))
    return _render(
        "comparison.html.j2",
        title=f"{plural(len(models), 'model')} on {targets}",
        remarks=figures.latency_remarks(profiles),
        pareto=_pareto(found),
        latency={
            "charts": _drawn(charts.latencies, profiles),
            "table": tables.latency(profiles),
            "parity": tables.parity(profiles),
            "machines": list(map(tables.machine, {profile.target: profile for profile in profiles}.values())),
        },
    )


def _pareto(found: list[pareto.Entry]) -> JsonObject:
    return {
        "charts": _drawn(charts.pareto, found),
        "table": pareto.table(found),
        "sources": pareto.sources(found),
    }


def _render(name: str, **content: Any) -> str:
    names = ("parts.html.j2", "template.html.j2", "comparison.html.j2")
    environment = Environment(
        loader=DictLoader({each: _resource(each) for each in names}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _resource("page.js")
    return environment.get_template(name).render(
        **content,
        version=__version__,
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        style=Markup(_resource("page.css")),
        script=Markup(script),
        script_hash=_hash(script),
        no_charts="" if drawing.is_available() else drawing.CURE,
    )


def _page(records: Records) -> str:
    found = pareto.entries([records])
    several = len({entry.model for entry in found}) > 2  # more than a file and its float twin
    return _render(
        "template.html.j2",
        title=f" {DOT} ".join(figures.identity(records)) or printable(_name(records.run)),
        figures=figures.key_figures(records),
        cautions=figures.cautions(records),
        remarks=provenance.remarks(records),
        missing=records.missing,
        training=records.history and _training(records.history),
        accuracy=records.verification and _accuracy(records.verification),
        classes=_classes(records),
        operators=records.operators and _operators(records.operators),
        latency=_latency(records) if records.profiles else None,
        pareto=_pareto(found) if several else None,
        operator_times=_operator_times(records),
        recipe=tables.recipe(records.recipe) if records.recipe else None,
        versions=tables.versions(records),
    )


def _name(run: RunFolder) -> str:
    return run.tflite.stem if isinstance(run, ModelFile) else run.path.resolve().name


def _training(history: History) -> JsonObject:
    best = figures.best_epoch(history)
    sentence = ""
    if best is not None:
        value = percent(figures.validation_metric(history, best))
        metric, epochs = printable(history.metric), len(history.epochs)
        sentence = f"Highest validation {metric}: {value}, in epoch {best.epoch} of {epochs}."
    return {"charts": _drawn(charts.training, history), "best": sentence, "table": tables.training(history)}


def _accuracy(verification: Verification) -> JsonObject:
    layers = tables.layers(verification) if verification.layers else None
    by_class = tables.by_class(verification)
    return {"table": tables.accuracy(verification), "by_class": by_class, "layers": layers}


def _classes(records: Records) -> JsonObject | None:
    found = classes.of(records)
    if found is None:
        return None
    drawn = _drawn(lambda matrix: [charts.confusion(matrix)], found.matrix)
    return {"found": found, "charts": drawn}


def _operators(operators: Operators) -> JsonObject:
    return {
        "charts": _drawn(charts.operators, operators),
        "table": tables.operators(operators),
        "float_layers": tables.float_layers(operators),
    }


def _latency(records: Records) -> JsonObject:
    profiles = records.profiles
    return {
        "published": [line for profile in profiles for line in anchor_lines(profile, records.metadata)],
        "charts": _drawn(charts.latencies, profiles),
        "table": tables.latency(profiles),
        "parity": tables.parity(profiles),
        "machines": list(map(tables.machine, profiles)),
        "remarks": figures.latency_remarks(profiles),
    }


def _operator_times(records: Records) -> list[JsonObject]:
    found: list[JsonObject] = []
    rows = records.operators.operators if records.operators else []
    names = tables.short_names(records.operators) if records.operators else []
    for position, profile in enumerate(records.profiles):
        if measured := operator_times.timed(profile, records):
            split = operator_times.breakdown(measured, rows, layers=names)
            found.append(
                {
                    "charts": _drawn(_time_charts, split, measured, records, position),
                    "tables": operator_times.tables(measured, profile.target, rows, names),
                }
            )
    return found


def _time_charts(
    split: operator_times.Breakdown, measured: Measurement, records: Records, position: int
) -> list[charts.Chart]:
    found = charts.operator_times(split, position)
    roof = charts.roofline(split, measured, records.operators, position) if records.operators else None
    return [*found, roof] if roof else found


def _drawn(draw: Callable[..., list[charts.Chart]], *arguments: Any) -> list[JsonObject]:
    """Charts as elements of the page; none where there is nothing to draw with."""
    if not drawing.is_available():
        return []
    return [
        {"name": chart.name, "title": chart.title, "svg": Markup(chart.svg())}  # what is in it is escaped there
        for chart in draw(*arguments)
    ]


def _resource(name: str) -> str:
    # Beside this file, not by importlib.resources: in an editable install that one finds a copy from install time.
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"
