"""Sums of binary convolutions are scaled as whole numbers where rounding explains what ratios lack, and only there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.rules.binarize.whole_ratios import ROUNDING, whole_middle, whole_unit
from mobile_bnn.converters.verification.runners import FileRunner, run_float_file
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Array, KerasTensor
from tests.converters.rules.lowered import convolve, lowered, to_float

f32 = np.float32


def halves(levels: Array) -> list[float]:
    """The amplitudes of a thermometer code."""
    return list(np.diff(levels.astype(np.float64)) / 2)


def unit_of(levels: Array, weights: Array) -> tuple[Array | None, Array]:
    """Of an input of these levels and a filter of these weights, each rising, with the products."""
    amplitudes, scales = halves(levels), [np.array([half], np.float32) for half in halves(weights)]
    products = np.array([[half * scale.astype(np.float64) for scale in scales] for half in amplitudes])
    largest = np.abs(weights).max(keepdims=True)
    return whole_unit(products, amplitudes, np.abs(levels).max(), scales, largest), products


def whole(levels: Array, weights: Array) -> bool:
    return unit_of(levels, weights)[0] is not None


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


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.floats(-2, 2, width=32), min_size=2, max_size=5, unique=True).map(sorted),
    st.lists(st.floats(-2, 2, width=32), min_size=2, max_size=3, unique=True).map(sorted),
)
def test_no_product_moves_by_more_than_rounding(levels: list[float], weights: list[float]) -> None:
    inputs, filters = f32(levels), f32(weights)
    unit, products = unit_of(inputs, filters)
    if unit is None:
        return
    moved = np.abs(np.rint(products / unit) * unit - products)
    explained = [[abs(b) * np.abs(inputs).max() + abs(a) * np.abs(filters).max()] for a, b in _factors(inputs, filters)]
    assert (moved.reshape(-1, 1) <= 3 * ROUNDING * np.array(explained)).all()
    largest = np.abs(products).argmax()
    np.testing.assert_allclose(np.rint(products / unit).flat[largest] * unit, products.flat[largest], rtol=1e-12)


def _factors(levels: Array, weights: Array) -> list[tuple[float, float]]:
    return [(a, b) for a in halves(levels) for b in halves(weights)]


def test_the_middle_of_weights_near_1_is_in_no_ratio_to_their_amplitude() -> None:
    """A filter of -0.9997 and 1.0003 is a sign and 2.7e-4, of which rounding explains any multiple near 3,683."""
    amplitude, middle = np.array([1.0000001]), np.array([2.715e-4])
    assert whole_unit(np.stack([amplitude, middle])[None], [1.0], 1.0, [amplitude, middle], np.array([1.0003])) is None


@pytest.mark.parametrize("off", [1e-4, 2.7e-4, 3e-3, 0.05])
def test_levels_near_minus_1_and_1_keep_their_values(off: float) -> None:
    """As DSQ learns them: the file's sums were off by 1e-4 of themselves."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(2, 6, 6, 16)).astype(np.float32)
    weights = np.where(generator.random((3, 3, 16, 8)) < 0.5, 1 + off, off - 1).astype(np.float32)

    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return convolve(tf.where(x >= off / 3, f32(1 + off / 3), f32(off / 3 - 1)), weights)

    flatbuffer = to_float(network, (1, *x.shape[1:]), tf.constant(weights))
    binary, graph = lowered(flatbuffer)
    assert sum(operator.op_type == "LceBconv2d" for operator in graph.operators) == 2
    (ours,), (expected,) = FileRunner(binary).run([x]), run_float_file(flatbuffer, [x])
    np.testing.assert_allclose(ours, expected, rtol=0, atol=2e-6 * 16 * 9)


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
