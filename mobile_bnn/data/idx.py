"""Reads local copies of MNIST and Fashion-MNIST: the four idx files, plain or gzip-compressed.

A file is judged by its content (header, exact length, gzip's own checksum, label range) and not by a published hash,
because distributions compress the files anew.
"""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mobile_bnn.data.in_memory import InMemory, check_labels
from mobile_bnn.data.info import SPECS
from mobile_bnn.data.local import damaged, read_exactly
from mobile_bnn.data.pipeline import Source
from mobile_bnn.errors import MobileBnnError

FOLDERS = {
    "mnist": ("MNIST/raw", "mnist", "."),
    "fashion_mnist": ("FashionMNIST/raw", "fashion-mnist", "fashion_mnist", "."),
}
SIDE = 28
COUNTS = (60_000, 10_000)
_PREFIXES = ("train", "t10k")
_IMAGES, _LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
STEMS = tuple(f"{prefix}-{kind}" for prefix in _PREFIXES for kind in (_IMAGES, _LABELS))
FILES = f"{', '.join(STEMS)} (each plain or .gz)"


def _find(folder: Path, stem: str) -> Path | None:
    return next((path for path in (folder / stem, folder / f"{stem}.gz") if path.is_file()), None)


def _read(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """The uint8 array of exactly this shape that the idx file `path` holds."""
    header = struct.pack(f">{1 + len(shape)}I", 0x0800 | len(shape), *shape)
    content = read_exactly(path, len(header) + int(np.prod(shape)))
    if content[: len(header)] != header:
        raise damaged(path, f"its idx header is not the one of {' × '.join(map(str, shape))} unsigned bytes")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def read(name: str, data_dir: Path, counts: tuple[int, int] | None = None) -> Source | None:
    """Reads `name` ("mnist" or "fashion_mnist") from `data_dir` or one of its usual sub-folders.

    The files of both sets have the same names: those directly in `data_dir` are taken for the set that was asked for,
    a sub-folder counts only if it is named after that set.

    Args:
        name: the set.
        data_dir: an existing folder.
        counts: images in the training and the test files, 60,000 and 10,000 if None.

    Returns:
        The two splits, or None if `data_dir` holds none of the files.

    Raises:
        MobileBnnError: a file is missing beside the others, cut off, damaged or of another size.
    """
    folders = [data_dir / sub for sub in FOLDERS[name]]
    folder = next((folder for folder in folders if any(_find(folder, stem) for stem in STEMS)), None)
    if folder is None:
        return None
    paths = {stem: path for stem in STEMS if (path := _find(folder, stem))}
    if missing := [stem for stem in STEMS if stem not in paths]:
        raise MobileBnnError(
            f"the local copy of {name} in {folder} is not whole",
            why=f"there is no {' and no '.join(missing)} (plain or .gz)",
            cure="Add the missing files",
        )
    spec, splits = SPECS[name], []
    for prefix, count in zip(_PREFIXES, counts or COUNTS, strict=True):
        images = _read(paths[f"{prefix}-{_IMAGES}"], (count, SIDE, SIDE))
        labels = _read(paths[f"{prefix}-{_LABELS}"], (count,)).astype(np.int64)
        check_labels(labels, len(spec.labels), str(paths[f"{prefix}-{_LABELS}"]))
        splits.append(InMemory(images[..., np.newaxis], labels, spec.augmentation))
    return Source(splits[0], None, splits[1], spec.labels, f"local files in {folder}")
