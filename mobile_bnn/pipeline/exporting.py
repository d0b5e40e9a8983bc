"""`export_profile`: profiles for other programs, as CSV and as a trace."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import write_text
from mobile_bnn.pipeline.comparing import load
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import Operators


def export_profile(
    *sources: Path | str,
    csv: Path | str | None = None,
    operators_csv: Path | str | None = None,
    trace: Path | str | None = None,
    target: str | None = None,
) -> list[Path]:
    """Writes profiles for other programs, and returns what was written.

    Args:
        sources: profiles, run folders, or .tflite files with their profiles beside them.
        csv: a file with a row for each measurement.
        operators_csv: a file with a row for each operator.
        trace: a file for ui.perfetto.dev or chrome://tracing: one inference of each measurement, operator by operator.
        target: whose profile of a run; by default this machine's, or the only one that there is.

    Raises:
        UsageError: there is no such profile, nothing is to be written, or no operators were timed.
        MobileBnnError: a profile is damaged or of another version.
        OSError: a file cannot be written.
    """
    from mobile_bnn.report import csv_export, trace_export

    if not sources or not any((csv, operators_csv, trace)):
        missing = "no profile is named" if not sources else "nothing is to be written"
        raise UsageError(missing, cure="Name a profile, and at least one of --csv, --operators-csv and --trace")
    profiles = [load(source, target) for source in sources]
    if (operators_csv or trace) and not any(each.operator_times for one in profiles for each in one.measurements):
        raise UsageError(
            "no operators were timed", why="no engine of the profile tells their times", cure="Leave all but --csv out"
        )
    tables = _tables(profiles, sources)
    plan: list[tuple[Path | str | None, Callable[[], str]]] = [
        (csv, lambda: csv_export.measurements_csv(profiles)),
        (operators_csv, lambda: csv_export.operators_csv(profiles, tables)),
        (trace, lambda: trace_export.trace_json(profiles, tables)),
    ]
    written = []
    for path, content in plan:
        if path is not None:
            write_text(path, content())
            written.append(Path(path))
    return written


def _tables(profiles: Sequence[Profile], sources: Sequence[Path | str]) -> dict[str, Operators]:
    """The operator tables of the measured files that still lie where they were, by the hash of their graph."""
    from mobile_bnn.runtime import operator_table

    beside = [path for source in map(Path, sources) for path in (source, *_files_in(source))]
    measured = [Path(each.file) for profile in profiles for each in profile.measurements]
    found: dict[str, Operators] = {}
    for path in dict.fromkeys([*beside, *measured]):
        if path.suffix != ".tflite" or not path.is_file():
            continue
        try:
            table = operator_table(path)
        except MobileBnnError:  # a file that was damaged since: its multiply-accumulates stay unknown
            continue
        found.setdefault(table.graph_sha256, table)
    return found


def _files_in(source: Path) -> list[Path]:
    return sorted(source.glob("*.tflite")) if source.is_dir() else []
