"""LceBMaxPool2d against LCE's own."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_operator import TensorSpec, run_delegate, run_lce, single_operator

pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


@settings(deadline=None, max_examples=60)
@given(
    batch=st.integers(1, 3),
    extra=st.tuples(st.integers(0, 7), st.integers(0, 7)),
    words=st.one_of(st.integers(1, 9), st.sampled_from([8, 16, 24])),  # whole vectors take a way of their own
    window=pairs,
    stride=pairs,
    valid=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_equals_lce(
    batch: int,
    extra: tuple[int, int],
    words: int,
    window: tuple[int, int],
    stride: tuple[int, int],
    valid: bool,
    seed: int,
    delegates: dict[str, Any],
) -> None:
    size = [e + (w if valid else 1) for e, w in zip(extra, window, strict=True)]
    output = [(n - w) // s + 1 if valid else -(-n // s) for n, w, s in zip(size, window, stride, strict=True)]
    x = mostly_ones((batch, *size, words), seed)
    check_against_lce(x, (batch, *output, words), options(window, stride, valid), delegates)


@pytest.mark.parametrize(("width", "words", "window"), [(300, 32, 2), (300, 33, 2), (200, 33, 130), (2100, 2, 3)])
def test_rows_longer_than_the_buffer(width: int, words: int, window: int, delegates: dict[str, Any]) -> None:
    x = mostly_ones((1, 3, width, words), 7)
    check_against_lce(x, (1, 2, -(-width // 2), words), options((2, window), (2, 2), False), delegates)


def options(window: tuple[int, int], stride: tuple[int, int], valid: bool) -> dict[str, int]:
    return {
        "padding": int(valid),
        "filter_height": window[0],
        "filter_width": window[1],
        "stride_height": stride[0],
        "stride_width": stride[1],
    }


def mostly_ones(shape: tuple[int, ...], seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).integers(-(2**31), 2**31, shape).astype(np.int32)
    return x | np.roll(x, 1)  # or the AND of many words would always be 0


def check_against_lce(
    x: np.ndarray, output_shape: tuple[int, ...], options: dict[str, int], delegates: dict[str, Any]
) -> None:
    spec, output_spec = TensorSpec(x.shape, np.int32), TensorSpec(output_shape, np.int32)
    model = single_operator("LceBMaxPool2d", [spec], output_spec, options)
    expected = run_lce(model, x)
    for name, delegate in delegates.items():
        np.testing.assert_array_equal(run_delegate(model, delegate, x), expected, err_msg=name)
