"""What a path on the command line means: a run, a file of a run, or a file alone."""

from pathlib import Path

from mobile_bnn.cli.console import run_folder
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


def run_or_file(path: Path) -> RunFolder:
    """The run whose binary file a path means, or the .tflite alone, with the records beside it.

    Raises:
        UsageError: the path is a folder, but not a run's, or there is nothing that could be either.
    """
    if not path.exists() and path.suffix != ".tflite":
        return run_folder(path)  # which says what there should be
    return run_of_file(path) or ModelFile(path)


def _run_around(path: Path, which: str) -> RunFolder | None:
    run = RunFolder(path.parent)
    return run if run.recipe.is_file() and path.is_file() and path.name == getattr(run, which).name else None
