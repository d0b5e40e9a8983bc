"""Draws published ImageNet accuracy over the latency that was measured here."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mobile_bnn import zoo
from mobile_bnn.zoo.figures import figures

_INK, _GREY = "#1f2933", "#9aa5b1"
_COLOURS = ("#2f7fc1", "#dd7a10", "#169c78", "#bb5f9a", "#9a8f1f", "#8b6f5a", "#c0392b", "#5b5ea6")


@dataclass(frozen=True)
class Point:
    """One network: its latency, its best published top-1, and the family that gives its colour."""

    name: str
    family: str
    latency_ms: float
    top1: float


def points() -> list[Point]:
    """The networks for ImageNet with a published accuracy, the fastest first."""
    found = []
    for name, measured in figures().items():
        entry = zoo.get(name)
        values = [each.top1 for each in entry.published if each.dataset == "ImageNet"]
        if values:
            family = entry.backbone.__module__.rpartition(".")[2]
            found.append(Point(name, family, measured.latency_ms, max(values)))
    return sorted(found, key=lambda point: point.latency_ms)


def digest() -> str:
    """Of all that the plot shows; it stands in the file, by which a test knows an old one."""
    return hashlib.sha256(json.dumps([asdict(point) for point in points()]).encode()).hexdigest()


def front(every: list[Point]) -> list[Point]:
    """Those that no faster network is as accurate as."""
    kept: list[Point] = []
    for point in every:
        if not kept or point.top1 > kept[-1].top1:
            kept.append(point)
    return kept


def draw(path: Path) -> None:
    """Writes the plot as SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    every = points()
    families = sorted({point.family for point in every})
    colours = {family: _COLOURS[index % len(_COLOURS)] for index, family in enumerate(families)}
    markers = {family: "os^Dv"[index // len(_COLOURS)] for index, family in enumerate(families)}
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "zoo", "font.size": 9, "text.color": _INK}):
        figure = Figure(figsize=(9, 6), layout="constrained")
        axes = figure.subplots()
        best = front(every)
        axes.step([p.latency_ms for p in best], [p.top1 for p in best], where="post", color=_GREY, lw=1, zorder=1)
        for point in every:
            style = {"color": colours[point.family], "marker": markers[point.family]}
            axes.scatter([point.latency_ms], [point.top1], s=28, zorder=3, **style)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:g}"[0] in "25" else ""))
        machines = ", ".join(sorted({f"{each.processor}, {each.kernel}" for each in figures().values()}))
        axes.set_xlabel(f"latency of the delegate in ms, one thread ({machines}), logarithmic")
        axes.set_ylabel("published top-1 on ImageNet, %")
        axes.set_title("Up and to the left is better; the line joins what no faster network reaches", fontsize=9)
        axes.grid(color="#e4e7eb", lw=0.6)
        axes.set_axisbelow(True)
        axes.set_xlim(every[0].latency_ms / 1.3, every[-1].latency_ms * 1.5)
        _label(axes, every)
        figure.savefig(path, format="svg", metadata={"Date": None, "Description": digest()}, facecolor="white")


def _label(axes: Any, every: list[Point]) -> None:
    """Names beside the points, moved apart where they would lie on one another."""
    from adjustText import adjust_text

    names = [axes.text(point.latency_ms, point.top1, point.name, fontsize=6.5) for point in every]
    lines = {"arrowstyle": "-", "color": _GREY, "lw": 0.5}
    places = [point.latency_ms for point in every], [point.top1 for point in every]
    adjust_text(names, *places, ax=axes, arrowprops=lines, iter_lim=300)  # not by time: the same picture everywhere
