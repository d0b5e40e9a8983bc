"""Finds the image files of a folder, and keeps account of all else that lies there."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.wording import plural

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".jp2"),
)
# What systems and programs leave beside a user's files under names that do not begin with a dot.
_SYSTEM = {"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information", "lost+found"}
_NAMED = 5


def named(names: Iterable[str], count: int, most: int = _NAMED) -> str:
    """The first of `count` names, and how many there are beyond: "a, b and 3 more"."""
    shown = [name for name, _ in zip(names, range(most), strict=False)]
    return ", ".join(shown) + (f" and {count - most:,} more" if count > most else "")


@dataclass(frozen=True)
class LeftOut:
    """What is not trained on: files that are not images, hidden ones, images and folders where none belong."""

    others: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    outside: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    def line(self, folder: Path) -> str:
        """All of it in one line, with paths relative to `folder`; an empty string if it is nothing."""
        groups = (
            (self.folders, "folder that is not a split", "folders that are not splits"),
            (self.outside, "image outside the class folders", "images outside the class folders"),
            (self.others, "file that cannot be read as an image", "files that cannot be read as images"),
            (self.hidden, "hidden or system file", "hidden or system files"),
        )
        told = [
            f"{plural(len(paths), one, many)} ({named((str(path.relative_to(folder)) for path in paths), len(paths))})"
            for paths, one, many in groups
            if paths
        ]
        return f"left out of {folder}: {'; '.join(told)}" if told else ""


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is not meant for a user's eyes: .git, ._photo.jpg, Thumbs.db, __MACOSX."""
    return name.startswith(".") or name.lower() in _SYSTEM


def _is_image(path: Path) -> bool:
    """Whether a file is an image by its name."""
    return path.suffix.lower() in SUFFIXES


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, sorted by name.

    Raises:
        MobileBnnError: it cannot be listed.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise MobileBnnError(f"cannot list the folder {folder}", why=error.strerror or str(error)) from error


def sub_folders(folder: Path, left_out: LeftOut) -> list[Path]:
    """The folders in a folder of folders, sorted; what lies beside them goes to `left_out`.

    Raises:
        MobileBnnError: it cannot be listed.
    """
    found = []
    for path in _entries(folder):
        if is_hidden(path.name):
            left_out.hidden.append(path)
        elif path.is_dir():
            found.append(path)
        else:
            (left_out.outside if _is_image(path) else left_out.others).append(path)
    return found


def images(folder: Path, left_out: LeftOut) -> list[Path]:
    """All images in a folder and its sub-folders, links to others included, sorted; the rest goes to `left_out`.

    Raises:
        MobileBnnError: a folder cannot be listed.
    """
    return sorted(_images(folder, left_out, (os.path.realpath(folder),)))


def _images(folder: Path, left_out: LeftOut, above: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for path in _entries(folder):
        if is_hidden(path.name):
            left_out.hidden.append(path)
        elif path.is_dir():
            real = os.path.realpath(path)
            if real in above:  # a link to a folder that it lies in: there is no end to it
                left_out.others.append(path)
            else:
                found += _images(path, left_out, (*above, real))
        elif _is_image(path):
            found.append(path)
        else:
            left_out.others.append(path)
    return found
