"""Numbers as text: one way to write each kind of figure, so that no two places of a report can differ."""

import math

from mobile_bnn.wording import operator_number as operator_number
from mobile_bnn.wording import plural as plural

MINUS, DOT = "\u2212", "\u00b7"


def printable(text: str, most: int = 200) -> str:
    """A name out of a file, safe to show: control characters (also a terminal's escapes) replaced, cut at `most`."""
    clean = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[: most + 1])
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def count(number: int) -> str:
    """An exact whole number with thousands separators: 12,345."""
    return f"{number:,}".replace("-", MINUS)


def significant(number: float, digits: int = 3) -> str:
    """A figure with that many significant digits: 0.0612, 1.50, 123, 1,235; very small or large ones as 1.2e-07."""
    if not math.isfinite(number) or number == 0:
        return f"{number:g}".replace("-", MINUS)
    if 1e-4 <= abs(number) < 1e7:
        rounded = float(f"{number:.{digits - 1}e}")
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
        text = f"{rounded:,.{decimals}f}" if decimals else f"{number:,.0f}"
    else:
        text = f"{number:.{digits - 1}e}"
    return text.replace("-", MINUS)


def percent(share: float, decimals: int = 2) -> str:
    """A share (0 to 1) in percent. What is not all never reads 100 %, and what is not nothing never reads 0 %."""
    if not math.isfinite(share):
        return significant(share)
    least = 10.0**-decimals
    if share < 1 and round(share * 100, decimals) >= 100:
        return f">{100 - least:.{decimals}f} %"
    if share > 0 and round(share * 100, decimals) <= 0:
        return f"<{least:.{decimals}f} %"
    return f"{share * 100:.{decimals}f} %"


def points(difference: float) -> str:
    """A signed difference of two shares in percentage points: +0.28 points."""
    text = f"{difference * 100:+.2f}"
    return ("0.00" if float(text) == 0 else text.replace("-", MINUS)) + " points"


def size(number: int) -> str:
    """Bytes with decimal units: 512 B, 21.3 kB, 1.25 MB."""
    return _scaled(number, ["B", "kB", "MB", "GB", "TB"])


def macs(number: int) -> str:
    """Multiply-accumulates with decimal prefixes: 512, 21.3 k, 1.25 M."""
    return _scaled(number, ["", "k", "M", "G", "T"])


def milliseconds(value: float) -> str:
    """A latency with its unit: 0.0612 ms."""
    return f"{significant(value)} ms"


def ratio(value: float) -> str:
    """How many times: 0.44×, 2.31×, 17.1×."""
    return f"{value:.2f}×" if 0.1 <= value < 10 else f"{significant(value)}×"


def _scaled(number: int, units: list[str]) -> str:
    if number < 1000:
        return f"{number} {units[0]}".strip()
    value, step = float(number), 0
    while value >= 999.5 and step < len(units) - 1:
        value, step = value / 1000, step + 1
    return f"{significant(value)} {units[step]}"


def capitalized(metric: str) -> str:
    """A metric's name at the beginning of a sentence: Top-1; mAP and mIoU stay as they are written."""
    return printable(metric if metric[1:2].isupper() else metric[:1].upper() + metric[1:])
