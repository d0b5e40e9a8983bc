"""Sums of binary convolutions are scaled as whole numbers where rounding explains what ratios lack, and only there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.rules.binarize.whole_ratios import are_whole, whole_middle
from mobile_bnn.typing import Array

f32 = np.float32


def halves(levels: Array) -> list[float]:
    """The amplitudes of a thermometer code."""
    return list(np.diff(levels.astype(np.float64)) / 2)


def whole(levels: Array, weights: Array) -> bool:
    """Of an input of these levels and a filter of these weights, each rising."""
    amplitudes, scales = halves(levels), [np.array([half], np.float32) for half in halves(weights)]
    products = np.array([[half * scale.astype(np.float64) for scale in scales] for half in amplitudes])
    ratios = products / np.abs(products).min()
    return are_whole(ratios, amplitudes, np.abs(levels).max(), scales, np.abs(weights).max(keepdims=True))


def on_grid(points: list[int], step: float, offset: float) -> Array:
    """Numbers of a grid as a quantizer computes them: a rounded step, a product, a sum, in float32."""
    return np.array(points, f32) * f32(step) + f32(offset)


POINTS = st.lists(st.integers(1, 5), min_size=1, max_size=6).map(lambda gaps: [0, 1, *(1 + np.cumsum(gaps)).tolist()])
NUMBERS = st.floats(1e-3, 1e3).map(float)


@settings(max_examples=300, deadline=None)
@given(POINTS, POINTS, NUMBERS, NUMBERS, st.floats(-20, 20), st.floats(-20, 20))
def test_whatever_rounding_makes_of_a_grid_is_whole(
    inputs: list[int], filters: list[int], step: float, scale: float, offset: float, shift: float
) -> None:
    """Offsets of so many steps: the larger the numbers, the more of a step rounding may take."""
    assert whole(on_grid(inputs, step, offset * step), on_grid(filters, scale, shift * scale))


@pytest.mark.parametrize("off", [2e-6, 1e-5, 1e-4])
def test_a_ratio_that_is_off_by_more_is_not(off: float) -> None:
    """The first two passed a tolerance of 1e-5."""
    ternary, binary = f32([0, 0.3, 0.6]), f32([-0.7, 0.7])
    assert whole(ternary, binary)
    assert not whole(ternary * f32([1, 1, 1 + off * 1.5]), binary)
    assert not whole(ternary, f32([-0.7, 0, 0.7 * (1 + off * 1.5)]))


def test_numbers_of_coarse_places_may_be_off_by_as_much() -> None:
    """Beside 1000 floats are 6e-5 apart: so may steps of 1 be."""
    levels = f32([1000, 1001, 1002])
    levels[2] = np.nextafter(levels[2], f32(np.inf))
    assert whole(levels, f32([-0.7, 0.7]))
    assert not whole(levels - f32(1000), f32([-0.7, 0.7]))


def middle_of(low: float, high: float) -> float | None:
    """Of two values, as float32 has them."""
    values = f32([low, high]).astype(np.float64)
    return whole_middle(values.mean(), np.ptp(values) / 2, np.abs(values).max())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([(-1, 1, 0), (0, 1, 1), (-1, 0, -1), (1, 2, 3), (2, 3, 5), (-3, -2, -5)]), NUMBERS)
def test_a_middle_of_whole_amplitudes(case: tuple[int, int, int], step: float) -> None:
    low, high, count = case
    assert middle_of(*on_grid([low, high], step, 0)) == count


@pytest.mark.parametrize("values", [(-0.25, 1.5), (0, np.nextafter(0.25, 1)), (-1, 1 + 2e-6)])
def test_a_middle_is_whole_or_off_by_rounding(values: tuple[float, float]) -> None:
    expected = 1.0 if values[0] == 0 else None
    assert middle_of(*values) == expected


def test_far_from_0_rounding_explains_no_middle() -> None:
    """The amplitude of these is off by 2e-4 of itself, and 2003 of them by 0.4."""
    low, high = f32([700.7, 701.4])
    assert middle_of(low, high) is None
    assert middle_of(1000, 1001) == 2001
