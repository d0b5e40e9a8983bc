"""When the C library keeps freed memory for later, and when it gives it back to the system."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

_WORTH_A_WHILE = 2**23  # bytes
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's numbers for them
_NEVER, _LARGEST_THRESHOLD = 2**31 - 1, 2**25


@contextmanager
def reused_memory() -> Iterator[None]:
    """Lets blocks of any size reuse what others before them freed: a new one is cleared page by page by the system."""
    setting = getattr(ctypes.CDLL(None), "mallopt", None)
    if setting is None:
        yield
        return
    try:
        setting(_MMAP_THRESHOLD, _NEVER)
        setting(_TRIM_THRESHOLD, _NEVER)
        yield
    finally:  # what glibc comes to by itself in a process that frees large blocks
        setting(_MMAP_THRESHOLD, _LARGEST_THRESHOLD)
        setting(_TRIM_THRESHOLD, 2 * _LARGEST_THRESHOLD)


def trim_heap(freed: int) -> None:
    """Gives back what was freed, if that is much.

    Args:
        freed: bytes, at least.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others do not keep as much
    if freed > _WORTH_A_WHILE and trim is not None:
        trim(0)
