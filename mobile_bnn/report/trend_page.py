"""Writes the trends of a history folder as one HTML page, without a script, that opens with no network.

The charts are SVG, whose lines take the page's colours, so that they are readable on dark and light alike.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timezone
from io import StringIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from mobile_bnn import __version__
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import write_text
from mobile_bnn.report.formats import plural, printable
from mobile_bnn.report.trends import Trend, tables

# The page stays small, however long a history is: the newest points of each line, together at most so many.
_POINTS, _MOST_OF_LINE, _LEAST_OF_LINE = 800, 100, 10
_MOST_CHARTS = 12
_MARKED = 30  # points of a line, each of which has a marker
_INK = "#010203"  # stands for the page's own text colour
_LINES = ("#3b8fd1", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#7f7fd5")  # told apart by colour-blind readers too

_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Trend of {{ title }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 0; }
figure { margin: .5rem 0; overflow-x: auto; } svg { width: 100%; min-width: 36rem; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .5rem 0; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #8886; }
.number { text-align: right; } footer, p.note { opacity: .75; font-size: .9rem; }
@media print { body { max-width: none; } figure, tr { break-inside: avoid; } }
</style>
</head>
<body>
<h1>Trend of {{ title }}</h1>
<p>{{ summary }}</p>
{% for table in tables %}
<div class="wide" tabindex="0" role="region" aria-label="{{ table.caption }}">
<table>
<caption>{{ table.caption }}</caption>
<thead><tr>
{% for column in table.columns %}
<th scope="col"{% if column.number %} class="number"{% endif %}>{{ column.header }}</th>
{% endfor %}</tr></thead>
<tbody>
{% for row in table.rows %}<tr>
{% for cell in row %}
<td{% if table.columns[loop.index0].number %} class="number"{% endif %}>{{ cell }}</td>
{% endfor %}</tr>
{% endfor %}</tbody>
</table>
</div>
{% endfor %}
{% for chart in charts %}
<h2>{{ chart.title }}</h2>
<figure tabindex="0" role="img" aria-label="{{ chart.title }}: medians over time, which the table has">
{{ chart.svg }}
</figure>
{% endfor %}
{% if note %}<p class="note">{{ note }}</p>{% endif %}
<footer><p>mobile_bnn {{ version }}, {{ date }}. Median of each profile in ms, with its 95 % interval where it is known;
crosses were throttled. A change counts where its 95 % interval leaves out 0.</p></footer>
</body>
</html>
"""


def write_trend_page(found: Sequence[Trend], path: Path | str, title: str, profiles: int) -> Path:
    """Writes the page, below 300 kB, and returns where.

    Args:
        found: what `trends` made of the profiles.
        path: of the page.
        title: of the page: the folder's name.
        profiles: how many profiles they are of.

    Raises:
        MobileBnnError: matplotlib is not installed.
        OSError: the page cannot be written.
    """
    groups: dict[str, list[Trend]] = defaultdict(list)
    for each in found:
        groups[f"{printable(each.file)} on {printable(each.target)}, {printable(each.cpu)}"].append(each)
    chosen = list(groups.items())[:_MOST_CHARTS]
    lines = sum(len(own) for _, own in chosen)
    newest = max(_LEAST_OF_LINE, min(_MOST_OF_LINE, _POINTS // max(lines, 1)))
    charts = [{"title": name, "svg": Markup(_chart(own, number, newest))} for number, (name, own) in enumerate(chosen)]
    left_out = len(groups) - len(charts)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(_TEMPLATE).render(
        title=printable(title),
        summary=f"{plural(profiles, 'profile')}, {plural(len(found), 'measurement')}.",
        tables=tables(found),
        charts=charts,
        note=f"{plural(left_out, 'chart')} left out; the tables have all." if left_out else "",
        version=__version__,
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    )
    write_text(path, page)
    return Path(path)


def _chart(found: Sequence[Trend], chart: int, newest: int) -> str:
    """The medians of one file over time, a line for each engine and thread count.

    Args:
        found: the lines.
        chart: number of the SVG element that is made.
        newest: how many points of each line are shown.
    """
    figure, axes = _figure()
    for number, trend in enumerate(found):
        colour = _LINES[number % len(_LINES)]
        points, places = trend.points[-newest:], _places(trend)[-newest:]
        medians = [point.median_ms for point in points]
        lows = [point.median_ms if point.low_ms is None else point.low_ms for point in points]
        highs = [point.median_ms if point.high_ms is None else point.high_ms for point in points]
        words = f"{printable(trend.engine)} {printable(trend.kernel)}, {plural(trend.threads, 'thread')}"
        if lows != highs:
            axes.fill_between(places, lows, highs, color=colour, alpha=0.2, linewidth=0)
        style = ("-", "--", ":")[number // len(_LINES) % 3]
        marker = "o" if len(points) <= _MARKED else None
        axes.plot(places, medians, style, color=colour, marker=marker, markersize=3, linewidth=1.5, label=words)
        slowed = [position for position, point in enumerate(points) if point.throttled]
        axes.plot([places[i] for i in slowed], [medians[i] for i in slowed], "x", color=colour, markersize=9)
    moments = {place for trend in found for place in _places(trend)[-newest:]}
    if len(moments) == 1:  # else the axis would be of years
        axes.set_xticks(list(moments))
    axes.set_ylim(bottom=0)
    axes.set_ylabel("median (ms)", color=_INK)
    axes.legend(frameon=False, labelcolor=_INK, fontsize=9)
    return _svg(figure, chart)


def _places(trend: Trend) -> list[Any]:
    """Moments, or numbers where a record does not tell its own."""
    try:
        return [datetime.fromisoformat(point.measured_at) for point in trend.points]
    except ValueError:
        return list(range(1, len(trend.points) + 1))


def _figure() -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MobileBnnError(
            "the page cannot be drawn", why="matplotlib is not installed", cure="pip install 'mobile-bnn[report]'"
        ) from error
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.grid(axis="y", color=_INK, alpha=0.15)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(_INK)
    figure.autofmt_xdate(rotation=0, ha="center")
    return figure, axes


def _svg(figure: Any, chart: int) -> str:
    """As an element without a prologue, whose ids are its own; texts are texts, and the ink is the page's colour."""
    from matplotlib import rc_context

    written = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mobile_bnn", "font.family": ["sans-serif"]}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>chart{chart}_", text[text.index("<svg") :])
    return text.replace(_INK, "currentColor")
