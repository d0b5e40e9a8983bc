"""Products of activations whose sums are exact: every file agrees with the float one in every bit."""

import pytest

from tests.converters.exact.exact_check import faults_of_file
from tests.converters.exact.exact_programs import exact_file


@pytest.mark.parametrize("seed", range(3, 8 * 20, 8))
def test_products_agree_in_every_bit(seed: int) -> None:
    file = exact_file(seed)
    assert file.kind == "products"
    assert not faults_of_file(file.flatbuffer, file.inputs)
