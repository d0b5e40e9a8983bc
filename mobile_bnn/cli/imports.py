"""`--import FILE`: layers of one's own, for every command that reads a Keras model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.errors import UsageError

Imports = Annotated[
    list[Path] | None,
    typer.Option(
        "--import",
        metavar="FILE",
        help="A Python file with layers of your own, which is run first, so it must be one that you trust; repeatable.",
    ),
]


def import_paths(imports: Sequence[Path] | None) -> Sequence[Path]:
    """The files of `--import`, for `Source.load` and `load_model`; refused before TensorFlow loads.

    Raises:
        UsageError: one of them does not exist.
    """
    for path in imports or ():
        if not path.is_file():
            raise UsageError(f"there is no Python file {path}", cure="--import takes one with layers of your own")
    return imports or ()
