"""A chart of the page, and what several of them share."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mobile_bnn.report import drawing
from mobile_bnn.report.formats import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_LONGEST = 34  # characters of a label beside a bar


@dataclass(frozen=True)
class Chart:
    """A figure, the id of its place in the page, and its title there."""

    name: str
    title: str
    figure: "Figure"

    def svg(self) -> str:
        """An `<svg>` element."""
        return drawing.svg(self.figure, self.name, self.title)


def legend_above(axes: "Axes") -> None:
    """A legend above the figure's left end, in two columns."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.1)


def plain_ticks(axis: Any) -> None:
    """Ticks of a logarithmic axis as plain numbers: 0.05, 2, 500."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_data_interval()
    decades = math.log10(high / low) if 0 < low < high else 0.0
    steps = (1.0,) if decades > 2 else (1.0, 2.0, 5.0) if decades > 0.8 else tuple(map(float, range(1, 10)))
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def short(name: str, most: int = _LONGEST) -> str:
    """The end of a long name tells more than its beginning."""
    name = printable(name)
    return name if len(name) <= most else "…" + name[-most + 1 :]
