"""The tables of a report for the terminal, as Rich renderables; names out of files are never read as markup."""

from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.text import Text

from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History, Operators, Verification
from mobile_bnn.report import figures, operator_times, tables
from mobile_bnn.report.anchors import anchor_lines
from mobile_bnn.report.formats import DOT, printable
from mobile_bnn.report.layout import Column, Fitted, Table
from mobile_bnn.report.records import Records, read
from mobile_bnn.run_folder import RunFolder


def training_table(history: History) -> Fitted:
    """One row for each epoch."""
    return Fitted(tables.training(history))


def verification_table(verification: Verification) -> Group:
    """Keras against the file, class by class where its task tells of them, then each binary layer's sign flips."""
    parts = [Fitted(tables.accuracy(verification))]
    if by_class := tables.by_class(verification):
        parts.append(Fitted(by_class))
    if verification.layers:
        parts.append(Fitted(tables.layers(verification)))
    return Group(*parts)


def operator_table(operators: Operators) -> Group:
    """One row for each operator of the file, and the totals; then the layers that stayed float, with the reason."""
    stayed_float = tables.float_layers(operators)
    return Group(Fitted(tables.operators(operators)), *([Fitted(stayed_float)] if stayed_float else []))


def profile_table(*profiles: Profile) -> Group:
    """One row for each measurement on each target, what to know about it, and the machines."""
    remarks = [Text(remark, style="yellow") for remark in figures.latency_remarks(profiles)]
    machines = [Fitted(tables.machine(profile)) for profile in profiles]
    compared = tables.parity(profiles)
    return Group(Fitted(tables.latency(profiles)), *remarks, *([Fitted(compared)] if compared else []), *machines)


def summary(run: RunFolder | Records | Path | str) -> Group:
    """The key figures of a run, what is amiss, and the commands that make what is missing.

    Raises:
        UsageError: there is no such folder, or nothing in it to report.
        MobileBnnError: a record is damaged or of another version.
    """
    return _summary(read(run))


def everything(run: RunFolder | Records | Path | str) -> Group:
    """The whole report of a run: the summary and every table of its page.

    Raises:
        UsageError: there is no such folder, or nothing in it to report.
        MobileBnnError: a record is damaged or of another version.
    """
    records = read(run)
    parts: list[RenderableType] = [_summary(records)]
    if records.history:
        parts.append(training_table(records.history))
    if records.verification:
        parts.append(verification_table(records.verification))
    if records.operators:
        parts.append(operator_table(records.operators))
    if records.profiles:
        parts.append(profile_table(*records.profiles))
        parts += [Text(line) for profile in records.profiles for line in anchor_lines(profile, records.metadata)]
    for profile in records.profiles:
        if measured := operator_times.timed(profile, records):
            rows = records.operators.operators if records.operators else []
            names = tables.short_names(records.operators) if records.operators else []
            parts += map(Fitted, operator_times.tables(measured, profile.target, rows, names))
    if records.recipe:
        parts.append(Fitted(tables.recipe(records.recipe)))
    return Group(*parts, Fitted(tables.versions(records)))


def _summary(records: Records) -> Group:
    notes = [Text(caution, style="yellow") for caution in figures.cautions(records)]
    hints = [Text(f"No {missing.title.lower()} yet: {missing.command}", style="dim") for missing in records.missing]
    return Group(_KeyFigures(records), *notes, *hints)


class _KeyFigures:
    """The key figures in a frame, or below one another where the frame would be too narrow."""

    def __init__(self, records: Records) -> None:
        cards = figures.key_figures(records)
        rows = [[card.title, card.value, "; ".join(card.lines)] for card in cards]
        columns = [Column(""), Column("", number=True, style="bold"), Column("", style="dim")]
        self._cards = Fitted(Table("", columns, rows), gap=2)
        self._title = f" {DOT} ".join(figures.identity(records)) or printable(str(records.run))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inside = options.max_width - 4  # without the frame and its padding
        if self._cards.fits(inside) and len(self._title) <= inside - 2:
            yield Panel(self._cards, title=Text(self._title), title_align="left", expand=False)
        else:
            yield Text(self._title, style="bold", overflow="fold")
            yield self._cards
