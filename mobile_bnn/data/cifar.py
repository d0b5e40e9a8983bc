"""Reads local copies of CIFAR-10: the python and the binary version, extracted or as the official archive.

Archives are read in place. They are judged by gzip's own checksum and by the exact content of every batch, so an
archive that someone compressed anew is as good as the published one.
"""

import gzip
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.data import unpickle
from mobile_bnn.data.in_memory import InMemory, check_labels
from mobile_bnn.data.info import SPECS
from mobile_bnn.data.local import damaged, gzip_errors
from mobile_bnn.data.pipeline import Source
from mobile_bnn.errors import MobileBnnError, first_line

FOLDERS = ("cifar10", "cifar-10", "CIFAR10", ".")
IMAGE_BYTES = 3 * 32 * 32
PER_BATCH = 10_000
_MAX_BATCH_BYTES = 64 << 20  # twice an official batch: bounds what a hostile archive can make us hold

Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def _from_pickle(path: Path, content: bytes, count: int) -> Batch:
    try:
        batch: Any = unpickle.load(content)
        images, labels = batch[b"data"], np.asarray(batch[b"labels"])
    except Exception as error:  # a damaged pickle can raise anything
        raise damaged(path, f"its pickle of {len(content):,} bytes cannot be read: {first_line(error)}") from error
    if not isinstance(images, np.ndarray) or images.shape != (count, IMAGE_BYTES) or images.dtype != np.uint8:
        raise damaged(path, f"its images are not {count:,} × {IMAGE_BYTES} unsigned bytes")
    if labels.shape != (count,) or labels.dtype.kind != "i":
        raise damaged(path, f"its labels are not {count:,} integers")
    return images, labels.astype(np.int64)


def _from_binary(path: Path, content: bytes, count: int) -> Batch:
    size = count * (1 + IMAGE_BYTES)
    if len(content) != size:
        raise damaged(path, f"it holds {len(content):,} bytes instead of {size:,}")
    records = np.frombuffer(content, np.uint8).reshape(count, 1 + IMAGE_BYTES)
    return records[:, 1:], records[:, 0].astype(np.int64)


@dataclass(frozen=True)
class _Version:
    """One of the two forms in which CIFAR-10 is published."""

    folder: str
    archive: str
    archive_bytes: int
    suffix: str
    parse: Callable[[Path, bytes, int], Batch]

    @property
    def names(self) -> list[str]:
        """The batch files, the test batch last."""
        return [f"{stem}{self.suffix}" for stem in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")]


VERSIONS = (
    _Version("cifar-10-batches-py", "cifar-10-python.tar.gz", 170_498_071, "", _from_pickle),
    _Version("cifar-10-batches-bin", "cifar-10-binary.tar.gz", 170_052_171, ".bin", _from_binary),
)
FILES = ", ".join(f"{version.archive} or {version.folder}/" for version in VERSIONS)


def _read_folder(version: _Version, folder: Path) -> dict[str, bytes] | None:
    """The content of every batch file in `folder`, by name; None if there is not one of them."""
    paths = {name: folder / name for name in version.names if (folder / name).is_file()}
    for path in paths.values():
        if path.stat().st_size > _MAX_BATCH_BYTES:
            raise damaged(path, f"{path.stat().st_size:,} bytes are more than any batch has")
    return {name: path.read_bytes() for name, path in paths.items()} or None


def _read_archive(version: _Version, path: Path) -> dict[str, bytes]:
    """The content of every batch file in the archive, by name. Reads to the archive's end, where the checksum is."""
    found = {}
    official = f"it has {path.stat().st_size:,} bytes, the official archive has {version.archive_bytes:,}"
    try:
        with gzip_errors(path), gzip.open(path) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    name = PurePosixPath(member.name).name
                    if name in version.names and member.isfile() and member.size <= _MAX_BATCH_BYTES:
                        file = archive.extractfile(member)
                        found[name] = file.read() if file else b""
            while stream.read(1 << 20):
                pass
    except tarfile.TarError as error:
        raise damaged(path, f"its tar archive is cut off or damaged; {official}") from error
    except MobileBnnError as error:
        raise damaged(path, f"{error.why}; {official}") from error
    return found


def _source(version: _Version, place: Path, contents: Mapping[str, bytes], count: int) -> Source:
    if missing := [name for name in version.names if name not in contents]:
        raise MobileBnnError(
            f"the local copy of cifar10 in {place} is not whole",
            why=f"there is no {' and no '.join(missing)}",
            cure="Copy or extract the archive again",
        )
    spec, batches = SPECS["cifar10"], []
    for name in version.names:
        images, labels = version.parse(place / name, contents[name], count)
        check_labels(labels, len(spec.labels), str(place / name))
        batches.append((images.reshape(count, 3, 32, 32).transpose(0, 2, 3, 1), labels))
    train = [np.concatenate(parts) for parts in zip(*batches[:-1], strict=True)]
    test_images, test_labels = batches[-1]
    return Source(
        InMemory(train[0], train[1], spec.augmentation),
        None,
        InMemory(np.ascontiguousarray(test_images), test_labels),
        spec.labels,
        f"local files in {place}",
    )


def read(data_dir: Path, per_batch: int | None = None) -> Source | None:
    """Reads CIFAR-10 from `data_dir` or a usual sub-folder; extracted files go before archives.

    Args:
        data_dir: an existing folder.
        per_batch: images in each of the six batch files, 10,000 if None.

    Returns:
        The two splits, or None if `data_dir` holds nothing of the set.

    Raises:
        MobileBnnError: a batch is missing, or a file is cut off, damaged, or not what CIFAR-10 publishes.
    """
    count = PER_BATCH if per_batch is None else per_batch
    roots = [data_dir / sub for sub in FOLDERS]
    for version in VERSIONS:
        for folder in (folder for root in roots for folder in (root / version.folder, root)):
            if contents := _read_folder(version, folder):
                return _source(version, folder, contents, count)
    for version in VERSIONS:
        for archive in (root / version.archive for root in roots):
            if archive.is_file():
                return _source(version, archive, _read_archive(version, archive), count)
    return None
