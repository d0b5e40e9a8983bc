"""Local CIFAR-10: both versions as published, extracted and archived, whole, broken and hostile."""

import gzip
import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from mobile_bnn.data import cifar
from mobile_bnn.errors import MobileBnnError
from tests.support.cifar_files import python_2_pickle

COUNT = 4  # images in a batch
PYTHON, BINARY = cifar.VERSIONS


def images_of(batch):
    return np.random.default_rng(batch).integers(0, 256, (COUNT, 3072), dtype=np.uint8)


LABELS = [0, 9, 5, 3]


def official_pickle(images):
    return python_2_pickle(images, LABELS)


def binary_records(images):
    return b"".join(bytes([label]) + image.tobytes() for label, image in zip(LABELS, images, strict=True))


def files_of(version):
    make = official_pickle if version is PYTHON else binary_records
    return {name: make(images_of(batch)) for batch, name in enumerate(version.names)}


def write_folder(version, folder, files=None):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (files or files_of(version)).items():
        (folder / name).write_bytes(content)


def write_archive(version, path, files=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (files or files_of(version)).items():
            member = tarfile.TarInfo(f"{version.folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def assert_whole(source):
    assert source.train.images.shape == (5 * COUNT, 32, 32, 3)
    np.testing.assert_array_equal(source.train.targets, LABELS * 5)
    # the publisher's layout: 1,024 red bytes, row by row, then green, then blue
    np.testing.assert_array_equal(source.train.images[COUNT + 1, 2, 3], images_of(1)[1][[67, 1024 + 67, 2048 + 67]])
    np.testing.assert_array_equal(source.test.images, images_of(5).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


@pytest.fixture(params=cifar.VERSIONS, ids=lambda version: version.folder)
def version(request):
    return request.param


@pytest.mark.parametrize("sub", cifar.FOLDERS)
def test_extracted_files_and_archives_are_found(tmp_path, version, sub):
    write_folder(version, tmp_path / "a" / sub / version.folder)
    write_archive(version, tmp_path / "b" / sub / version.archive)
    write_folder(version, tmp_path / "c" / sub)
    for place in "abc":
        assert_whole(cifar.read(tmp_path / place, COUNT))


def test_nothing_there_is_none(tmp_path):
    assert cifar.read(tmp_path, COUNT) is None


def test_a_missing_batch_is_named(tmp_path, version):
    files = files_of(version)
    del files[version.names[2]]
    write_folder(version, tmp_path / "folder" / version.folder, files)
    write_archive(version, tmp_path / "archive" / version.archive, files)
    for place in ("folder", "archive"):
        with pytest.raises(MobileBnnError, match=f"not whole: there is no {version.names[2]}"):
            cifar.read(tmp_path / place, COUNT)


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.7, 0.99, 0.9999])
def test_a_truncated_archive_is_refused(tmp_path, version, share):
    path = tmp_path / version.archive
    write_archive(version, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    expected = f"{path.stat().st_size:,} bytes, the official archive has {version.archive_bytes:,}.*again from"
    with pytest.raises(MobileBnnError, match=f"{version.archive} is not a whole file.*{expected}"):
        cifar.read(tmp_path, COUNT)


def test_an_archive_cut_inside_its_tar_or_at_its_checksum_is_refused(tmp_path, version):
    path = tmp_path / version.archive
    write_archive(version, path)
    whole = path.read_bytes()
    path.write_bytes(gzip.compress(gzip.decompress(whole)[:-20_000]))
    with pytest.raises(MobileBnnError, match="its tar archive is cut off or damaged"):
        cifar.read(tmp_path, COUNT)
    path.write_bytes(whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:])
    with pytest.raises(MobileBnnError, match="CRC check failed"):
        cifar.read(tmp_path, COUNT)


@pytest.mark.parametrize("keep", [0, 1, 50, 5000, -1])
def test_a_truncated_batch_is_refused(tmp_path, version, keep):
    write_folder(version, tmp_path)
    path = tmp_path / version.names[0]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(MobileBnnError, match=f"{path.name} is not a whole file.*{path.stat().st_size:,} bytes"):
        cifar.read(tmp_path, COUNT)


def test_a_batch_with_too_few_images_or_labels_is_refused(tmp_path):
    write_folder(PYTHON, tmp_path)
    with pytest.raises(MobileBnnError, match="its images are not 10,000 × 3072 unsigned bytes"):
        cifar.read(tmp_path)
    (tmp_path / "data_batch_2").write_bytes(python_2_pickle(images_of(1), LABELS[:3]))
    with pytest.raises(MobileBnnError, match=r"data_batch_2 .*its labels are not 4 integers"):
        cifar.read(tmp_path, COUNT)


def test_a_label_out_of_range_is_refused(tmp_path):
    write_folder(PYTHON, tmp_path)
    (tmp_path / "test_batch").write_bytes(python_2_pickle(images_of(5), [0, 1, 2, 10]))
    with pytest.raises(MobileBnnError, match="test_batch has the label 10"):
        cifar.read(tmp_path, COUNT)


def test_an_oversized_file_is_not_read(tmp_path, version):
    write_folder(version, tmp_path)
    os.truncate(tmp_path / version.names[0], 1 << 32)
    with pytest.raises(MobileBnnError, match="4,294,967,296 bytes are more than any batch has"):
        cifar.read(tmp_path, COUNT)


class Hostile:
    """Runs a command when it is unpickled the ordinary way."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_hostile_pickle_is_refused_and_nothing_runs(tmp_path):
    write_folder(PYTHON, tmp_path)
    trace = tmp_path / "executed"
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({b"data": Hostile(trace), b"labels": LABELS}))
    with pytest.raises(MobileBnnError, match=r"asks for (posix|nt)\.system, which no CIFAR-10 batch needs"):
        cifar.read(tmp_path, COUNT)
    assert not trace.exists()
    pickle.loads((tmp_path / "data_batch_1").read_bytes())  # the proof that the file does what it says
    assert trace.exists()


@pytest.mark.parametrize(
    ("opcodes", "message"),
    [
        (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I4000000000\ntU\x01btR.", "does not start empty"),
        (b"cnumpy\ndtype\n(U\x01OtR.", "an array of type b'O'"),
        (b"cnumpy\nndarray\n(I99\ntR.", "its images are not|cannot be read"),
    ],
)
def test_arrays_of_other_kinds_are_refused(tmp_path, opcodes, message):
    write_folder(PYTHON, tmp_path)
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02" + opcodes)
    with pytest.raises(MobileBnnError, match=message):
        cifar.read(tmp_path, COUNT)


def test_links_in_an_archive_are_not_followed(tmp_path):
    path = tmp_path / PYTHON.archive
    with tarfile.open(path, "w:gz") as archive:
        for name in PYTHON.names:
            member = tarfile.TarInfo(f"../../{name}")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/hostname"
            archive.addfile(member)
    with pytest.raises(MobileBnnError, match="not whole: there is no data_batch_1"):
        cifar.read(tmp_path, COUNT)
