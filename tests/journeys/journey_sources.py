"""Writes each kind of data set as its publisher or a user would, small, with classes that differ in colour."""

import gzip
import io
import struct
import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from mobile_bnn.data import cifar
from tests.support.cifar_files import python_2_pickle

Pixels = npt.NDArray[np.uint8]


def _images(labels: npt.NDArray[np.int64], shape: tuple[int, ...], seed: int) -> Pixels:
    """Noise around a brightness that tells the class: uint8 [N, *shape]."""
    noise = np.random.default_rng(seed).integers(0, 24, (len(labels), *shape), dtype=np.uint8)
    return noise + (labels * 23).astype(np.uint8).reshape(-1, *(1 for _ in shape))


def _labels(count: int, classes: int = 10) -> npt.NDArray[np.int64]:
    return np.arange(count) % classes


def write_idx(folder: Path, counts: tuple[int, int]) -> None:
    """The four files of MNIST or Fashion-MNIST: the training files compressed, the others not."""
    folder.mkdir(parents=True)
    for prefix, count in zip(("train", "t10k"), counts, strict=True):
        labels = _labels(count)
        images = struct.pack(">4I", 0x803, count, 28, 28) + _images(labels, (28, 28), count).tobytes()
        for kind, content in (
            ("images-idx3-ubyte", images),
            ("labels-idx1-ubyte", struct.pack(">2I", 0x801, count) + labels.astype(np.uint8).tobytes()),
        ):
            compressed = prefix == "train"
            path = folder / f"{prefix}-{kind}{'.gz' if compressed else ''}"
            path.write_bytes(gzip.compress(content, 1) if compressed else content)


def _cifar_batch(number: int, count: int, binary: bool) -> bytes:
    labels = _labels(count)
    images = _images(labels, (cifar.IMAGE_BYTES,), number)
    if binary:
        return np.concatenate([labels.astype(np.uint8)[:, np.newaxis], images], axis=1).tobytes()
    return python_2_pickle(images, labels.tolist())


def write_cifar(folder: Path, per_batch: int, *, binary: bool) -> None:
    """CIFAR-10's archive in the python or the binary version."""
    folder.mkdir(parents=True)
    version = cifar.VERSIONS[binary]
    with tarfile.open(folder / version.archive, "w:gz", compresslevel=1) as archive:
        for number, name in enumerate(version.names):
            content = _cifar_batch(number, per_batch, binary)
            member = tarfile.TarInfo(f"{version.folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


COLORS = {"apple red": (200, 40, 30), "leaf [green]": (40, 180, 50), "Himmel äöü": (60, 90, 220)}
_KINDS = ("jpg", "png", "JPG", "gif", "bmp", "webp", "tiff")


def write_photos(folder: Path, count: int) -> None:
    """Photos of three classes, of mixed sizes and kinds, some taken with the camera on its side."""
    for seed, (name, color) in enumerate(COLORS.items()):
        (folder / name).mkdir(parents=True)
        generator = np.random.default_rng(seed)
        for i in range(count):
            pixels = generator.integers(-30, 30, (40 + 7 * (i % 5), 60 + 11 * (i % 4), 3)) + np.array(color)
            record = Image.Exif()
            record[0x0112] = 1 + i % 8
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            options = {"exif": record} if i % len(_KINDS) in (0, 1, 5) else {}
            image.save(folder / name / f"photo {i}.{_KINDS[i % len(_KINDS)]}", **options)
