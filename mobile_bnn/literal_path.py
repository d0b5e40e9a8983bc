"""Paths for TensorFlow, which looks up a checkpoint or a SavedModel by a pattern: brackets in a name are not one."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATTERN = re.compile(r"[\[\]*?{}\\]")


@contextmanager
def literal_path(path: Path) -> Iterator[Path]:
    """Yields a path to the same file or folder that reads as no pattern: the path itself, or a link to it."""
    if not _PATTERN.search(str(path)):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="mobile_bnn-") as folder:
        link = Path(folder) / f"linked{path.suffix if path.suffix[1:].isalnum() else ''}"
        link.symlink_to(path.resolve())
        yield link
