"""Prints what our converter and LCE's alone make of every family of graphs, and keeps it as docs/conversion-matrix.md.

usage: make conversion-matrix, or: python tools/conversion_matrix/table.py [--only TEXT]
"""

from pathlib import Path
from textwrap import shorten
from typing import Annotated

import typer
import worker
from results import Result, by_lce, by_us
from rich import box
from rich.table import Table

from mobile_bnn.cli.console import err, out, reported
from mobile_bnn.cli.progress import progress
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import write_text

worker.with_families()
from matrix.every import PARTS  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "conversion-matrix.md"
HEAD = ("graph", "ours", "operators", "bytes", "LCE alone", "operators", "bytes")
NUMBERS = (3, 6)
SECONDS = 120
MOST_TEXT = 200  # characters of a reason; those of MLIR name every place that led there
Rows = dict[str, list[list[str]]]


def main(
    only: Annotated[
        str, typer.Option(help="Only families with this text in their names; the page stays as it is.")
    ] = "",
) -> None:
    """Convert every family with both converters, in processes of their own, and compare their outputs with Keras's."""
    chosen = {part: [f.name for f in families if only in f.name] for part, families in PARTS.items()}
    count = sum(map(len, chosen.values()))
    if not count:
        raise UsageError(f"no family has {only!r} in its name")
    results = _results(chosen, count)
    rows = {part: [_cells(name, *results[name]) for name in names] for part, names in chosen.items() if names}
    for part in rows:
        out.print(_to_rich(part, rows[part]))
    if not only:
        write_text(PAGE, _to_markdown(rows))
        err.print(f"kept as {PAGE}", soft_wrap=True)
    wrong = [name for name, (ours, _) in results.items() if ours.wrong and not ours.refused]
    if wrong:
        raise MobileBnnError(f"our files compute something else than Keras for {', '.join(wrong)}")


def _results(chosen: dict[str, list[str]], count: int) -> dict[str, tuple[Result, Result]]:
    results = {}
    with (
        worker.Worker(by_us, SECONDS) as us,
        worker.Worker(by_lce, SECONDS) as lce,
        progress("converting", count, "families") as advance,
    ):
        for name in (name for names in chosen.values() for name in names):
            answers = (us.ask(name), lce.ask(name))
            ours, theirs = (Result(0, answer) if isinstance(answer, str) else answer for answer in answers)
            results[name] = (ours, theirs)
            advance(1)
    return results


def _cells(name: str, ours: Result, lce: Result) -> list[str]:
    cells = [(_verdict(result, ours.asked), _operators(result), _size(result)) for result in (ours, lce)]
    return [name, *cells[0], *cells[1]]


def _verdict(result: Result, asked: int) -> str:
    """In a word what became of a model of which that many layers are declared binary."""
    why = shorten(" ".join(result.refused.split()), MOST_TEXT, placeholder=" ...")
    if result.operators is None:
        return f"refused: {why}"
    if result.wrong:
        return f"**wrong**: {result.wrong:.1%} of the outputs"
    if result.refused:
        return f"{f'{result.binary} of {asked} binary' if result.binary else 'float'}: {why}"
    bconvs = result.operators.get("LceBconv2d", 0)
    if bconvs == 0:
        product = result.operators.get("LceDequantize", 0) and result.operators.get("BATCH_MATMUL", 0)
        return "binary" if product else "float"
    return "binary" if bconvs >= asked else f"{bconvs} of {asked} binary"


def _operators(result: Result) -> str:
    counts = (result.operators or {}).items()
    return ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in counts)


def _size(result: Result) -> str:
    return f"{result.size_bytes:,}" if result.size_bytes else ""


def _to_rich(part: str, rows: list[list[str]]) -> Table:
    table = Table(title=part, box=box.SIMPLE_HEAD, title_justify="left")
    for number, cell in enumerate(HEAD):
        table.add_column(cell, justify="right" if number in NUMBERS else "left")
    for row in rows:
        table.add_row(*(cell.replace("**", "") for cell in row))
    return table


def _to_markdown(rows: Rows) -> str:
    lines = [PAGE_TEXT.format(count=sum(map(len, rows.values())))]
    for part, cells in rows.items():
        lines += [
            f"## {part}",
            "",
            *(
                _line(list(HEAD)),
                "|" + "|".join("--:" if number in NUMBERS else "---" for number in range(len(HEAD))) + "|",
            ),
            *map(_line, cells),
            "",
        ]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


PAGE_TEXT = """\
# The conversion matrix

`make conversion-matrix` writes this page: what our converter and LCE's alone make of {count} kinds of small Keras
graphs, each with weights as after a training. Outputs are compared with Keras's on noise, zeros, −0.0, large numbers
and numbers on the thresholds themselves: ours in LiteRT with our library, LCE's in LCE's interpreter.
`pytest tests/converters/test_matrix.py` checks every row of ours, in LCE's interpreter too.

*binary*: every layer that asked for it, with Keras's outputs. *float*: the file is right, but not binary, though
nobody said so. *wrong*: a file that computes something else, though nobody said so.
"""

if __name__ == "__main__":
    typer.run(reported(main))
