"""Matplotlib figures as SVG that belongs into the page: its colours, its font, ids that cannot clash.

Matplotlib writes colours into the elements. Those of text and lines are placeholders here, in whose place the page's
own variables come, so that a chart is light or dark with the page.
"""

import html
import importlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mobile_bnn.errors import MobileBnnError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURE = "pip install 'mobile-bnn[report]'"
INK, GRID = "#0a0b0c", "#0c0b0a"  # which no chart uses for anything else
_VARIABLES = {INK: "var(--faint)", GRID: "var(--grid)"}
WIDTH = 4.7  # inches: 338 points, so that a text of 10 points is 10 pixels high on a phone of 360
HEIGHT = 2.7

# Told apart by colour-blind readers (after Okabe and Ito), and readable on white and on near-black.
BLUE, ORANGE, GREEN, PURPLE, SKY, OLIVE = "#2f7fc1", "#dd7a10", "#169c78", "#bb5f9a", "#4aa6d8", "#9a8f1f"
GREY = "#8b93a0"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, OLIVE)

_STYLE = {
    "font.size": 10,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,  # a name with dollars is a name
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",
    "svg.image_inline": True,
}


def is_available() -> bool:
    """Whether charts can be drawn here; a device needs no Matplotlib to measure."""
    return find_spec("matplotlib") is not None


@contextmanager
def style() -> Iterator[None]:
    """Everything that is drawn inside looks like the page."""
    with _matplotlib().rc_context(_STYLE):
        yield


def axes(height: float = HEIGHT, width: float = WIDTH) -> "tuple[Figure, Axes]":
    """An empty figure of so many inches, with axes that leave room for their labels.

    Raises:
        MobileBnnError: Matplotlib is not installed.
    """
    _matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def svg(figure: "Figure", name: str, title: str) -> str:
    """A figure as an `<svg>` element for the page.

    Args:
        figure: drawn within `style`.
        name: unique in the page; ids begin with it.
        title: what a screen reader says.
    """
    content = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with _matplotlib().rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(content, format="svg", transparent=True, metadata=nothing)
    text = content.getvalue()
    text = text[text.index("<svg") :].rstrip()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<style type="text/css">.*?</style>', "", text, flags=re.DOTALL)  # for all elements of the page
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'((?:xlink:)?href="|url\()#', rf"\g<1>#{name}-", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    for placeholder, variable in _VARIABLES.items():
        text = text.replace(placeholder, variable)
    text = re.sub(r"(<svg[^>]*?) height=\"[^\"]*\"", r"\1", text, count=1)
    text = re.sub(r"(<svg[^>]*?) width=\"[^\"]*\"", r"\1", text, count=1)
    label = html.escape(title, quote=True)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _matplotlib() -> Any:
    try:
        return importlib.import_module("matplotlib")
    except ImportError as error:
        raise MobileBnnError("charts cannot be drawn", why="Matplotlib is not installed", cure=CURE) from error
