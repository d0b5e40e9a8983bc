"""LceQuantize and LceDequantize against LCE's own."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_bconv import pack
from single_operator import TensorSpec, run_delegate, run_lce, single_operator

shapes = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 4), st.integers(1, 140))


def words(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[:-1], -(-shape[-1] // 32))


@settings(deadline=None, max_examples=60)
@given(
    shape=shapes,
    dtype=st.sampled_from((np.float32, np.int8, np.bool_)),
    zero_point=st.sampled_from((-128, -1, 0, 5, 127)),
    seed=st.integers(0, 2**32 - 1),
)
def test_quantize(
    shape: tuple[int, ...], dtype: type[np.generic], zero_point: int, seed: int, delegates: dict[str, Delegate]
) -> None:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=shape).astype(np.float32)
    if dtype == np.int8:
        x = generator.integers(-128, 128, shape).astype(np.int8)
    elif dtype == np.bool_:
        x = x < 0
    scale = 0.1 if dtype == np.int8 else None
    spec = TensorSpec(shape, dtype, scale=scale, zero_point=zero_point)
    model = single_operator("LceQuantize", [spec], TensorSpec(words(shape), np.int32))
    expected = run_lce(model, x)
    for name, delegate in delegates.items():
        np.testing.assert_array_equal(run_delegate(model, delegate, x), expected, err_msg=name)


def test_minus_zero_and_nan_are_plus_one(delegates: dict[str, Delegate]) -> None:
    # By Keras' definition, in NumPy: LCE on ARM makes -0.0 a -1.
    x = np.array([[0.0, -0.0, np.nan, -np.nan, -1e-45, -np.inf, np.inf, -1.0] * 8], np.float32)
    model = single_operator("LceQuantize", [TensorSpec(x.shape)], TensorSpec((1, 2), np.int32))
    for name, delegate in delegates.items():
        np.testing.assert_array_equal(run_delegate(model, delegate, x), pack(x < 0), err_msg=name)


@settings(deadline=None, max_examples=40)
@given(
    shape=shapes,
    dtype=st.sampled_from((np.float32, np.int8, np.bool_)),
    scale=st.sampled_from((0.004, 0.1, 0.5, 1.0, 3.0)),
    zero_point=st.sampled_from((-128, -1, 0, 5, 127)),
    seed=st.integers(0, 2**32 - 1),
)
def test_dequantize(
    shape: tuple[int, ...],
    dtype: type[np.generic],
    scale: float,
    zero_point: int,
    seed: int,
    delegates: dict[str, Delegate],
) -> None:
    x = pack(np.random.default_rng(seed).random(shape) < 0.5)
    output = TensorSpec(shape, dtype, scale=scale if dtype == np.int8 else None, zero_point=zero_point)
    model = single_operator("LceDequantize", [TensorSpec(x.shape, np.int32)], output)
    expected = run_lce(model, x)
    for name, delegate in delegates.items():
        np.testing.assert_array_equal(run_delegate(model, delegate, x), expected, err_msg=name)


@pytest.mark.parametrize("batch", [1, 4])
def test_dequantize_follows_a_resize(batch: int, delegate: Delegate) -> None:
    signs = np.random.default_rng(0).random((batch, 2, 2, 40)) < 0.5
    model = single_operator("LceDequantize", [TensorSpec((1, 2, 2, 2), np.int32)], TensorSpec((1, 2, 2, 40)))
    np.testing.assert_array_equal(run_delegate(model, delegate, pack(signs)), np.where(signs, -1, 1))
