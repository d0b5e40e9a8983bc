"""What Java and Python check of a model's file before a runtime sees it: the same, and where not, why."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from ai_edge_litert.schema_py_generated import TensorType

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import read_metadata, read_model
from tests.android.java_classes import checked_by_java
from tests.native.single_operator import TensorSpec, single_operator
from tests.support.damaged_models import with_changed_tables, written
from tests.support.needy_operators import BUILTINS, RECURRENT, recurrent_inputs, recurrent_operator, with_output_type
from tests.support.tools import ROOT

MOST_INPUTS = 5
CUSTOM = (
    "LceQuantize",
    "LceDequantize",
    "LceBconv2d",
    "LceBMaxPool2d",
    "NumericVerify",
    "Lce",
    "LceBconv2d2",
    "x" * 99,
)
MODELS = sorted((ROOT / "zoo/weights").glob("*/*/model.tflite"))
REASON = " is truncated or malformed: "
ONLY_JAVA = (
    "nothing reads what its operator"  # the XNNPACK of TensorFlow Lite 2.19 crashes on that, LiteRT 2.1 does not
)


def checked_by_python(path: Path) -> str:
    try:
        read_metadata(read_model(path.read_bytes()))
    except MobileBnnError as error:
        return str(error)
    return "passes"


def reason(verdict: str) -> str:
    """Why a file is refused, without what each language says around it."""
    return verdict.partition(REASON)[2].removesuffix(". Make it anew") or verdict


def both(models: Iterable[bytes], folder: Path) -> list[tuple[str, str]]:
    """What Java and Python say of each model."""
    files = written(models, folder)
    python = [reason(checked_by_python(path)) for path in files]
    return list(zip(map(reason, checked_by_java(files)), python, strict=True))


def operators_with_few_inputs() -> Iterator[bytes]:
    """Of every kind: with up to five inputs, all there or one absent."""
    output = TensorSpec((1, 4))
    for name in (*BUILTINS, *CUSTOM):
        if name == "CUSTOM":
            continue
        for count in range(MOST_INPUTS + 1):
            specs = [TensorSpec((1, 4)) for _ in range(count)]
            yield single_operator(name, specs, output)
            for place in range(count):
                yield single_operator(name, [*specs[:place], None, *specs[place + 1 :]], output)
    for parts in (-1, 0, 1, 2):
        yield single_operator("SPLIT", [TensorSpec((1,)), output], TensorSpec((1, 4)), {"numSplits": parts})


def operators_with_outputs_of_any_type() -> Iterator[bytes]:
    """Of every kind: whose output is of a type that few make."""
    for name in (*BUILTINS, *CUSTOM):
        if name not in ("CUSTOM", "SPLIT"):
            model = single_operator(name, [TensorSpec((1, 4)) for _ in range(MOST_INPUTS)], TensorSpec((1, 4)))
            for kind in ("RESOURCE", "VARIANT", "STRING", "INT8"):
                yield with_output_type(model, getattr(TensorType, kind))


def recurrent_operators() -> Iterator[bytes]:
    """With one or two inputs absent."""
    for name in RECURRENT:
        places = range(recurrent_inputs(name))
        for absent in (*itertools.combinations(places, 1), *itertools.combinations(places, 2)):
            yield recurrent_operator(name, absent)


def test_the_same_operators_make_handles(tmp_path: Path) -> None:
    verdicts = both(operators_with_outputs_of_any_type(), tmp_path)
    assert [(java, python) for java, python in verdicts if java != python] == []
    how = Counter(java for java, _ in verdicts)
    handles = how[f"tensor {MOST_INPUTS} is a handle, which its operator does not make"]
    assert how[f"tensor {MOST_INPUTS} is not a handle, which its operator makes"] == 2 * 3
    assert handles + 2 * 3 + how["passes"] == len(verdicts)
    assert len(verdicts) // 3 < handles < len(verdicts) // 2


@pytest.mark.parametrize("make", [operators_with_few_inputs, recurrent_operators])
def test_the_same_inputs_may_be_absent(make: Callable[[], Iterator[bytes]], tmp_path: Path) -> None:
    verdicts = both(make(), tmp_path)
    assert [(java, python) for java, python in verdicts if java != python] == []
    how = Counter(java for java, _ in verdicts)
    assert len(verdicts) > 1000
    assert how["passes"] > 20
    assert how["input 0 of an operator is absent"] > 20
    assert set(how) >= {f"input {place} of an operator is absent" for place in range(MOST_INPUTS)}


@pytest.mark.slow
def test_they_refuse_the_same_changed_tables(tmp_path: Path) -> None:
    mutants = itertools.chain.from_iterable(with_changed_tables(path.read_bytes(), 100) for path in MODELS)
    verdicts = both(mutants, tmp_path)
    assert len(verdicts) == 100 * len(MODELS)
    differ = [(java, python) for java, python in verdicts if (java == "passes") != (python == "passes")]
    assert [pair for pair in differ if ONLY_JAVA not in pair[0]] == []
    assert {python for _, python in differ} == {"passes"}  # so that the exception is one
    assert sum(java != "passes" for java, _ in verdicts) > 100
