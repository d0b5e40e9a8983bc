"""Standard streams that no job ends for: closed ones, full ones, and those whose encoding lacks a letter.

What cannot be written to standard error is dropped, for it tells only how the work goes. A failure of standard output
is remembered while the work goes on, and told at the end. A reader that has seen enough (`| head`) is not a failure.
"""

import codecs
import io
import os
import sys

TYPE_CHECKING = False  # as in typing, which takes too long to import, see main.py
if TYPE_CHECKING:
    from typing import Any, TextIO

ERRORS = "mobile_bnn.look_alike"

# Boxes and bars of rich, Larq and typer; the signs that our own figures and names have; what people type into names.
LOOK_ALIKES = {
    **dict.fromkeys("−‐‑‒–—―─━╌╍┄┅┈┉═╴╶╸╺", "-"),
    **dict.fromkeys("│┃║╎╏┆┇", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛┣┫┳┻╋╒╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡╢╣╤╥╦╧╨╩╪╫╬┡┩╇", "+"),
    **dict.fromkeys("‘’‚′", "'"),
    **dict.fromkeys("“”„″", '"'),
    **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
    **{"×": "x", "·": ".", "•": "*", "…": "...", "±": "+/-", "≈": "~", "≤": "<=", "≥": ">=", "→": "->", "�": "?"},
    **{"\u00b5": "u", "\u03bc": "u", "°": "deg "},
}

_output: "_Forgiving | None" = None


def prepare() -> None:
    """Puts streams in place that can be written to wherever they lead. For the start of a program."""
    global _output
    _open_missing_descriptors()
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the program
    sys.stdout, _output = _safe(sys.stdout, 1)
    sys.stderr, _ = _safe(sys.stderr, 2)


def output_failure() -> OSError | None:
    """What went wrong with standard output since `prepare`, once all was written; None where nothing did."""
    sys.stdout.flush()
    failure = _output.failure if _output else None
    return None if isinstance(failure, BrokenPipeError) else failure


def _open_missing_descriptors() -> None:
    """Opens /dev/null where a standard stream was closed.

    Else the next file that anybody opens gets that number, and what native code prints is written into it.
    """
    for descriptor in range(3):
        if not _is_open(descriptor):
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number is this one


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


class _Forgiving(io.FileIO):
    """A descriptor to write to; after the first failure it drops what it is given."""

    failure: OSError | None = None

    def write(self, content: "Any") -> int:
        """Writes some of the bytes and returns how many, as FileIO does."""
        if self.failure is None:
            try:
                return super().write(content)
            except OSError as error:
                self.failure = error
        return memoryview(content).nbytes


def _safe(stream: "Any", descriptor: int) -> "tuple[TextIO, _Forgiving | None]":
    if stream is None or getattr(stream, "closed", False):
        nowhere = _Forgiving(os.devnull, "w")
        return io.TextIOWrapper(io.BufferedWriter(nowhere), encoding="utf-8", errors=ERRORS), nowhere
    try:
        ours = isinstance(stream, io.TextIOWrapper) and stream.fileno() == descriptor
    except OSError:  # in memory
        ours = False
    if not ours:
        return stream, None
    stream.flush()
    raw = _Forgiving(descriptor, "w", closefd=False)
    text = io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),  # as Python itself does with -u
        encoding=stream.encoding,
        errors=ERRORS,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    return text, raw


def _look_alike(error: UnicodeError) -> tuple[str | bytes, int]:
    """What is written for the first letter that an encoding lacks: the name of a file keeps its bytes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    if "\udc80" <= letter <= "\udcff":  # a byte of a file's name that is no text, as Python carries it
        return bytes([ord(letter) - 0xDC00]), error.start + 1
    return LOOK_ALIKES.get(letter) or letter.encode("ascii", "backslashreplace").decode("ascii"), error.start + 1


codecs.register_error(ERRORS, _look_alike)
