"""Damaged .tflite files: Interpreter answers each with its result or with an error of ours, and never crashes."""

from collections import Counter
from pathlib import Path

import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import Interpreter
from tests.support.damaged_models import with_damaged_bytes, written
from tests.support.interpret_files import RAN, REFUSED, WORSE, ends_of

COUNT = 400


def test_a_damaged_file_never_crashes_the_process(binary_tflite: Path, tmp_path: Path) -> None:
    files = written(with_damaged_bytes(binary_tflite.read_bytes(), COUNT), tmp_path)
    whole, *ends = ends_of([binary_tflite, *files])
    assert whole.how == RAN, whole
    # The number of a file is the seed that makes it again.
    assert [(number, end.message) for number, end in enumerate(ends) if end.how == WORSE] == []
    assert len(ends) == COUNT
    assert Counter(end.how for end in ends)[REFUSED] > 150


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(50_000_000), "does not carry the identifier TFL3"),
        (b"\x10\0\0\0TFL3" + bytes(50_000_000), "it holds no subgraph"),
        (b"\x10\0\0\0TFL3" + b"\xff" * 1_000_000, "is truncated or malformed"),
        (b"\xff\xff\xff\x7fTFL3" + b"\x7f" * 1000, "is truncated or malformed"),
    ],
)
def test_large_garbage_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(MobileBnnError, match=message):
        Interpreter(content)
