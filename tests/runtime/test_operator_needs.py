"""Operators that lack inputs: those that a runtime would crash on are refused, and no file ends the process."""

from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import TensorType

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime import Interpreter, pack, read_model
from tests.native.single_operator import TensorSpec, single_operator
from tests.support.damaged_models import written
from tests.support.interpret_files import RAN, REFUSED, WORSE, End, ends_of
from tests.support.needy_operators import (
    BUILTINS,
    RECURRENT,
    as_another_operator,
    recurrent_inputs,
    recurrent_operator,
    with_output_type,
    without_an_input,
)
from tests.support.tools import ROOT

WEIGHTS = ROOT / "zoo/weights"
SMALL, VARIED = WEIGHTS / "binary_lenet/digits/model.tflite", WEIGHTS / "reactnet_small/fashion_mnist/model.tflite"


def ends(models: Iterable[tuple[str, bytes]], folder: Path) -> dict[str, End]:
    """How each model ended, by its name."""
    named = dict(models)
    return dict(zip(named, ends_of(written(named.values(), folder)), strict=True))


def worse(found: dict[str, End]) -> dict[str, str]:
    return {name: end.message for name, end in found.items() if end.how == WORSE}


@pytest.mark.parametrize("model", [SMALL, pytest.param(VARIED, marks=pytest.mark.slow)], ids=["small", "varied"])
def test_a_real_model_without_any_of_its_operators_inputs(model: Path, tmp_path: Path) -> None:
    found = ends(without_an_input(model.read_bytes()), tmp_path)
    assert worse(found) == {}
    how = Counter(end.how for end in found.values())
    assert how[RAN] > 0  # a bias may be absent
    assert how[REFUSED] > len(found) // 2
    reader = [end for end in found.values() if "of an operator is absent" in end.message]
    assert len(reader) > len(found) // 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SOFTMAX", "RESHAPE", "CONV_2D"])  # of one, two and three inputs
def test_operators_with_inputs_and_options_of_another(name: str, tmp_path: Path) -> None:
    found = ends(as_another_operator(SMALL.read_bytes(), name), tmp_path)
    assert len(found) == len(BUILTINS) > 200
    assert worse(found) == {}
    assert found[f"{name} as {name}"].how == RAN


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_operators_without_any_of_their_inputs(name: str, tmp_path: Path) -> None:
    models = [("whole", recurrent_operator(name))]
    models += [(str(place), recurrent_operator(name, [place])) for place in range(recurrent_inputs(name))]
    found = ends(models, tmp_path)
    assert worse(found) == {}
    assert found["whole"].how == RAN, found["whole"]


@pytest.mark.parametrize("name", ["LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM"])
def test_an_lstm_whose_gates_are_coupled_lacks_inputs_together(name: str, tmp_path: Path) -> None:
    coupled = (1, 5, 9, 12, 20)  # weights, peephole, bias and norm of the input gate
    found = ends([("coupled", recurrent_operator(name, coupled))], tmp_path)
    assert found["coupled"].how == RAN, found["coupled"]
    for absent in combinations(coupled, 4):
        if 12 in absent and 1 not in absent:
            with pytest.raises(MobileBnnError, match="input 12 of an operator is absent"):
                read_model(recurrent_operator(name, absent))


@pytest.mark.parametrize(
    ("name", "needed"), [("SLICE", 3), ("STRIDED_SLICE", 4), ("BATCH_MATMUL", 2), ("ASSIGN_VARIABLE", 2)]
)
def test_too_few_inputs_are_refused(name: str, needed: int) -> None:
    for count in range(needed + 1):
        model = single_operator(name, [TensorSpec((1, 4)) for _ in range(count)], TensorSpec((1, 4)))
        if count == needed:
            read_model(model)
            continue
        with pytest.raises(MobileBnnError, match=f"malformed: input {count} of an operator is absent. Make it anew"):
            read_model(model)


def test_a_split_has_as_many_outputs_as_it_says(tmp_path: Path) -> None:
    def split(parts: int | None) -> bytes:
        axis = TensorSpec.constant(np.array([1], np.int32))
        options = {} if parts is None else {"numSplits": parts}
        return single_operator("SPLIT", [axis, TensorSpec((1, 4, 4))], TensorSpec((1, 4, 4)), options)

    assert ends([("whole", split(1))], tmp_path)["whole"].how == RAN
    for parts in (None, -1, 0, 2):
        with pytest.raises(MobileBnnError, match=f"a SPLIT into {parts or 0} has 1 outputs"):
            read_model(split(parts))
    other = read_model(split(1))
    other.operatorCodes[0].builtinCode = other.operatorCodes[0].deprecatedBuiltinCode = BUILTINS["SPLIT_V"]
    read_model(pack(other))


@pytest.mark.parametrize("kind", ["RESOURCE", "VARIANT"])
def test_numbers_are_not_written_to_a_handle(kind: str) -> None:
    def model(name: str) -> bytes:
        return with_output_type(
            single_operator(name, [TensorSpec((1, 4))], TensorSpec((1, 4))), getattr(TensorType, kind)
        )

    with pytest.raises(MobileBnnError, match="malformed: tensor 1 is a handle, which its operator does not make"):
        read_model(model("SOFTMAX"))
    for name in ("WHILE", "TensorListReserve"):
        read_model(model(name))


def test_a_handle_is_not_read_as_numbers() -> None:
    """TensorFlow Lite 2.16 gives VAR_HANDLE's output four bytes, whatever its shape is."""
    model = single_operator("VAR_HANDLE", [], TensorSpec((1, 99)))
    with pytest.raises(MobileBnnError, match="malformed: tensor 0 is not a handle, which its operator makes"):
        read_model(model)
    read_model(with_output_type(model, TensorType.RESOURCE))


def test_operators_of_lce_may_lack_inputs_and_other_custom_ones_may_not() -> None:
    inputs = [TensorSpec((1, 32)), None]
    for name in ("LceQuantize", "LceDequantize", "LceBconv2d", "LceBMaxPool2d"):
        read_model(single_operator(name, inputs, TensorSpec((1, 32))))
    for name in ("NumericVerify", "Lce", "LceQuantize2"):
        with pytest.raises(MobileBnnError, match="input 1 of an operator is absent"):
            read_model(single_operator(name, inputs, TensorSpec((1, 32))))


@pytest.mark.parametrize("name", ["PAD", "PADV2", "MIRROR_PAD", "CONCATENATION"])
def test_constants_and_options_of_another_operator_are_looked_at_with_care(name: str) -> None:
    """`fixed_batch` reads paddings, of which a RESHAPE has an odd number, and the axis of a CONCATENATION."""
    tree = read_model(WEIGHTS / "quicknet_small/synthetic_scenes/model.tflite")
    (code,) = (each for each in tree.operatorCodes if each.builtinCode == BUILTINS["RESHAPE"])
    code.builtinCode = code.deprecatedBuiltinCode = BUILTINS[name]
    with pytest.raises(MobileBnnError, match="the runtime refuses the file: "):
        Interpreter(pack(tree))


def test_what_the_runtime_raises_is_an_error_of_ours() -> None:
    """A RESHAPE with a table of GATHER's: LiteRT looks a tensor up that is not there, and throws std::out_of_range."""
    tree = read_model(VARIED)
    for code in tree.operatorCodes:
        if code.builtinCode == BUILTINS["GATHER"]:
            code.builtinCode = code.deprecatedBuiltinCode = BUILTINS["RESHAPE"]
    with pytest.raises(MobileBnnError, match="the runtime refuses the file: "):
        Interpreter(pack(tree))
