"""Reads what a run folder holds for a report; a stage that has not run is named with the command that runs it."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.files import sha256
from mobile_bnn.runs import History, Operators, Profile, RunFolder, Verification
from mobile_bnn.runtime.metadata import ModelMetadata, read_metadata


@dataclass(frozen=True)
class Missing:
    """A section that a report leaves out: its title and the command that makes its record."""

    title: str
    command: str


@dataclass(frozen=True)
class Records:
    """The records of one run; None where there is none. File sizes are bytes of the files that lie there now."""

    run: RunFolder
    recipe: dict[str, Any]
    metadata: ModelMetadata | None
    history: History | None
    verification: Verification | None
    operators: Operators | None
    profile: Profile | None
    file_bytes: int | None
    float_file_bytes: int | None
    file_sha256: str | None

    @property
    def missing(self) -> list[Missing]:
        """The sections that have no record, in the order of the stages."""
        folder = shlex.quote(str(self.run))
        stages = [
            (self.history, "Training", "mbnn train"),
            (self.operators, "Operators", f"mbnn convert {folder}"),
            (self.verification, "Accuracy before and after conversion", f"mbnn verify {folder}"),
            (self.profile, "Latency", f"mbnn profile {folder}"),
        ]
        return [Missing(title, command) for record, title, command in stages if record is None]


def read(run: RunFolder) -> Records:
    """Reads every record of `run`.

    Raises:
        UsageError: there is no such folder, or nothing in it to report.
        MobileBnnError: a record is damaged or of another version.
    """
    if not run.path.is_dir():
        raise UsageError(f"there is no run folder {run}", cure="mbnn train makes one, mbnn demo makes runs/demo")
    history = run.optional(History, run.history)
    records = Records(
        run=run,
        recipe=_recipe(run.recipe),
        metadata=_metadata(run.tflite),
        # Training writes an empty history before its first epoch ends.
        history=history if history and history.epochs else None,
        verification=run.optional(Verification, run.verification),
        operators=run.optional(Operators, run.operators),
        profile=run.optional(Profile, run.profile),
        file_bytes=_file_bytes(run.tflite),
        float_file_bytes=_file_bytes(run.float_tflite),
        file_sha256=sha256(run.tflite) if run.tflite.is_file() else None,
    )
    if not any((records.history, records.verification, records.operators, records.profile)):
        names = [path.name for path in (run.history, run.operators, run.verification, run.profile)]
        raise UsageError(
            f"there is nothing to report in {run}",
            why=f"it holds none of {', '.join(names)}",
            cure=f"Make them with {', '.join(missing.command for missing in records.missing)}",
        )
    return records


def _recipe(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise MobileBnnError(f"{path} is not a TOML file", why=first_line(error)) from error


def _metadata(path: Path) -> ModelMetadata | None:
    return read_metadata(path) if path.is_file() else None


def _file_bytes(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
