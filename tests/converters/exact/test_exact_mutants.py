"""A few wrong files of each kind of exact file: all that change an output are named. make exact-mutants tries more."""

import pytest

from tests.converters.exact.exact_mutants import mutants
from tests.converters.exact.exact_programs import exact_file


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 3, 5, 7])
def test_every_wrong_file_is_named(seed: int) -> None:
    found = list(mutants(exact_file(seed), seed))
    assert sum(mutant.alive for mutant in found) > 20
    assert not [mutant.kind for mutant in found if mutant.alive and not mutant.named]
