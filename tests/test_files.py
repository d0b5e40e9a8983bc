"""Files and folders appear whole or not at all, also when the writer is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mobile_bnn.files import atomic_file, atomic_folder, remove_leftovers, sha256, write_text


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "old")
    with atomic_file(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]


def test_an_exception_leaves_the_old_file_and_no_leftovers(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def write_half():
        with atomic_file(path) as part:
            part.write_text("half")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_named(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        with pytest.raises(OSError, match="No space left on device") as caught:
            write_text(tmp_path / "a.txt", "x" * 100_000)
        assert caught.value.filename == str(tmp_path / "a.txt")
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_files_and_folders_respect_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "")
        with atomic_folder(tmp_path / "b"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o750


def test_a_folder_appears_by_one_rename(tmp_path):
    path = tmp_path / "epoch-1"
    with atomic_folder(path) as part:
        (part / "state").write_text("x")
        assert not path.exists()
    assert (path / "state").read_text() == "x"


def test_a_folder_that_is_not_kept_leaves_nothing(tmp_path):
    with atomic_folder(tmp_path / "epoch-1", keep=False) as part:
        (part / "state").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_only_leftovers_that_can_be_told(tmp_path):
    code = f"""
import time
from pathlib import Path
from mobile_bnn.files import atomic_file, atomic_folder
with atomic_file(Path({str(tmp_path / "a.txt")!r})) as part, atomic_folder(Path({str(tmp_path / "b")!r})) as folder:
    part.write_text("half")
    (folder / "x").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.1)
    assert not (tmp_path / "a.txt").exists()
    assert not (tmp_path / "b").exists()
    assert len(list(tmp_path.iterdir())) == 2
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
