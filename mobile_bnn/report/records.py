"""Reads what a run folder holds for a report; a stage that has not run is named with the command that runs it."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.files import sha256
from mobile_bnn.prediction_records import Predictions
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History, Operators, Verification
from mobile_bnn.run_folder import ModelFile, RunFolder, run_at
from mobile_bnn.runtime import ModelMetadata, graph_sha256, operator_table, read_metadata, read_model
from mobile_bnn.typing import JsonObject


@dataclass(frozen=True)
class Missing:
    """A section that a report leaves out: its title and the command that makes its record."""

    title: str
    command: str


@dataclass(frozen=True)
class Records:
    """The records of one run; None where there is none, and a profile for each target.

    File sizes are bytes of the files that lie there now.
    """

    run: RunFolder
    recipe: JsonObject
    metadata: ModelMetadata | None
    history: History | None
    verification: Verification | None
    predictions: Predictions | None
    operators: Operators | None
    profiles: list[Profile]
    file_bytes: int | None
    float_file_bytes: int | None
    file_sha256: str | None
    float_file_sha256: str | None
    graph_sha256: str | None
    float_graph_sha256: str | None
    model_sha256: str | None

    @property
    def missing(self) -> list[Missing]:
        """The sections that have no record, in the order of the stages."""
        stages = [
            (self.history, "Training", self.command("train")),
            (self.operators, "Operators", self.command("convert")),
            (self.verification, "Accuracy before and after conversion", self.command("verify")),
            (self.profiles or None, "Latency", self.command("profile")),
        ]
        if isinstance(self.run, ModelFile):  # which was not trained here, and whose operators are read from itself
            stages = stages[2:]
        return [Missing(title, command) for record, title, command in stages if record is None]

    def command(self, stage: str) -> str:
        """The command that makes the record of a stage."""
        name = shlex.quote(str(self.run))
        if stage == "train":
            return "mbnn train"
        if stage == "verify" and isinstance(self.run, ModelFile):
            return f"mbnn verify {name} --model KERAS_MODEL --dataset NAME"
        if stage == "convert" and isinstance(self.run, ModelFile):
            return f"mbnn convert {shlex.quote(str(self.run.model))}"
        return f"mbnn {stage} {name}"


def read(run: "RunFolder | Records | Path | str") -> Records:
    """Reads every record of `run`, a run folder or a .tflite with what lies beside it, or the path of one.

    Records that are read already are what they are.

    Raises:
        UsageError: there is no such folder or file, or nothing in it to report.
        MobileBnnError: a record is damaged or of another version.
    """
    if isinstance(run, Records):
        return run
    run = run_at(run)
    alone = isinstance(run, ModelFile)
    if not run.path.is_dir() and not alone:
        raise UsageError(f"there is no run folder {run}", cure="mbnn train makes one, mbnn demo makes runs/demo")
    # Each file is read once: another process may write a new one meanwhile.
    model = read_model(run.tflite) if alone or run.tflite.is_file() else None
    graph = model and graph_sha256(model)
    history = run.optional(History, run.history)
    records = Records(
        run=run,
        recipe=_recipe(run.recipe),
        metadata=model and read_metadata(model),
        # Training writes an empty history before its first epoch ends.
        history=history if history and history.epochs else None,
        verification=run.optional(Verification, run.verification),
        predictions=run.optional(Predictions, run.predictions),
        operators=_operators(run, graph),
        profiles=[Profile.load(path) for path in run.profiles()],
        file_bytes=_file_bytes(run.tflite),
        float_file_bytes=_file_bytes(run.float_tflite),
        file_sha256=_sha256(run.tflite),
        float_file_sha256=_sha256(run.float_tflite),
        graph_sha256=graph,
        float_graph_sha256=_twins_graph(run.float_tflite),
        model_sha256=_sha256(run.model),
    )
    if not any((records.history, records.verification, records.operators, records.profiles)):
        names = [path.name for path in (run.history, run.operators, run.verification, run.profile().parent)]
        raise UsageError(
            f"there is nothing to report in {run}",
            why=f"it holds none of {', '.join(names)}",
            cure=f"Make them with {', '.join(missing.command for missing in records.missing)}",
        )
    return records


def _recipe(path: Path) -> JsonObject:
    if not path.is_file():
        return {}
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise MobileBnnError(f"{path} is not a TOML file", why=first_line(error)) from error


def _operators(run: RunFolder, graph: str | None) -> Operators | None:
    """The operator table that conversion left, with the layers that stayed float, if it is of this very file."""
    recorded = run.optional(Operators, run.operators)
    if graph is None or (recorded and recorded.graph_sha256 == graph):
        return recorded
    return operator_table(run.tflite)


def _twins_graph(path: Path) -> str | None:
    """The hash of the float twin's graph; None if there is none, or none that can be read: only its size is shown."""
    try:
        return graph_sha256(path) if path.is_file() else None
    except MobileBnnError:
        return None


def _file_bytes(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _sha256(path: Path) -> str | None:
    return sha256(path) if path.is_file() else None
