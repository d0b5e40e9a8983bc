"""LceBMaxPool2d against LCE's own, and MAX_POOL_2D next to binary operators."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate
from hypothesis import given, settings
from hypothesis import strategies as st
from single_operator import (
    TensorSpec,
    chain,
    create_interpreter,
    invoke_outputs,
    operators_of,
    run_delegate,
    run_lce,
    run_lce_outputs,
    single_operator,
)


@dataclass(frozen=True)
class Pool:
    """A pool, and of its map the batch and what it is larger than the least."""

    batch: int
    extra: tuple[int, int]
    window: tuple[int, int]
    stride: tuple[int, int]
    valid: bool

    @property
    def map_shape(self) -> tuple[int, ...]:
        """[N, H, W]."""
        least = self.window if self.valid else (1, 1)
        return (self.batch, *(more + size for more, size in zip(self.extra, least, strict=True)))

    @property
    def pooled_shape(self) -> tuple[int, ...]:
        """[N, H, W]."""
        sizes = zip(self.map_shape[1:], self.window, self.stride, strict=True)
        return (self.batch, *((n - w) // s + 1 if self.valid else -(-n // s) for n, w, s in sizes))


pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
pools = st.builds(
    Pool,
    batch=st.integers(1, 3),
    extra=st.tuples(st.integers(0, 7), st.integers(0, 7)),
    window=pairs,
    stride=pairs,
    valid=st.booleans(),
)
seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=60)
@given(
    pool=pools,
    words=st.one_of(st.integers(1, 9), st.sampled_from([8, 16, 24])),  # whole vectors take a way of their own
    seed=seeds,
)
def test_equals_lce(pool: Pool, words: int, seed: int, delegates: dict[str, Delegate]) -> None:
    x = mostly_ones((*pool.map_shape, words), seed)
    chosen = options(pool.window, pool.stride, pool.valid)
    check_against_lce(x, (*pool.pooled_shape, words), chosen, delegates)


@pytest.mark.parametrize(("width", "words", "window"), [(300, 32, 2), (300, 33, 2), (200, 33, 130), (2100, 2, 3)])
def test_rows_longer_than_the_buffer(width: int, words: int, window: int, delegates: dict[str, Delegate]) -> None:
    x = mostly_ones((1, 3, width, words), 7)
    check_against_lce(x, (1, 2, -(-width // 2), words), options((2, window), (2, 2), False), delegates)


@settings(deadline=None, max_examples=60)
@given(pool=pools, channels=st.one_of(st.integers(1, 40), st.sampled_from([64, 80, 133])), seed=seeds)
def test_float_equals_lce(pool: Pool, channels: int, seed: int, delegates: dict[str, Delegate]) -> None:
    x = np.random.default_rng(seed).normal(size=(*pool.map_shape, channels)).astype(np.float32)
    x[x < -0.3] = np.finfo(np.float32).min  # of infinity, TFLite's kernels make the largest number, XNNPACK's do not
    model = float_pool(pool, channels)
    expected = run_lce_outputs(model, x)
    for name, delegate in delegates.items():
        actual = invoke_outputs(create_interpreter(model, delegate), x)
        for ours, theirs in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_only_pools_beside_binary_operators_are_claimed(library: Path, tmp_path: Path) -> None:
    image, x = TensorSpec((1, 6, 6, 8)), np.random.default_rng(0).normal(size=(1, 6, 6, 8)).astype(np.float32)
    pool = {"activation": 0, "padding": 1, "strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}
    clamped = {**pool, "activation": 1}
    for options, shape, ran in [(pool, (1, 3, 3), ["MAX_POOL_2D"]), (clamped, (1, 3, 3), [])]:
        pooled, words = TensorSpec((*shape, 8)), TensorSpec((*shape, 1), np.int32)
        model = chain([("MAX_POOL_2D", [image], pooled, options), ("LceQuantize", [pooled], words, b"")])
        assert operators_of(model, library, tmp_path, x) == [*ran, "LceQuantize"]
    words, again, rest = TensorSpec((1, 6, 6, 1), np.int32), TensorSpec((1, 6, 6, 8)), TensorSpec((1, 3, 3, 8))
    model = chain(
        [
            ("LceQuantize", [image], words, b""),
            ("LceDequantize", [words], again, b""),
            ("MAX_POOL_2D", [image], rest, pool),
        ],
        [again],
    )
    assert operators_of(model, library, tmp_path, x) == ["LceQuantize", "LceDequantize"]


def float_pool(pool: Pool, channels: int) -> bytes:
    """A model: the maxima of a float map, and their signs."""
    image, pooled = TensorSpec((*pool.map_shape, channels)), TensorSpec((*pool.pooled_shape, channels))
    words = TensorSpec((*pool.pooled_shape, -(-channels // 32)), np.int32)
    options = {
        "padding": int(pool.valid),
        "filterHeight": pool.window[0],
        "filterWidth": pool.window[1],
        "strideH": pool.stride[0],
        "strideW": pool.stride[1],
    }
    return chain([("MAX_POOL_2D", [image], pooled, options), ("LceQuantize", [pooled], words, b"")], [pooled])


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
    x: np.ndarray, output_shape: tuple[int, ...], options: dict[str, int], delegates: dict[str, Delegate]
) -> None:
    spec, output_spec = TensorSpec(x.shape, np.int32), TensorSpec(output_shape, np.int32)
    model = single_operator("LceBMaxPool2d", [spec], output_spec, options)
    expected = run_lce(model, x)
    for name, delegate in delegates.items():
        np.testing.assert_array_equal(run_delegate(model, delegate, x), expected, err_msg=name)
