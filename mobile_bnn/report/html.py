"""Writes a run's report as one HTML file that opens from disk with no network; it may be mailed as it is.

Plotly's script lies in the file, which makes 4.8 MB of its size. A Content-Security-Policy allows that script and the
page's own by their hashes and nothing else: no network, and nothing that a name out of a file could smuggle in.
"""

import base64
import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from mobile_bnn import __version__
from mobile_bnn.files import write_text
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History, Operators, Verification
from mobile_bnn.report import charts, figures, operator_times, provenance, tables
from mobile_bnn.report.formats import DOT, percent, printable
from mobile_bnn.report.records import Records, read
from mobile_bnn.run_folder import RunFolder
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


def _page(records: Records) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_resource("template.html.j2"))
    plotly, script = get_plotlyjs(), _resource("page.js")
    return template.render(
        title=f" {DOT} ".join(figures.identity(records)) or records.run.path.resolve().name,
        figures=figures.key_figures(records),
        cautions=figures.cautions(records),
        remarks=provenance.remarks(records),
        missing=records.missing,
        training=records.history and _training(records.history),
        accuracy=records.verification and _accuracy(records.verification),
        operators=records.operators and _operators(records.operators),
        latency=_latency(records.profiles) if records.profiles else None,
        operator_times=_operator_times(records),
        recipe=tables.recipe(records.recipe) if records.recipe else None,
        versions=tables.versions(records),
        version=__version__,
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        style=Markup(_resource("page.css")),
        plotly=Markup(plotly),
        script=Markup(script),
        script_hashes=f"{_hash(plotly)} {_hash(script)}",
    )


def _training(history: History) -> JsonObject:
    best = figures.best_epoch(history)
    sentence = ""
    if best is not None:
        value = percent(figures.validation_metric(history, best))
        metric, epochs = printable(history.metric), len(history.epochs)
        sentence = f"Highest validation {metric}: {value}, in epoch {best.epoch} of {epochs}."
    return {"charts": list(map(_chart, charts.training(history))), "best": sentence, "table": tables.training(history)}


def _accuracy(verification: Verification) -> JsonObject:
    layers = tables.layers(verification) if verification.layers else None
    return {"table": tables.accuracy(verification), "layers": layers}


def _operators(operators: Operators) -> JsonObject:
    return {
        "charts": list(map(_chart, charts.operators(operators))),
        "table": tables.operators(operators),
        "float_layers": tables.float_layers(operators),
    }


def _latency(profiles: list[Profile]) -> JsonObject:
    return {
        "charts": list(map(_chart, charts.latencies(profiles))),
        "table": tables.latency(profiles),
        "machines": list(map(tables.machine, profiles)),
        "remarks": figures.latency_remarks(profiles),
    }


def _operator_times(records: Records) -> list[JsonObject]:
    found = []
    for position, profile in enumerate(records.profiles):
        if measured := operator_times.timed(profile, records):
            chart = _chart(charts.operator_times(measured, position))
            found.append({"chart": chart, "tables": operator_times.tables(measured, profile.target)})
    return found


def _chart(chart: charts.Chart) -> JsonObject:
    return {"name": chart.name, "title": chart.title, "content": json.loads(chart.figure.to_json())}


def _resource(name: str) -> str:
    # Beside this file, not by importlib.resources: in an editable install that one finds a copy from install time.
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"
