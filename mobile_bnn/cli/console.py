"""What every sub-command shares: where text goes, how errors end, and the options that several have."""

import functools
import json
import math
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.console import Console, ConsoleDimensions, RenderableType
from rich.status import Status
from rich.text import Text

from mobile_bnn.cli import interrupts
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.pipeline.results import Kept
from mobile_bnn.run_folder import RunFolder

# What is piped keeps a width that shows tables whole, instead of the 80 columns of a terminal that is not there.
_PIPED = 160


class _Status(Status):
    """A status line whose text is never taken for markup."""

    def update(self, status: RenderableType | None = None, **options: Any) -> None:
        """Shows another text."""
        super().update(_plain(status), **options)


class PlainConsole(Console):
    """A console that prints strings as they are: what a user named may hold brackets, colons and control characters.

    Styles are `rich.text.Text`, see `labelled`.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    @property  # type: ignore[misc]  # Rich's own can be set, which nothing here does
    def size(self) -> ConsoleDimensions:
        """Of the terminal that this very stream leads to, or what COLUMNS and LINES say."""
        columns, lines = _terminal_size(self.file)
        return ConsoleDimensions(_positive("COLUMNS") or columns, _positive("LINES") or lines)

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as text; control characters, which a terminal would obey, as escapes."""
        return super().render_str(_visible(text), **options)

    def status(self, status: RenderableType, **options: Any) -> Status:
        """A status line while a block runs; only in terminals."""
        spinner = "line" if self.options.ascii_only else "dots"
        return _Status(_plain(status), console=self, spinner=spinner, **options)


def _terminal_size(stream: IO[str]) -> tuple[int, int]:
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (AttributeError, OSError, ValueError):
        return _PIPED, 25
    return columns or 80, lines or 25  # some pseudo-terminals have no size


def _positive(variable: str) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else 0


def _plain(text: RenderableType | None) -> Any:
    return Text(_visible(text)) if isinstance(text, str) else text


def _visible(text: str) -> str:
    return "".join(_escaped(letter) if ord(letter) < 32 or 126 < ord(letter) < 160 else letter for letter in text)


def _escaped(letter: str) -> str:
    return letter if letter in "\n\t" else letter.encode("unicode_escape").decode("ascii")


out = PlainConsole()
err = PlainConsole(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables, for machines.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Folder with local copies of data sets: official archives or files.", envvar="MBNN_DATA_DIR"
    ),
]


def print_json(content: Mapping[str, Any]) -> None:
    """Prints one JSON object on standard output; numbers that JSON lacks are strings, as in the files of a run."""
    content = _finite(content)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(out.encoding)
    except UnicodeEncodeError:
        text = json.dumps(content, indent=1, allow_nan=False)
    out.file.write(text + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def labelled(label: str, style: str, text: str) -> Text:
    """A text after a label in a style, e.g. `labelled("error:", "bold red", what)`."""
    return Text.assemble((label, style), " ", _visible(text))


def print_error(error: str) -> None:
    """Prints one line on standard error."""
    err.print(labelled("error:", "bold red", error.replace("\n", "\\n")), soft_wrap=True)


def tell_if_not_kept(kept: Kept) -> None:
    """Warns where a result, which is printed by now, could not be kept."""
    if kept.not_kept:
        err.print(labelled("not kept:", "yellow", kept.not_kept), soft_wrap=True)


def shell_quoted(path: Path | RunFolder | str) -> str:
    """A path as an argument of a command that a user may copy."""
    return shlex.quote(str(path))


def reported(function: Callable[..., None]) -> Callable[..., None]:
    """A sub-command whose errors end in one line and an exit code: 1 the job failed, 2 bad usage, 130 interrupted."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except typer.Exit:
            raise
        except (Exception, KeyboardInterrupt) as error:
            raise typer.Exit(_report(error)) from error

    return run


def _report(error: BaseException) -> int:
    """Says what ended a sub-command, and returns its exit code.

    Raises:
        BaseException: the error itself where it is our own fault.
    """
    if isinstance(error, KeyboardInterrupt) or interrupts.pressed():
        err.print("interrupted; every file that was written is whole", soft_wrap=True)
        return interrupts.INTERRUPTED
    if isinstance(error, MobileBnnError):
        print_error(str(error))
        return error.exit_code
    if isinstance(error, OSError):
        print_error(f"{error.strerror}: {error.filename}" if error.filename else first_line(error))
    elif isinstance(error, ImportError):
        print_error(first_line(error))
    else:
        raise error
    return MobileBnnError.exit_code
