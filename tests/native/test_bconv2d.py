"""LceBconv2d against LCE's reference kernel, and against NumPy where that is wrong."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy_bconv import BconvCase
from single_operator import create_interpreter, invoke, run_delegate, run_lce

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
common = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def cases(draw: st.DrawFn, paddings: tuple[str, ...]) -> BconvCase:
    padding = draw(st.sampled_from(paddings))
    groups = draw(st.sampled_from((1, 1, 2, 3)))
    filter_size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    dilation = draw(pairs)
    smallest = [(f - 1) * d + 1 if padding == "valid" else 1 for f, d in zip(filter_size, dilation, strict=True)]
    # Per group: LCE splits channels into groups only by whole words.
    channels = draw(st.sampled_from((32, 64, 160) if groups > 1 else (1, 20, 32, 33, 64, 96, 130, 260)))
    return BconvCase(
        draw(st.integers(0, 2**32 - 1)),
        batch=draw(st.integers(1, 3)),
        size=(smallest[0] + draw(st.integers(0, 9)), smallest[1] + draw(st.integers(0, 9))),
        filter_size=filter_size,
        channels=channels * groups,
        outputs=groups * draw(st.sampled_from((1, 8, 16, 24, 32, 40, 64, 70, 100, 128))),
        groups=groups,
        stride=draw(pairs),
        dilation=dilation,
        padding=padding,
        activation=draw(st.integers(0, 3)),
        output=draw(st.sampled_from(("float", "int8", "bits"))),
    )


def check(case: BconvCase, expected: np.ndarray, delegates: dict[str, Delegate]) -> None:
    model = case.model()
    for name, delegate in delegates.items():
        actual = run_delegate(model, delegate, case.input)
        np.testing.assert_array_equal(actual, expected, err_msg=name)


@settings(common, max_examples=1500)
@given(case=cases(("same_one", "valid")))
def test_equals_lces_reference_to_the_last_bit(case: BconvCase, delegates: dict[str, Delegate]) -> None:
    check(case, run_lce(case.model(), case.input), delegates)


@settings(common, max_examples=600)
@given(case=cases(("same_zero",)))
def test_zero_padding_equals_numpy(case: BconvCase, delegates: dict[str, Delegate]) -> None:
    # LCE is no oracle here: it is wrong where the map is smaller than the filter, and writes neither int8 nor bits.
    check(case, case.expected(), delegates)


@settings(common, max_examples=20)
@given(case=cases(("same_one", "valid")))
def test_the_numpy_oracle_agrees_with_lce(case: BconvCase) -> None:
    np.testing.assert_array_equal(case.expected(), run_lce(case.model(), case.input))


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("output", ["float", "int8", "bits"])
def test_zero_padding_on_maps_smaller_than_the_filter(
    size: tuple[int, int], output: str, delegates: dict[str, Delegate]
) -> None:
    case = BconvCase(3, size=size, filter_size=(5, 5), channels=64, outputs=40, padding="same_zero", output=output)
    check(case, case.expected(), delegates)


def test_zero_padding_agrees_with_lce_on_large_maps(delegates: dict[str, Delegate]) -> None:
    case = BconvCase(4, size=(9, 8), channels=64, outputs=33, padding="same_zero")
    # LCE adds the correction to a value rounded before, so its last bits differ.
    np.testing.assert_allclose(case.expected(), run_lce(case.model(), case.input), rtol=1e-5, atol=1e-5)
    check(case, case.expected(), delegates)


def test_long_accumulations(delegates: dict[str, Delegate]) -> None:
    # 73,728 bits: more than a 16-bit accumulator holds, and all of them differ.
    case = BconvCase(5, size=(3, 3), channels=8192, outputs=32, padding="valid")
    case.filter[:] = ~case.signs[0]
    check(case, case.expected(), delegates)
    assert case.dot_products().min() == -73728


@pytest.mark.parametrize("channels", [65440, 140000])
def test_counts_above_16_bits(channels: int, delegates: dict[str, Delegate]) -> None:
    case = BconvCase(6, size=(1, 7), filter_size=(1, 1), channels=channels, outputs=65)
    case.filter[::2] = ~case.signs[0, 0, 0]  # differ in every bit from the first pixel
    check(case, case.expected(), delegates)


@pytest.mark.parametrize("threshold", [-(2**31), -1, 0, 288, 2**31 - 1])
def test_extreme_thresholds(threshold: int, delegates: dict[str, Delegate]) -> None:
    case = BconvCase(6, outputs=48, output="bits")
    case.threshold[:] = threshold
    check(case, run_lce(case.model(), case.input), delegates)


def test_resizing_rebuilds_everything_that_depends_on_the_shape(delegates: dict[str, Delegate]) -> None:
    shapes = [(1, (5, 5)), (3, (9, 4)), (1, (2, 2)), (2, (5, 5))]
    for delegate in delegates.values():
        for padding in ("same_one", "same_zero"):
            interpreter = create_interpreter(BconvCase(7, channels=64, outputs=70, padding=padding).model(), delegate)
            for batch, size in shapes:
                case = BconvCase(7, batch=batch, size=size, channels=64, outputs=70, padding=padding)
                # The file holds the filter of the first case; only its input's shape changes.
                first = BconvCase(7, channels=64, outputs=70, padding=padding)
                case.filter, case.multiplier, case.bias = first.filter, first.multiplier, first.bias
                np.testing.assert_array_equal(invoke(interpreter, case.input), case.expected())
