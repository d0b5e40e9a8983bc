"""Gives memory back to the system that the C library keeps for later."""

import ctypes

_WORTH_A_WHILE = 2**23  # bytes


def trim_heap(freed: int) -> None:
    """Gives back what was freed, if that is much.

    Args:
        freed: bytes, at least.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others do not keep as much
    if freed > _WORTH_A_WHILE and trim is not None:
        trim(0)
