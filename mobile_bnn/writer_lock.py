"""One writer per folder: a lock file that the kernel frees when its holder ends, in whatever way."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobile_bnn.errors import MobileBnnError

# A symbolic link in a folder from elsewhere must not lead us to a file that we would write our number into.
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_LONGEST_NUMBER = 20

_held: set[int] = set()  # descriptors


@contextmanager
def one_writer(lock: Path) -> Iterator[None]:
    """Holds `lock` while the block runs. In a folder that cannot be written to there is nothing to hold.

    Raises:
        MobileBnnError: on entering, another process holds it; its number is named.
        OSError: on entering, the lock file cannot be made.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, _FLAGS, 0o666)
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        yield
        return
    _held.add(descriptor)
    try:
        _claim(descriptor, lock)
        yield
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def _claim(descriptor: int, lock: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, _LONGEST_NUMBER, 0).decode("ascii", "replace").strip()
        number = f" (process {holder})" if holder.isdigit() else ""
        raise MobileBnnError(
            f"another mbnn{number} is writing to {lock.parent}",
            cure="Wait until it has ended, or choose another folder",
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP):  # a network file system without locks
            raise
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)


def _drop_in_child() -> None:
    """A forked child that outlives its parent would go on holding the parent's locks."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_drop_in_child)
