"""`report`: everything that is known of a run, or of a .tflite with what lies beside it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile_bnn.errors import UsageError
from mobile_bnn.pipeline.locate import run_or_file
from mobile_bnn.pipeline.results import Shown
from mobile_bnn.run_folder import RunFolder

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobile_bnn.report.records import Records


@dataclass(frozen=True)
class Report(Shown):
    """The records of a run, as they were when they were read."""

    records: "Records"

    def __rich__(self) -> "RenderableType":
        from mobile_bnn import report

        return report.everything(self.records)

    def as_json(self) -> dict[str, Any]:
        """The figures as plain dicts and lists; docs/json.md lists them."""
        from mobile_bnn import report

        return report.as_json(self.records)

    def write(self, path: Path | str | None = None) -> Path:
        """Writes one HTML page that opens without a network, by default report.html in the run, and returns where.

        Raises:
            OSError: it cannot be written.
        """
        from mobile_bnn import report

        return report.write_html(self.records, path)


@dataclass(frozen=True)
class ComparedModels(Shown):
    """Several runs or files beside each other."""

    every: "list[Records]"

    def __rich__(self) -> "RenderableType":
        from mobile_bnn.report import pareto
        from mobile_bnn.report.layout import Fitted

        return Fitted(pareto.table(pareto.entries(self.every)))

    def as_json(self) -> dict[str, Any]:
        """The figures as plain dicts and lists; docs/json.md lists them."""
        from mobile_bnn.report import pareto

        return {"models": [asdict(entry) for entry in pareto.entries(self.every)]}

    def write(self, path: Path | str) -> Path:
        """Writes one HTML page that opens without a network, and returns where.

        Raises:
            OSError: it cannot be written.
        """
        from mobile_bnn.report.html import write_comparison

        return write_comparison(self.every, path)


def report_all(sources: Sequence[RunFolder | Path | str]) -> ComparedModels:
    """Several models beside each other, by what was measured of each: runs, or .tflite files with their profiles.

    Raises:
        UsageError: there is no such run or file, or one was not profiled.
        MobileBnnError: a record is damaged or of another version.
    """
    from mobile_bnn.report.records import read

    every = [read(run_or_file(Path(source))) for source in sources]
    for records in every:
        if not records.profiles:
            raise UsageError(f"{records.run} was not profiled", cure=f"{records.command('profile')} does it")
    return ComparedModels(every)


def report(run: RunFolder | Path | str) -> Report:
    """The report of a run folder or its model.tflite, or of another .tflite with what lies beside it.

    Raises:
        UsageError: there is no such run or file, or nothing to report.
        MobileBnnError: a record is damaged or of another version.
    """
    from mobile_bnn.report.records import read

    return Report(read(run_or_file(Path(run))))
