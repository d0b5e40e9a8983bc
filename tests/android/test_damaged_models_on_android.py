"""Damaged models through Java's check and the functions for Java, under emulation: exceptions, never a crash."""

import itertools
import math
from collections import Counter
from pathlib import Path

import pytest

from mobile_bnn.runtime import pack, read_model
from tests.android.emulated_vm import EmulatedVm, Job, emulated_vm
from tests.android.java_classes import checked_by_java
from tests.support.damaged_models import with_changed_tables, with_damaged_bytes, written
from tests.support.needy_operators import as_another_operator, without_an_input

pytestmark = pytest.mark.slow

COUNT = 1000
EXCEPTIONS = {"org/mobilebnn/InvalidModelException", "java/lang/IllegalStateException"}


@pytest.fixture
def vm(java_vm: Path, jni_libraries: Path, tflite_libraries: Path) -> EmulatedVm:
    return emulated_vm(java_vm, jni_libraries, tflite_libraries, "cortex-a53")


@pytest.mark.parametrize("damage", [with_damaged_bytes, with_changed_tables])
def test_a_thousand_damaged_models_end_in_exceptions(
    vm: EmulatedVm, cases: Path, tmp_path: Path, damage: "type[with_damaged_bytes]"
) -> None:
    models = [path.read_bytes() for path in sorted(cases.glob("*/model.tflite"))]
    each = math.ceil(COUNT / len(models))
    mutants = itertools.chain.from_iterable(damage(model, each) for model in models)
    files = written(itertools.islice(mutants, COUNT), tmp_path)
    assert len(files) == COUNT
    verdicts = checked_by_java(files)
    passed = [file for file, verdict in zip(files, verdicts, strict=True) if verdict == "passes"]
    answers = vm.run([Job(file) for file in passed])
    assert [file.name for file, answer in zip(passed, answers, strict=True) if answer.crashed] == []
    kinds = Counter(answer.exception for answer in answers)
    assert set(kinds) <= {*EXCEPTIONS, ""}, kinds
    assert all(answer.message for answer in answers if answer.exception)
    refused = COUNT - kinds[""]  # others still are models, of other weights or names for instance
    assert refused > COUNT // 2
    assert all(verdict.startswith("the model") for verdict in verdicts if verdict != "passes")


def test_operators_without_inputs_or_of_another_kind_end_in_exceptions(
    vm: EmulatedVm, cases: Path, tmp_path: Path
) -> None:
    """One by one, where the thousand above are random."""
    model = (cases / "binary_lenet-digits/model.tflite").read_bytes()
    models = dict(without_an_input(model))
    for name in ("SOFTMAX", "RESHAPE", "CONV_2D"):  # of one, two and three inputs
        models |= as_another_operator(model, name)
    files = dict(zip(written(models.values(), tmp_path), models, strict=True))
    passed = [file for file, verdict in zip(files, checked_by_java([*files]), strict=True) if verdict == "passes"]
    answers = dict(zip(passed, vm.run([Job(file) for file in passed]), strict=True))
    assert [files[file] for file, answer in answers.items() if answer.crashed] == []
    assert {answer.exception for answer in answers.values()} <= {*EXCEPTIONS, ""}
    assert len(models) // 2 < len(passed) < len(models)


def test_java_refuses_what_ends_the_process_in_a_runtime(cases: Path, tmp_path: Path) -> None:
    """Operators whose outputs nobody reads, a tensor that two write, a reader before its writer."""
    model = (cases / "resnet20-digits/model.tflite").read_bytes()
    unread, twice, early = read_model(model), read_model(model), read_model(model)
    unread.subgraphs[0].outputs = unread.subgraphs[0].operators[1].outputs
    operators = twice.subgraphs[0].operators
    operators[1].outputs = operators[0].outputs
    early.subgraphs[0].operators.reverse()
    verdicts = checked_by_java(written((pack(unread), pack(twice), pack(early), model), tmp_path))
    assert "nothing reads what its operator" in verdicts[0]
    assert "which has its content already" in verdicts[1]
    assert "before another writes it" in verdicts[2]
    assert verdicts[3] == "passes"
