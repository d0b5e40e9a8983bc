"""Damaged .tflite files: Interpreter answers each with its result or with an error of ours, and never crashes."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import Interpreter
from tests.support.damaged_models import with_changed_tables, with_damaged_bytes, written
from tests.support.interpret_files import RAN, REFUSED, WORSE, ends_of
from tests.support.tools import ROOT

COUNT = 400
ZOO = sorted((ROOT / "zoo/weights").glob("*/*/model.tflite"))
ZOO_COUNT = 1000  # of them all, of each kind of damage
Damage = Callable[[bytes, int], Iterator[bytes]]


def test_a_damaged_file_never_crashes_the_process(binary_tflite: Path, tmp_path: Path) -> None:
    files = written(with_damaged_bytes(binary_tflite.read_bytes(), COUNT), tmp_path)
    whole, *ends = ends_of([binary_tflite, *files])
    assert whole.how == RAN, whole
    # The number of a file is the seed that makes it again.
    assert [(number, end.message) for number, end in enumerate(ends) if end.how == WORSE] == []
    assert len(ends) == COUNT
    assert Counter(end.how for end in ends)[REFUSED] > 150


@pytest.mark.slow
@pytest.mark.parametrize("damage", [with_damaged_bytes, with_changed_tables])
def test_a_thousand_damaged_files_of_the_zoo_never_crash_the_process(damage: Damage, tmp_path: Path) -> None:
    each = math.ceil(ZOO_COUNT / len(ZOO))
    models = itertools.chain.from_iterable(damage(path.read_bytes(), each) for path in ZOO)
    ends = ends_of(written(itertools.islice(models, ZOO_COUNT), tmp_path))
    assert [(number, end.message) for number, end in enumerate(ends) if end.how == WORSE] == []
    how = Counter(end.how for end in ends)
    assert how[REFUSED] > ZOO_COUNT // 2
    assert how[RAN] > 0  # others still are models, of other weights or names for instance
    assert sum(how.values()) == ZOO_COUNT


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
