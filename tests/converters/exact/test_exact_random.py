"""Random networks of exact sums, up to five layers deep: every file agrees with the float one in every bit.

MBNN_EXACT_NETWORKS=2000 tries more of them (make fuzz-exact), MBNN_EXACT_FROM=5000 others.
"""

import os
from random import Random

import pytest

from tests.converters.exact.exact_check import faults
from tests.converters.exact.exact_networks import ExactLayer, ExactNetwork
from tests.converters.exact.exact_parts import BETWEEN, JOINS, PADDINGS, QUANTIZERS, WEIGHTS

_NETWORKS = int(os.environ.get("MBNN_EXACT_NETWORKS", "20"))
_FROM = int(os.environ.get("MBNN_EXACT_FROM", "0"))
_AT_ONCE = 20


def exact_network(seed: int) -> ExactNetwork:
    """A random network."""
    random = Random(seed)
    layers = tuple(_layer(random) for _ in range(random.choice((1, 2, 2, 3, 3, 4, 5))))
    return ExactNetwork(layers, seed, channels=random.choice((1, 3, 4, 32)), map_size=random.choice((5, 6, 7)))


def _layer(random: Random) -> ExactLayer:
    return ExactLayer(
        random.choice(list(QUANTIZERS)),
        random.choice(list(WEIGHTS)),
        random.choice(PADDINGS),
        tuple(random.sample(list(BETWEEN), random.choice((0, 1, 1, 2, 3)))),
        random.choice((*JOINS, "", "")),
        random.choice((1, 2, 3)),
        random.choice((1, 1, 1, 2)),
        random.choice((5, 6, 32, 40)),
        random.random() < 0.3,
    )


@pytest.mark.slow
@pytest.mark.parametrize("first", range(_FROM, _FROM + _NETWORKS, _AT_ONCE))
def test_random_networks_agree_in_every_bit(first: int) -> None:
    networks = [exact_network(seed) for seed in range(first, min(first + _AT_ONCE, _FROM + _NETWORKS))]
    wrong = {network: told for network in networks if (told := faults(network))}
    assert not wrong
