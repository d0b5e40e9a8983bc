"""Refuses batches that cannot fit into this machine's memory, before TensorFlow dies of them."""

from pathlib import Path

import psutil

from mobile_bnn.errors import UsageError
from mobile_bnn.wording import plural

_FLOAT_BYTES = 4
_COPIES = 2  # at least: the batch as it was cropped, and normalized
# What a container may use, where its host has more: of control groups 2 and 1.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_bytes() -> int:
    """The memory that this process can have at most."""
    limits = [int(psutil.virtual_memory().total)]
    for path in _LIMITS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal():  # not "max"
            limits.append(int(text))
    return min(limits)


def check_batch(images: int, shape: tuple[int, int, int]) -> None:
    """Refuses batches of more bytes than the machine has.

    Args:
        images: in a batch.
        shape: (height, width, channels) of each.

    Raises:
        UsageError: two float32 copies of a batch do not fit into memory.
    """
    height, width, channels = shape
    needed, available = _COPIES * images * height * width * channels * _FLOAT_BYTES, memory_bytes()
    if needed > available:
        raise UsageError(
            f"a batch of {plural(images, 'image')} of {height:,} × {width:,} pixels does not fit into memory",
            why=f"it takes at least {_gigabytes(needed)}, this machine has {_gigabytes(available)}",
            cure="Give a smaller size, --set image_size=N, or a smaller --batch-size",
        )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
