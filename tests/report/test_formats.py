"""Numbers as text: digits, units, and the cases where rounding would tell a lie."""

import math

import pytest

from mobile_bnn.report import formats


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.061234, "0.0612"),
        (1.5, "1.50"),
        (9.996, "10.0"),
        (12.345, "12.3"),
        (123.4, "123"),
        (999.6, "1,000"),
        (1234.5, "1,234"),
        (-2.5, "−2.50"),
        (1.2e-7, "1.20e−07"),
        (0.0, "0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_significant(number: float, text: str) -> None:
    assert formats.significant(number) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "100.00 %"),
        (0.99999, ">99.99 %"),
        (0.0, "0.00 %"),
        (1e-9, "<0.01 %"),
        (0.97777, "97.78 %"),
        (math.nan, "nan"),
    ],
)
def test_percent_never_rounds_to_all_or_nothing(share: float, text: str) -> None:
    assert formats.percent(share) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (21_480, "21.5 kB"),
        (999_999, "1.00 MB"),
        (8_203_000_000, "8.20 GB"),
    ],
)
def test_size_has_decimal_units(number: int, text: str) -> None:
    assert formats.size(number) == text


def test_macs() -> None:
    assert [formats.macs(number) for number in (0, 640, 19_072, 1_769_472)] == ["0", "640", "19.1 k", "1.77 M"]


def test_points_have_a_sign_unless_they_are_nothing() -> None:
    assert [formats.points(value) for value in (-0.00278, 0.01, 1e-6, -1e-6)] == [
        "−0.28 points",
        "+1.00 points",
        "0.00 points",
        "0.00 points",
    ]


def test_ratio() -> None:
    assert [formats.ratio(value) for value in (0.4375, 1, 17.13, 0.01234)] == ["0.44×", "1.00×", "17.1×", "0.0123×"]


def test_printable_replaces_what_a_terminal_would_obey_and_cuts() -> None:
    assert formats.printable("a\x1b[31m\nb\u202e") == "a�[31m�b�"
    assert formats.printable("x" * 1000, 10) == "x" * 9 + "…"
    assert formats.plural(1, "thread") + formats.plural(2000, "run") == "1 thread2,000 runs"


@pytest.mark.parametrize(
    ("metric", "text"),
    [("top-1", "Top-1"), ("accuracy", "Accuracy"), ("mAP@0.5", "mAP@0.5"), ("mIoU", "mIoU"), ("", "")],
)
def test_a_metric_begins_a_sentence_as_it_is_written(metric: str, text: str) -> None:
    assert formats.capitalized(metric) == text
