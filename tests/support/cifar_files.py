"""Batches of CIFAR-10 as its publisher wrote them."""

import struct
from collections.abc import Sequence

import numpy as np


def python_2_pickle(images: np.ndarray, labels: Sequence[int]) -> bytes:
    """The opcodes that Python 2 and its NumPy wrote into the official batches; images uint8 [N, 3072]."""
    rows = len(images)

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        + b"(K\x01"
        + (b"J" + struct.pack("<i", rows) + b"M" + struct.pack("<H", 3072) + b"\x86")
        + (b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
        + (b"\x89T" + struct.pack("<i", images.size) + images.tobytes())
        + b"tb"
    )
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + b"u."
