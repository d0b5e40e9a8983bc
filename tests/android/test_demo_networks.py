"""The networks that the demo brings: the same function as float, and an int8 file that is worth a comparison."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.runtime import Interpreter, check_reference, operator_table
from mobile_bnn.zoo.trained import trained
from tests.support.tools import ROOT


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of LeNet's weights for digits, by form."""
    folder = tmp_path_factory.mktemp("networks")
    sys.path.insert(0, str(ROOT / "tools" / "android"))
    try:
        import assets

        assets._network(trained("binary_lenet", "digits"), folder)
    finally:
        sys.path.remove(str(ROOT / "tools" / "android"))
        sys.modules.pop("assets", None)
    return {form: folder / f"{form}.tflite" for form in ("binary", "float", "int8")}


def operators(path: Path) -> Counter[str]:
    return Counter(each.name for each in operator_table(path).operators)


def test_binary_and_float_files_compute_the_same(forms: dict[str, Path]) -> None:
    images = np.random.default_rng(0).normal(size=(8, 8, 8, 1)).astype(np.float32)
    with Interpreter(forms["binary"]) as binary, Interpreter(forms["float"]) as floats:
        for image in images:
            ours, theirs = binary.predict(image[None]), floats.predict(image[None])
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert operators(forms["binary"])["LceBconv2d"] > 0


def test_the_int8_file_computes_in_int8_throughout(forms: dict[str, Path]) -> None:
    found = operators(forms["int8"])
    assert max(found["QUANTIZE"], found["DEQUANTIZE"]) <= 1, found  # at its ends
    assert not {"SIGN", "LceBconv2d", "LceQuantize", "LceDequantize"} & set(found), found
    assert found["CONV_2D"] + found["FULLY_CONNECTED"] >= 3


def test_every_form_records_what_it_computes(forms: dict[str, Path]) -> None:
    for path in forms.values():
        check = check_reference(path)
        assert check is not None
        assert check.equal, path
