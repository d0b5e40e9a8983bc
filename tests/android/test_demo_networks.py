"""The networks that the demo brings: the same function as float, and an int8 file that is worth a comparison."""

import importlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mobile_bnn.runtime import Interpreter, check_reference, operator_table
from mobile_bnn.zoo.trained import trained
from tests.support.tools import ROOT


@pytest.fixture(scope="module")
def assets() -> Iterator[ModuleType]:
    """tools/android/assets.py."""
    sys.path.insert(0, str(ROOT / "tools" / "android"))
    try:
        yield importlib.import_module("assets")
    finally:
        sys.path.remove(str(ROOT / "tools" / "android"))
        sys.modules.pop("assets", None)


@pytest.fixture(scope="module")
def forms(assets: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of LeNet's weights for digits, by form."""
    folder = tmp_path_factory.mktemp("networks")
    assets._network(trained("binary_lenet", "digits"), folder)
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


def test_networks_are_kept_until_the_code_that_makes_them_changes(
    assets: ModuleType, forms: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> list[int]:
        assets._network(trained("binary_lenet", "digits"), forms["binary"].parent)
        return [path.stat().st_mtime_ns for path in forms.values()]

    kept = made()
    assert made() == kept
    monkeypatch.setattr(assets, "_CODE", assets._CODE[1:])
    assert all(new > old for new, old in zip(made(), kept, strict=True))


def test_changed_code_has_another_digest(assets: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    rule, alone = tmp_path / "rules/signs.py", tmp_path / "pack.py"
    rule.write_text("ONE = 1")
    alone.write_text("TWO = 2")
    places = [tmp_path / "rules", alone]
    digests = [assets._digest(places), assets._digest(places)]
    assert digests[0] == digests[1]
    rule.write_text("ONE = 2")
    digests.append(assets._digest(places))
    rule.rename(rule.with_name("values.py"))
    digests.append(assets._digest(places))
    alone.write_text("TWO = 1")
    digests.append(assets._digest(places))
    rule.write_text("ONE = 2")
    digests.append(assets._digest(places))
    assert len(set(digests)) == len(digests) - 1
