"""Filters taken apart into binary ones: every weight quantizer of Larq, and what only looks like one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.quantizers.weights import BinaryWeights, binary_weights
from mobile_bnn.converters.refusals import NoMatch
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Quantizer

SHAPE = (3, 3, 8, 5)  # Keras: outputs last


def quantized(quantizer: Quantizer, scale: float = 1.0) -> np.ndarray:
    """A random filter after a quantizer, outputs first."""
    latent = np.random.default_rng(0).uniform(-1, 1, SHAPE).astype(np.float32) * scale
    return np.moveaxis(quantizer(tf.constant(latent)).numpy(), -1, 0)


def taken_apart(weights: np.ndarray) -> BinaryWeights:
    found = binary_weights(weights)
    assert isinstance(found, BinaryWeights), found
    np.testing.assert_allclose(found.values(), weights, rtol=0, atol=4e-6 * np.abs(weights).max())
    return found


@pytest.mark.parametrize(
    ("quantizer", "bases"),
    [
        pytest.param(larq.quantizers.SteSign(), 1, id="SteSign"),
        pytest.param(larq.quantizers.ApproxSign(), 1, id="ApproxSign"),
        pytest.param(larq.quantizers.SwishSign(), 1, id="SwishSign"),
        pytest.param(larq.quantizers.MagnitudeAwareSign(), 1, id="MagnitudeAwareSign"),
        pytest.param(larq.quantizers.SteHeaviside(), 1, id="SteHeaviside"),
        pytest.param(larq.quantizers.SteTern(), 2, id="SteTern"),
        pytest.param(larq.quantizers.SteTern(ternary_weight_networks=True), 2, id="SteTern of TWN"),
        pytest.param(larq.quantizers.DoReFa(1, mode="weights"), 1, id="DoReFa of 1 bit"),
        pytest.param(larq.quantizers.DoReFa(2, mode="weights"), 2, id="DoReFa of 2 bits"),
        pytest.param(larq.quantizers.DoReFa(3, mode="weights"), 3, id="DoReFa of 3 bits"),
        pytest.param(larq.quantizers.DoReFa(4, mode="weights"), 4, id="DoReFa of 4 bits"),
    ],
)
def test_larqs_quantizers(quantizer: Quantizer, bases: int) -> None:
    found = taken_apart(quantized(quantizer))
    assert len(found.bases) == bases


@pytest.mark.parametrize("offset", [0, 0.5])
def test_a_sum_of_two_signs_of_any_scales(offset: float) -> None:
    generator = np.random.default_rng(0)
    coarse, fine = (generator.choice([-1, 1], (6, 3, 3, 8)) for _ in range(2))
    scales = generator.uniform(0.1, 2, (2, 6, 1, 1, 1))
    weights = (scales[0] * coarse + scales[1] * fine + offset).astype(np.float32)
    found = taken_apart(weights)
    assert len(found.bases) == 2
    np.testing.assert_allclose(found.offset, offset, atol=1e-5)


@pytest.mark.parametrize("offset", [0, 0.3])
@pytest.mark.parametrize("count", [3, 4])
def test_a_sum_of_more_signs_of_any_scales(count: int, offset: float) -> None:
    generator = np.random.default_rng(0)
    signs = generator.choice([-1, 1], (count, 6, 3, 3, 32))
    scales = np.array([0.5, 0.21, 0.13, 0.047])[:count] * generator.uniform(0.5, 2, (6, 1))
    weights = (np.einsum("kohwi,ok->ohwi", signs, scales) + offset).astype(np.float32)
    found = taken_apart(weights)
    assert len(found.bases) == count
    np.testing.assert_allclose([base.scale for base in found.bases], scales.T, rtol=1e-5)
    np.testing.assert_allclose(found.offset, offset, atol=1e-5)


def test_signs_that_depend_on_each_other() -> None:
    """ABC-Net: shifted signs of one weight, with scales of each channel; one is of one value."""
    generator = np.random.default_rng(0)
    latent, scales = generator.normal(size=(6, 3, 3, 32)), generator.uniform(0.1, 1, (3, 6, 1, 1, 1))
    weights = sum(scale * np.sign(latent + shift) for scale, shift in zip(scales, (-0.7, 0, 0.7), strict=True))
    weights[2] = -0.25
    found = taken_apart(weights.astype(np.float32))
    assert len(found.bases) == 3
    assert not found.offset.any()


def test_values_that_occur_once_are_those_of_a_float_filter() -> None:
    weights = np.random.default_rng(0).choice(np.float32([-0.5, 0.11, 0.3, 0.7]), (2, 3, 3, 8))
    assert len(taken_apart(weights).bases) == 3
    weights[1, 2, 2, 7] = 0.9
    with pytest.raises(NoMatch, match="channel 1 has 5 values"):
        binary_weights(weights)


def test_a_large_filter_is_taken_apart_like_a_small_one() -> None:
    weights = np.random.default_rng(0).choice(np.float32([-0.5, 0.5]), (40, 3, 3, 600))
    found = taken_apart(weights)
    np.testing.assert_array_equal(found.bases[0].signs, weights < 0)
    weights[39, 2, 2, 598:] = 0.41, 0.137
    with pytest.raises(NoMatch, match="channel 39 has 4 values"):
        binary_weights(weights)


def test_a_sign_with_any_scale_per_channel() -> None:
    generator = np.random.default_rng(1)
    signs = generator.random((6, 3, 3, 4)) < 0.5
    scale = np.float32([1e-30, 3e-5, 0.7, 1, 123456, 0])  # the last channel is dead
    weights = np.where(signs, -1, 1).astype(np.float32) * scale[:, None, None, None]
    found = taken_apart(weights)
    (base,) = found.bases
    np.testing.assert_array_equal(base.scale, scale)
    np.testing.assert_array_equal(base.signs[:5], signs[:5])
    assert not found.offset.any()
    np.testing.assert_array_equal(found.values(), weights)


def test_channels_of_one_value_are_binary_too() -> None:
    weights = np.full((2, 1, 1, 8), 0.25, np.float32) * np.float32([1, -3])[:, None, None, None]
    found = taken_apart(weights)
    (base,) = found.bases
    np.testing.assert_array_equal(base.scale, [0.25, 0.75])
    np.testing.assert_array_equal(base.signs.reshape(2, -1).all(1), [False, True])
    assert not found.offset.any()


@settings(deadline=None)
@given(*(st.floats(-8, 8, width=32, allow_subnormal=False) for _ in range(2)), st.integers(0, 2**16))
def test_any_two_values(low: float, high: float, seed: int) -> None:
    weights = np.random.default_rng(seed).choice(np.float32([low, high]), (3, 2, 2, 4))
    assert len(taken_apart(weights).bases) <= 2


@settings(deadline=None)
@given(st.integers(1, 4), st.floats(0.0625, 4, width=32), st.floats(-1, 1, width=32), st.integers(0, 2**16))
def test_grids(bits: int, step: float, low: float, seed: int) -> None:
    points = (np.float32(low) + np.float32(step) * np.arange(2**bits)).astype(np.float32)
    weights = np.random.default_rng(seed).choice(points, (4, 3, 3, 16))
    weights[:, 0, 0, 0], weights[:, 0, 0, 1] = points[0], points[-1]  # the whole grid's ends are there
    assert len(taken_apart(weights).bases) <= max(bits, 2)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (np.random.default_rng(0).normal(size=(2, 3, 3, 4)), "channel 0 has 36 values that are on no grid"),
        (np.float32([[1, -1, 1.01, 0.2]]), "channel 0 has 4 values"),
        (np.float32([[1, -1], [np.nan, 1]]), "not finite"),
        (np.float32([[1, -1], [np.inf, 1]]), "not finite"),
        (np.zeros((0, 3)), "empty"),
    ],
)
def test_what_is_not_binary_says_why(weights: np.ndarray, reason: str) -> None:
    with pytest.raises(NoMatch, match=reason):
        binary_weights(weights.astype(np.float32))
