"""Shows results: tables for the terminal and for docs/performance.md, between two markers."""

from dataclasses import dataclass
from pathlib import Path

from cases import CASES, Layer
from inference import LCE_DEFAULT, LCE_INDIRECT, LITERT_FLOAT, OURS
from records import BenchResult, OfOneCpu
from rich import box
from rich import table as rich_table

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import write_text

BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"
BASELINES = (LCE_DEFAULT, LCE_INDIRECT, LITERT_FLOAT)


@dataclass(frozen=True)
class Table:
    """A title and cells; the first row is the head."""

    title: str
    head: list[str]
    rows: list[list[str]]

    def to_markdown(self) -> str:
        """As Markdown, figures aligned to the right."""
        ruler = ["---"] + ["--:"] * (len(self.head) - 1)
        lines = ["| " + " | ".join(cells) + " |" for cells in (self.head, ruler, *self.rows)]
        return f"**{self.title}**\n\n" + "\n".join(lines) + "\n"

    def to_rich(self) -> rich_table.Table:
        """For the terminal."""
        table = rich_table.Table(title=self.title, box=box.SIMPLE_HEAD, title_justify="left")
        for number, cell in enumerate(self.head):
            table.add_column(cell, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        return table


def tables(result: BenchResult) -> list[Table]:
    """All tables of a result."""
    names = list(dict.fromkeys(latency.case for latency in result.latencies))
    layers = [name for name in names if isinstance(CASES[name], Layer)]
    ours = [engine for engine in result.engines() if engine.startswith(OURS)]
    every = [_latencies(result, names, threads) for threads in result.threads]
    every += [_ratios(result, names, ours, threads) for threads in result.threads]
    if layers:
        every.append(_throughput(result, layers, ours))
        if {1, 2} <= set(result.threads):
            every.append(_scaling(result, layers, [LCE_DEFAULT, LCE_INDIRECT, LITERT_FLOAT, *ours]))
    if result.footprints:
        every.append(_footprints(result))
    return every


def to_markdown(result: BenchResult) -> str:
    """The part of the page that tells of one CPU."""
    return heading(result) + "\n".join(table.to_markdown() for table in tables(result))


def heading(result: OfOneCpu, figure: str = "median") -> str:
    """The CPU, and under what conditions it was measured; `figure` is what the figures are of the rounds."""
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    machine = result.machine
    return (
        f"### {result.cpu}\n\n{machine.system}, {machine.logical_cores} logical cores, {', '.join(machine.flags)}; "
        f"load {machine.load_1min:.1f} before the run; {versions}; {figure} of {result.rounds} rounds.\n\n"
    )


def update(page: Path, results: list[BenchResult]) -> None:
    """Puts the results between the markers of the page, atomically."""
    put_between(page, BEGIN, END, "\n".join(to_markdown(result) for result in results))


def put_between(page: Path, begin: str, end: str, inner: str) -> None:
    """Replaces what stands between two markers of a page, atomically.

    Raises:
        MobileBnnError: the page has not both markers, once each and in their order.
    """
    text = page.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise MobileBnnError(f"{page} cannot be updated", why=f"it needs one {begin} and, after it, one {end}")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    write_text(page, f"{before}{begin}\n\n{inner}\n{end}{after}")


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _latencies(result: BenchResult, names: list[str], threads: int) -> Table:
    engines = result.engines()
    rows = [
        [CASES[name].title, *(f"{result.latency_ms(name, engine, threads):.3f}" for engine in engines)]
        for name in names
    ]
    return Table(f"Milliseconds per inference, {_threads(threads)}", ["", *engines], rows)


def _ratios(result: BenchResult, names: list[str], ours: list[str], threads: int) -> Table:
    def times_faster(name: str, engine: str) -> str:
        mine = result.latency_ms(name, engine, threads)
        return " / ".join(f"{result.latency_ms(name, other, threads) / mine:.1f}×" for other in BASELINES)

    rows = [[CASES[name].title, *(times_faster(name, engine) for engine in ours)] for name in names]
    return Table(f"Times faster than {' / '.join(BASELINES)}, {_threads(threads)}", ["", *ours], rows)


def _throughput(result: BenchResult, layers: list[str], ours: list[str]) -> Table:
    threads = min(result.threads)

    def giga_macs(name: str, engine: str) -> str:
        return f"{result.binary_macs[name] / result.latency_ms(name, engine, threads) / 1e6:,.0f}"

    rows = [[CASES[name].title, *(giga_macs(name, engine) for engine in ours)] for name in layers]
    return Table(f"Gbit-MAC per second, {_threads(threads)}", ["", *ours], rows)


def _scaling(result: BenchResult, layers: list[str], engines: list[str]) -> Table:
    def speed_up(name: str, engine: str) -> str:
        return f"{result.latency_ms(name, engine, 1) / result.latency_ms(name, engine, 2):.2f}×"

    rows = [[CASES[name].title, *(speed_up(name, engine) for engine in engines)] for name in layers]
    return Table("Two threads against one", ["", *engines], rows)


def _footprints(result: BenchResult) -> Table:
    rows = [[item.engine, f"{item.start_up_ms:.1f}", f"{item.memory_bytes / 1e6:.1f}"] for item in result.footprints]
    return Table("QuickNetSmall in a fresh process, 1 thread", ["", "start-up, ms", "peak memory, MB"], rows)
