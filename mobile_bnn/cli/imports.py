"""`--import FILE`: layers, methods and networks of one's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.errors import UsageError
from mobile_bnn.python_files import run_python_file

Imports = Annotated[
    list[Path] | None,
    typer.Option(
        "--import",
        metavar="FILE",
        help="A Python file with layers or methods of your own, which is run first, so it must be one that you trust; "
        "repeatable.",
    ),
]


def import_paths(imports: Sequence[Path] | None) -> Sequence[Path]:
    """The files of `--import`, for `Source.load` and `load_model`; refused before TensorFlow loads.

    Raises:
        UsageError: one of them does not exist.
    """
    for path in imports or ():
        if not path.is_file():
            raise UsageError(
                f"there is no Python file {path}", cure="--import takes one with your own layers or methods"
            )
    return imports or ()


def run_imports(imports: Sequence[Path] | None) -> None:
    """Runs the files of `--import`, whose methods, networks and tasks are then known by name.

    Raises:
        UsageError: one of them does not exist.
        MobileBnnError: one cannot be run.
    """
    for path in import_paths(imports):
        run_python_file(path)
