"""The tables of a report for the terminal, as Rich renderables; names out of files are never read as markup."""

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from mobile_bnn.report import figures, tables
from mobile_bnn.report.formats import DOT
from mobile_bnn.report.records import Records, read
from mobile_bnn.runs import History, Operators, Profile, RunFolder, Verification


def training_table(history: History) -> RichTable:
    """One row for each epoch."""
    return _rich(tables.training(history))


def verification_table(verification: Verification) -> Group:
    """Keras against the file, then the sign flips of each binary layer."""
    parts = [_rich(tables.accuracy(verification))]
    if verification.layers:
        parts.append(_rich(tables.layers(verification)))
    return Group(*parts)


def operator_table(operators: Operators) -> Group:
    """One row for each operator of the file, and the totals; then the layers that stayed float, with the reason."""
    stayed_float = tables.float_layers(operators)
    return Group(_rich(tables.operators(operators)), *([_rich(stayed_float)] if stayed_float else []))


def profile_table(profile: Profile) -> Group:
    """One row for each measurement, what to know about it, and the machine."""
    parts: list[RenderableType] = [_rich(tables.latency(profile))]
    if figures.lce_on_x86(profile):
        parts.append(Text(figures.lce_remark(profile.machine), style="yellow"))
    parts.append(_rich(tables.machine(profile)))
    return Group(*parts)


def summary(run: RunFolder) -> Group:
    """The key figures of a run, what is amiss, and the commands that make what is missing.

    Raises:
        UsageError: there is no such folder, or nothing in it to report.
        MobileBnnError: a record is damaged or of another version.
    """
    return _summary(read(run))


def everything(run: RunFolder) -> Group:
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
    if records.profile:
        parts.append(profile_table(records.profile))
    if records.recipe:
        parts.append(_rich(tables.recipe(records.recipe)))
    return Group(*parts, _rich(tables.versions(records)))


def _summary(records: Records) -> Group:
    grid = RichTable.grid(padding=(0, 2))
    for card in figures.key_figures(records):
        grid.add_row(Text(card.title), Text(card.value, style="bold"), Text("; ".join(card.lines), style="dim"))
    title = Text(f" {DOT} ".join(figures.identity(records)) or str(records.run))
    notes = [Text(caution, style="yellow") for caution in figures.cautions(records)]
    hints = [Text(f"No {missing.title} yet: {missing.command}", style="dim") for missing in records.missing]
    return Group(Panel(grid, title=title, title_align="left", expand=False), *notes, *hints)


def _rich(table: tables.Table) -> RichTable:
    shown = RichTable(
        title=Text(table.caption, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        min_width=min(len(table.caption), 78),  # a caption on one line, also of a narrow table
        padding=0,  # the columns of the widest table just fit into 80 characters
        pad_edge=False,
        show_footer=bool(table.totals),
    )
    for position, column in enumerate(table.columns):
        # Numbers are never broken, so their headers are: the words of each below one another.
        shown.add_column(
            Text(column.header.replace(" ", "\n") if column.number else column.header),
            footer=Text(table.totals[position]) if table.totals else "",
            justify="right" if column.number else "left",
            no_wrap=column.number,
            min_width=column.least_width or None,
            vertical="top",
            overflow="fold",
        )
    for row in table.rows:
        shown.add_row(*map(Text, row))
    return shown
