"""One writer per run folder: whoever comes second is told who is there, and a killed holder holds nothing."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import atomic_file
from mobile_bnn.run_folder import ModelFile, RunFolder

HOLD = """
import sys, os
from mobile_bnn.run_folder import RunFolder
with RunFolder(sys.argv[1]).writing():
    {inside}
    os.write(1, b"ready\\n")
    sys.stdin.read()
"""
FORK = """if os.fork() == 0:
        os.write(1, b"child\\n")  # a line at once, for the parent writes to the same pipe
        os.close(1)
        import time
        time.sleep(30)
        os._exit(0)"""


@contextmanager
def holder(folder: Path, inside: str = "pass"):
    """A process that holds the folder's lock."""
    command = [sys.executable, "-c", HOLD.format(inside=inside), str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline()
        if "fork" in inside:  # the child has run what a fork runs in it before it says anything
            said += process.stdout.readline()
        assert sorted(said.split()) == (["child", "ready"] if "fork" in inside else ["ready"])
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_second_writer_is_told_who_is_there(tmp_path: Path) -> None:
    with holder(tmp_path / "new" / "run") as process:
        with pytest.raises(MobileBnnError) as caught, RunFolder(tmp_path / "new" / "run").writing():
            pytest.fail("two writers at once")
        assert str(caught.value) == (
            f"another mbnn (process {process.pid}) is writing to {tmp_path / 'new' / 'run'}. "
            "Wait until it has ended, or choose another folder"
        )
        with RunFolder(tmp_path / "other").writing():
            assert (tmp_path / "other" / ".lock").read_text() == f"{os.getpid()}\n"
        process.communicate("")  # it ends
        with RunFolder(tmp_path / "new" / "run").writing():
            pass


def test_a_killed_writer_leaves_the_folder_free(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with RunFolder(tmp_path).writing():
            assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_a_child_that_outlives_its_killed_parent_holds_nothing(tmp_path: Path) -> None:
    with holder(tmp_path, FORK) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with RunFolder(tmp_path).writing():
            assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_a_child_does_not_free_the_lock_of_its_parent(tmp_path: Path) -> None:
    with RunFolder(tmp_path).writing():
        if (child := os.fork()) == 0:
            os._exit(0)
        os.waitpid(child, 0)
        with pytest.raises(MobileBnnError, match=f"process {os.getpid()}"), RunFolder(tmp_path).writing():
            pytest.fail("two writers at once")


def test_two_threads_are_two_writers(tmp_path: Path) -> None:
    refused = []

    def write() -> None:
        try:
            with RunFolder(tmp_path).writing():
                pytest.fail("two writers at once")
        except MobileBnnError as error:
            refused.append(error)

    with RunFolder(tmp_path).writing():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_an_exception_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="half way"), RunFolder(tmp_path).writing():
        raise RuntimeError("half way")
    with RunFolder(tmp_path).writing():
        pass


def test_leftovers_of_killed_writers_go_but_not_what_a_reader_writes_now(tmp_path: Path) -> None:
    (tmp_path / ".model.tflite.x1.part.tflite").write_text("half")
    (tmp_path / ".epoch-1.x1.part").mkdir()
    with atomic_file(RunFolder(tmp_path).report) as page:
        with RunFolder(tmp_path).writing():
            assert {path.name for path in tmp_path.iterdir()} == {page.name, ".lock"}
        page.write_text("whole")
    old = tmp_path / ".report.html.x1.part.html"
    old.write_text("half")
    os.utime(old, (0, 0))
    with RunFolder(tmp_path).writing():
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "report.html"]


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic link"), RunFolder(tmp_path / "run").writing():
        pytest.fail("the link was followed")
    assert precious.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a read-only folder")
def test_a_folder_that_cannot_be_written_needs_no_lock(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", tmp_path]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        with RunFolder(tmp_path).writing():
            assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_file_alone_gets_no_lock_file(tmp_path: Path) -> None:
    with ModelFile(tmp_path / "my.tflite").writing(), ModelFile(tmp_path / "my.tflite").writing():
        assert list(tmp_path.iterdir()) == []
