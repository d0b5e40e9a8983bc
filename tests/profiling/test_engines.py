"""The engines alone: their outputs' inputs, and what they say when they cannot run."""

import sys
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.engines import ENGINES
from mobile_bnn.profiling.engines.engine import random_input
from mobile_bnn.runtime import library_path
from tests.support.native_builds import known_isas


def test_every_engine_is_here_with_its_version() -> None:
    assert {name: engine.kernels for name, engine in ENGINES.items()} == {
        "delegate": ("auto",),
        "litert": ("xnnpack",),
        "lce": ("bgemm", "indirect_bgemm"),
    }
    assert set(known_isas(library_path())) <= set(ENGINES["delegate"].further_kernels)
    for engine in ENGINES.values():
        assert engine.unavailable() == ""
        assert engine.version()[0].isdigit()


@pytest.mark.parametrize(
    ("engine", "package", "cure"),
    [
        ("lce", "larq_compute_engine", r"pip install 'mobile-bnn\[train\]'"),
        ("litert", "ai_edge_litert", "pip install ai-edge-litert"),
    ],
)
def test_a_missing_package_is_named_with_its_cure(
    engine: str, package: str, cure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)  # how Python itself marks a module that cannot be imported
    assert f"{package.replace('_', '-')} is not installed" in ENGINES[engine].unavailable()
    with pytest.raises(MobileBnnError, match=f"the engine {engine} cannot be loaded: .*{cure}"):
        ENGINES[engine].import_library()


def test_litert_names_the_operator_that_it_does_not_know(binary_tflite: Path) -> None:
    with pytest.raises(MobileBnnError) as caught:
        ENGINES["litert"].load(binary_tflite.read_bytes(), "xnnpack", 1)
    assert str(caught.value) == (
        "the engine litert cannot run this file: it does not know the binary operator LceQuantize. "
        "Use the engine lce for binary files, or profile the float twin, model_float.tflite"
    )


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint8", "int32", "int64", "uint64", "bool"])
def test_random_inputs_are_seeded_and_vary(dtype: str) -> None:
    first, second = random_input((1, 8, 8, 4), dtype), random_input((1, 8, 8, 4), dtype)
    assert first.dtype == np.dtype(dtype)
    assert first.shape == (1, 8, 8, 4)
    assert np.array_equal(first, second)
    assert len(np.unique(first)) > 1
