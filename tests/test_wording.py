"""Numbers of things in a sentence."""

import pytest

from mobile_bnn.wording import plural


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (1234567, "1,234,567 runs"), (-1, "-1 runs")]
)
def test_plural(number: int, text: str) -> None:
    assert plural(number, "run") == text


def test_a_plural_that_is_not_the_singular_with_an_s() -> None:
    assert [plural(number, "class", "classes") for number in (1, 2)] == ["1 class", "2 classes"]
