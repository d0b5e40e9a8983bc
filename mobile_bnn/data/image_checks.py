"""Decodes every image of a folder once: all damaged ones are named now, and none ends a training hours later."""

import os
import re
import stat
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import UnidentifiedImageError
from rich.console import Console
from rich.progress import Progress

from mobile_bnn.data.image_decoding import BY_PILLOW, pillow_pixels, way_to_read
from mobile_bnn.data.image_files import named
from mobile_bnn.data.stream import decode
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.legacy_keras import tf
from mobile_bnn.native_output import caught_stderr
from mobile_bnn.progress_columns import progress_columns
from mobile_bnn.typing import TfTensor
from mobile_bnn.wording import plural

_AT_ONCE = 256  # files
_NAMED = 10
_KINDS = {"jpg": "JPEG", "jpeg": "JPEG", "jpe": "JPEG", "jfif": "JPEG", "tif": "TIFF", "webp": "WebP"}
# What libjpeg prints where it makes the best of damaged data. TensorFlow would print it again in every epoch.
_REPAIRED = re.compile(
    r"Corrupt JPEG data|Premature end of JPEG file|Inconsistent progression|Invalid SOS parameters|Unknown Adobe color"
    r"|Warning: unknown JFIF|Application transferred too"
)


@dataclass(frozen=True)
class Examined:
    """What the check found: the way to read each image, and those that decode in spite of damaged data."""

    ways: dict[Path, int] = field(default_factory=dict)
    repaired: list[Path] = field(default_factory=list)


def examine(paths: list[Path], folder: Path) -> Examined:
    """Decodes all images, with a progress bar in a terminal.

    Args:
        paths: the image files.
        folder: where they lie, for the message.

    Raises:
        MobileBnnError: some cannot be decoded; it names the first ten and says how many there are.
    """
    examined, problems = Examined(), {}
    with _bar("checking images", len(paths)) as advance, _no_warnings():
        for chunk, answers in _ways_or_problems(paths):
            with caught_stderr() as lines:
                _decode_by_tensorflow(chunk, answers)
            repaired = _repaired(chunk, answers) if any(map(_REPAIRED.match, lines)) else []
            for path, answer in zip(chunk, answers, strict=True):
                if isinstance(answer, str):
                    problems[path] = answer
                else:
                    examined.ways[path] = BY_PILLOW if path in repaired else answer
            examined.repaired.extend(repaired)
            advance(len(chunk))
    if problems:
        raise _unreadable(problems, len(paths), folder)
    return examined


def _unreadable(problems: dict[Path, str], total: int, folder: Path) -> MobileBnnError:
    if len(problems) == 1:
        ((path, why),) = problems.items()
        return MobileBnnError(f"cannot read the image {path}", why=why, cure="Replace or remove it")
    whys = (f"{path.relative_to(folder)} ({why})" for path, why in problems.items())
    return MobileBnnError(
        f"cannot read {len(problems):,} of the {plural(total, 'image')} in {folder}",
        why=named(whys, len(problems), _NAMED),
        cure="Replace or remove them",
    )


def _ways_or_problems(paths: list[Path]) -> Iterator[tuple[list[Path], list[int | str]]]:
    """Yields some paths at once, and for each the way to read it or what is wrong with it; works one step ahead."""
    with ThreadPoolExecutor(_cores()) as pool:
        ahead: list[tuple[list[Path], Iterator[int | str]]] = []
        for first in range(0, len(paths), _AT_ONCE):
            chunk = paths[first : first + _AT_ONCE]
            ahead.append((chunk, pool.map(_way_or_problem, chunk)))
            if len(ahead) > 1:
                ready, answers = ahead.pop(0)
                yield ready, list(answers)
        for ready, answers in ahead:
            yield ready, list(answers)


def _decode_by_tensorflow(paths: list[Path], answers: list[int | str]) -> None:
    """Decodes the images that TensorFlow is to read; an answer becomes a problem where it cannot."""
    theirs = [index for index, answer in enumerate(answers) if not isinstance(answer, str) and answer != BY_PILLOW]
    for index in set(theirs).difference(_decoded_by_tensorflow(paths, theirs)):
        answers[index] = _not_whole(paths[index])


def _way_or_problem(path: Path) -> int | str:
    """The way to read a file, or what is wrong with it; Pillow's files are decoded too."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "it is not a file"
        way = way_to_read(path)
        if way == BY_PILLOW:
            pillow_pixels(path)
    except FileNotFoundError:
        return "it is a link to nothing" if path.is_symlink() else "it is gone"
    except UnidentifiedImageError:
        return _not_whole(path)
    except OSError as error:
        return error.strerror or _not_whole(path)
    except MemoryError:
        return "it does not fit into memory"
    except Exception as error:  # a damaged file can raise anything
        return first_line(error)
    return way


def _not_whole(path: Path) -> str:
    suffix = path.suffix[1:].lower()
    return f"its {path.stat().st_size:,} bytes are no whole {_KINDS.get(suffix, suffix.upper())}"


def _decoded_by_tensorflow(paths: list[Path], indices: list[int]) -> set[int]:
    """Those of `indices` whose paths TensorFlow decodes."""
    if not indices:
        return set()
    files = ([os.fsencode(paths[index]) for index in indices], indices)
    images = tf.data.Dataset.from_tensor_slices(files).map(_decoded, num_parallel_calls=tf.data.AUTOTUNE)
    return {int(index) for index, _ in images.ignore_errors().as_numpy_iterator()}


def _decoded(path: TfTensor, index: TfTensor) -> TfTensor:
    return index, tf.size(decode(tf.io.read_file(path), channels=3))


def _repaired(paths: list[Path], answers: list[int | str]) -> list[Path]:
    """The files of which libjpeg says that their data is damaged, though it decodes them, and Pillow, silently, too."""
    found = []
    for path, answer in zip(paths, answers, strict=True):
        if isinstance(answer, str) or answer == BY_PILLOW:
            continue
        with caught_stderr() as lines:
            _decoded(os.fsencode(path), 0)
        if any(map(_REPAIRED.match, lines)) and _pillow_reads(path):
            found.append(path)
    return found


def _pillow_reads(path: Path) -> bool:
    try:
        pillow_pixels(path)
    except (OSError, ValueError):
        return False
    return True


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Without Python's warnings, of which Pillow has some about odd but readable files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yields a function that advances a progress bar, which is shown in a terminal only.

    It draws on a copy of standard error, for the block catches what native libraries write there.
    """
    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield lambda count: None
        return
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=encoding, errors=errors) as terminal,
        Progress(*progress_columns(screen.width, "images"), console=Console(file=terminal), transient=True) as progress,
    ):
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)
