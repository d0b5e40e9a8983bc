"""What a path means: a run, a file of a run, or a file alone; and the files that a run must have."""

import shlex
from pathlib import Path

from mobile_bnn.errors import UsageError
from mobile_bnn.run_folder import ModelFile, RunFolder


def is_run(path: Path) -> bool:
    """Whether a path is meant as a run folder, not as a SavedModel folder or a file."""
    return path.is_dir() and not (path / "saved_model.pb").exists()


def run_of_model(path: Path) -> RunFolder | None:
    """The run whose trained model a path means: its folder, or model.keras in it; None for any other model.

    Raises:
        UsageError: the path is a folder, but neither a run's nor a SavedModel.
    """
    return run_folder(path) if is_run(path) else _run_around(path, "model")


def run_of_file(path: Path) -> RunFolder | None:
    """The run whose binary file a path means: its folder, or model.tflite in it; None for any other file.

    Raises:
        UsageError: the path is a folder, but not a run's.
    """
    return run_folder(path) if is_run(path) else _run_around(path, "tflite")


def run_or_file(path: Path | str) -> RunFolder:
    """The run whose binary file a path means, or the .tflite alone, with the records beside it.

    Raises:
        UsageError: the path is a folder, but not a run's, or there is nothing that could be either.
    """
    path = Path(path)
    if not path.exists() and path.suffix != ".tflite":
        return run_folder(path)  # which says what there should be
    return run_of_file(path) or ModelFile(path)


def _run_around(path: Path, which: str) -> RunFolder | None:
    run = RunFolder(path.parent)
    return run if run.recipe.is_file() and path.is_file() and path.name == getattr(run, which).name else None


def run_folder(path: Path | str) -> RunFolder:
    """The run folder at `path`.

    Raises:
        UsageError: there is none.
    """
    path = Path(path)
    run = RunFolder(path)
    if not path.is_dir():
        raise UsageError(f"there is no run folder {path}", cure="mbnn train makes one, mbnn demo a first one")
    if not run.recipe.is_file():
        raise UsageError(f"{path} is not a run folder", why=f"it holds no {run.recipe.name}")
    return run


def keras_model(run: RunFolder) -> Path:
    """A run's trained Keras model.

    Raises:
        UsageError: its training has not ended.
    """
    cure = f"mbnn train --resume --run {shlex.quote(str(run))} ends its training"
    return _existing(run.model, f"{run} holds no trained model", cure)


def binary_file(run: RunFolder) -> Path:
    """A run's .tflite.

    Raises:
        UsageError: it was not converted yet.
    """
    return _existing(run.tflite, f"{run} holds no {run.tflite.name}", f"mbnn convert {shlex.quote(str(run))} makes it")


def _existing(path: Path, what: str, cure: str) -> Path:
    if not path.is_file():
        raise UsageError(what, cure=cure)
    return path
