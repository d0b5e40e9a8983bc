"""Random networks of exact sums, up to five layers deep: every file agrees with the float one in every bit.

MBNN_EXACT_NETWORKS=2000 tries more of them (make fuzz-exact), MBNN_EXACT_FROM=5000 others.
"""

import os
from dataclasses import replace
from random import Random

import pytest

from tests.converters.exact.exact_check import faults
from tests.converters.exact.exact_networks import ExactLayer, ExactNetwork
from tests.converters.exact.exact_parts import BETWEEN, JOINS, PADDINGS, QUANTIZERS, WEIGHTS

_NETWORKS = int(os.environ.get("MBNN_EXACT_NETWORKS", "20"))
_FROM = int(os.environ.get("MBNN_EXACT_FROM", "0"))
_AT_ONCE = 20


def exact_network(seed: int) -> ExactNetwork:
    """A random network; every third one has nothing but signs, which become bits by a threshold.

    Every second one has a transposed convolution.
    """
    random = Random(seed)
    layers = [_layer(random, plain=seed % 3 == 0) for _ in range(random.choice((1, 2, 2, 3, 3, 4, 5)))]
    if seed % 2:
        place = random.randrange(len(layers))
        layers[place] = replace(layers[place], up=True, size=random.choice((1, 2, 3, 4)))
    return ExactNetwork(tuple(layers), seed, channels=random.choice((1, 3, 4, 32)), map_size=random.choice((5, 6, 7)))


_SIGNS = [name for name in QUANTIZERS if name.startswith(("x ", "falling"))]


def _layer(random: Random, *, plain: bool) -> ExactLayer:
    return ExactLayer(
        random.choice(_SIGNS if plain else list(QUANTIZERS)),
        "sign" if plain else random.choice(list(WEIGHTS)),
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
