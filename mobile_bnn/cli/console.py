"""What every sub-command shares: where text goes, how errors end, and the options that several have."""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.runs import RunFolder

INTERRUPTED = 130

# What is piped keeps a width that shows tables whole, instead of the 80 columns of a terminal that is not there.
_PIPED = 160
out = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _PIPED)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables, for machines.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Folder with local copies of data sets: official archives or files.", envvar="MBNN_DATA_DIR"
    ),
]


def print_json(content: Any) -> None:
    """Prints one JSON object on standard output."""
    sys.stdout.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def print_error(error: str) -> None:
    """Prints one line on standard error."""
    err.print(f"[bold red]error:[/] {escape(error)}", soft_wrap=True)


def reported(function: Callable[..., None]) -> Callable[..., None]:
    """A sub-command whose errors end in one line and an exit code: 1 the job failed, 2 bad usage, 130 interrupted."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except MobileBnnError as error:
            print_error(str(error))
            raise typer.Exit(error.exit_code) from error
        except ImportError as error:
            print_error(first_line(error))
            raise typer.Exit(MobileBnnError.exit_code) from error
        except OSError as error:
            if isinstance(error, BrokenPipeError):  # whoever read our output has seen enough
                sys.stdout = None  # nothing left to flush at exit
                raise typer.Exit(0) from error
            print_error(f"{error.strerror}: {error.filename}" if error.filename else first_line(error))
            raise typer.Exit(MobileBnnError.exit_code) from error
        except KeyboardInterrupt as error:
            err.print("interrupted; every file that was written is whole")
            raise typer.Exit(INTERRUPTED) from error

    return run


def run_folder(path: Path) -> RunFolder:
    """The run folder at `path`.

    Raises:
        UsageError: there is none.
    """
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
    cure = f"mbnn train --resume --run {run} ends its training"
    return _existing(run.model, f"{run} holds no trained model", cure)


def binary_file(run: RunFolder) -> Path:
    """A run's .tflite.

    Raises:
        UsageError: it was not converted yet.
    """
    return _existing(run.tflite, f"{run} holds no {run.tflite.name}", f"mbnn convert {run} makes it")


def _existing(path: Path, what: str, cure: str) -> Path:
    if not path.is_file():
        raise UsageError(what, cure=cure)
    return path
