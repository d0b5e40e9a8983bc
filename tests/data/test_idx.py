"""Local MNIST and Fashion-MNIST: tiny idx files of the real format, whole and broken in every way."""

import gzip
import struct

import numpy as np
import pytest

from mobile_bnn.data import idx
from mobile_bnn.errors import MobileBnnError

COUNTS = (30, 20)
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = idx.STEMS


def images(count, value=7):
    return struct.pack(">4I", 0x803, count, 28, 28) + bytes([value]) * (count * 784)


def labels(count, value=9):
    return struct.pack(">2I", 0x801, count) + bytes([value]) * count


def contents(value=7):
    return {
        TRAIN_IMAGES: images(30, value),
        TRAIN_LABELS: labels(30),
        TEST_IMAGES: images(20, value),
        TEST_LABELS: labels(20),
    }


def write(folder, files, *, compressed=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if compressed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("name", "sub"),
    [(name, sub) for name, folders in idx.FOLDERS.items() for sub in folders],
)
def test_the_files_are_found_in_the_usual_places(tmp_path, name, sub, compressed):
    write(tmp_path / sub, contents(), compressed=compressed)
    source = idx.read(name, tmp_path, COUNTS)
    assert source.train.images.shape == (30, 28, 28, 1)
    assert source.test.images.shape == (20, 28, 28, 1)
    assert source.train.images.dtype == np.uint8
    assert set(source.train.targets) == {9}
    assert source.validation is None
    assert str(tmp_path) in source.origin


def test_nothing_there_is_none(tmp_path):
    assert idx.read("mnist", tmp_path, COUNTS) is None


def test_a_folder_of_fashion_mnist_is_not_taken_for_mnist(tmp_path):
    for sub in ("FashionMNIST/raw", "fashion-mnist", "fashion_mnist"):
        write(tmp_path / sub, contents())
    assert idx.read("mnist", tmp_path, COUNTS) is None
    write(tmp_path / "MNIST/raw", contents(value=1))
    assert set(idx.read("mnist", tmp_path, COUNTS).train.images.flat) == {1}
    assert set(idx.read("fashion_mnist", tmp_path, COUNTS).train.images.flat) == {7}


def test_a_missing_file_is_named(tmp_path):
    files = contents()
    del files[TEST_LABELS]
    write(tmp_path, files)
    with pytest.raises(MobileBnnError, match=r"not whole: there is no t10k-labels-idx1-ubyte .*Add the missing files"):
        idx.read("mnist", tmp_path, COUNTS)


@pytest.mark.parametrize("name", idx.STEMS)
@pytest.mark.parametrize("keep", [0, 3, 8, 15, 17, -1])
def test_a_truncated_plain_file_is_refused(tmp_path, name, keep):
    write(tmp_path, contents())
    path = tmp_path / name
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(MobileBnnError, match=f"{name} .* it holds {path.stat().st_size:,} bytes instead of {whole:,}"):
        idx.read("mnist", tmp_path, COUNTS)


@pytest.mark.parametrize("keep", [0, 1, 9, 40, -9, -8, -4, -1])
def test_a_truncated_gzip_file_is_refused(tmp_path, keep):
    write(tmp_path, contents(), compressed=True)
    path = tmp_path / f"{TRAIN_IMAGES}.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        MobileBnnError,
        match=r"ubyte\.gz is not a whole file.*(cut off after|instead of|of 1 bytes is damaged).*again from",
    ):
        idx.read("mnist", tmp_path, COUNTS)


def test_a_longer_file_is_refused_without_reading_it_all(tmp_path):
    write(tmp_path, contents())
    (tmp_path / TRAIN_LABELS).unlink()
    bomb = gzip.compress(labels(30) + bytes(50_000_000))
    (tmp_path / f"{TRAIN_LABELS}.gz").write_bytes(bomb)
    with pytest.raises(MobileBnnError, match="it holds more than 38 bytes instead of 38"):
        idx.read("mnist", tmp_path, COUNTS)


def test_a_changed_byte_is_found_by_the_checksum(tmp_path):
    write(tmp_path, contents(), compressed=True)
    path = tmp_path / f"{TRAIN_LABELS}.gz"
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(MobileBnnError, match=r"gzip stream of .* bytes is damaged: CRC check failed"):
        idx.read("mnist", tmp_path, COUNTS)


def test_a_file_of_another_kind_is_refused(tmp_path):
    files = contents()
    files[TRAIN_IMAGES] = b"<html>" + files[TRAIN_IMAGES][6:]
    write(tmp_path, files)
    with pytest.raises(MobileBnnError, match="header is not the one of 30 × 28 × 28 unsigned bytes"):
        idx.read("mnist", tmp_path, COUNTS)
    write(tmp_path, contents())
    (tmp_path / f"{TEST_IMAGES}").unlink()
    (tmp_path / f"{TEST_IMAGES}.gz").write_bytes(images(20))
    with pytest.raises(MobileBnnError, match="is damaged: Not a gzipped file"):
        idx.read("mnist", tmp_path, COUNTS)


def test_a_label_out_of_range_is_refused(tmp_path):
    write(tmp_path, contents() | {TEST_LABELS: labels(20, value=10)})
    with pytest.raises(MobileBnnError, match="t10k-labels-idx1-ubyte has the label 10: labels are 0 to 9"):
        idx.read("mnist", tmp_path, COUNTS)


def test_an_unreadable_file_is_named(tmp_path, monkeypatch):
    write(tmp_path, contents())
    path = tmp_path / TRAIN_IMAGES

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)  # root, who may run the tests, can read every file
    with pytest.raises(MobileBnnError, match=f"cannot read .*{TRAIN_IMAGES}: Permission denied"):
        idx.read("mnist", tmp_path, COUNTS)
