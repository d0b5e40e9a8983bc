"""Draws a method's quantizers, forward and backward, into an image file."""

from itertools import groupby
from pathlib import Path
from typing import Any

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import atomic_file
from mobile_bnn.methods.curves import Curve, curves
from mobile_bnn.methods.method import Method

SUFFIXES = (".png", ".svg", ".pdf")
_LIMIT = 3.2  # of what is shown: an estimator may peak far above the sign's jump
_COLOURS = {"trained": "#2f7fc1", "inferred": "#8b93a0", "gradient": "#dd7a10"}


def plot(method: Method, path: Path) -> None:
    """Writes a plot of both quantizers: values in training and at inference, and the gradient.

    Where a schedule changes them, dashed lines are the start of the training and solid ones its end.

    Args:
        method: with its hyperparameters.
        path: .png, .svg or .pdf.

    Raises:
        UsageError: it is of another kind.
        MobileBnnError: matplotlib is not installed, or the method leaves weights and activations as they are.
        OSError: the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path} is not a kind of image that can be drawn", cure=f"End it in {', '.join(SUFFIXES)}")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MobileBnnError("matplotlib is not installed", cure="pip install 'mobile-bnn[train]'") from error
    found = curves(method)
    if not found:
        raise MobileBnnError(f"{method.card.name} quantizes nothing by itself, so there is nothing to draw")
    parts = [(of, list(group)) for of, group in groupby(found, lambda curve: curve.of)]
    figure = Figure(figsize=(4.2 * len(parts), 3.8), dpi=120, layout="constrained")
    figure.suptitle(method.card.title)
    for axes, (of, group) in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        _draw(axes, of, group)
    shown = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in figure.axes]
    lines = {label: line for pairs in shown for line, label in pairs}
    columns = 3 if len(parts) > 1 else 2
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=columns, fontsize="small")
    with atomic_file(path) as part:
        figure.savefig(part, format=path.suffix[1:].lower())


def _draw(axes: Any, of: str, group: list[Curve]) -> None:
    for curve in group:
        last = curve is group[-1]
        inference = [("inferred", "inference")] if last else []
        for name, label in (*inference, ("trained", "training"), ("gradient", "gradient")):
            axes.plot(
                curve.x,
                getattr(curve, name),
                color=_COLOURS[name],
                linestyle="-" if last else "--",
                linewidth=2.6 if name == "inferred" else 1.4,
                label=label if last else f"{label}, at the start",
            )
    lowest = min(min(curve.inferred.min(), curve.trained.min()) for curve in group)
    highest = max(max(curve.inferred.max(), curve.trained.max(), curve.gradient.max()) for curve in group)
    axes.set_ylim(max(-_LIMIT, min(-0.2, 1.15 * lowest)), min(_LIMIT, max(1.2, 1.15 * highest)))
    axes.set_title(of)
    axes.grid(alpha=0.25)
