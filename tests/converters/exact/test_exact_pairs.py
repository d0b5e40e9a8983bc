"""Every pair of two layers, by the shape of its algebra: delegate, LCE and TFLite's float kernels agree in every bit.

What is paired: the sum that a layer makes (of a quantizer of its input and a kind of weights), what stands after it,
and the quantizer that reads it. The rest is drawn, and each kind of it meets each kind of what is paired.
"""

from itertools import product
from random import Random

import pytest

from tests.converters.exact.exact_check import faults
from tests.converters.exact.exact_networks import ExactLayer, ExactNetwork
from tests.converters.exact.exact_parts import BETWEEN, JOINS, PADDINGS, QUANTIZERS, WEIGHTS


def _network(weights: str, between: str, quantizer: str, seed: int) -> ExactNetwork:
    choose = Random(seed).choice
    first = ExactLayer(
        choose(list(QUANTIZERS)),
        weights,
        choose(PADDINGS),
        (between,),
        choose((*JOINS, "", "")),
        choose((1, 2, 3)),
        choose((1, 1, 2)),
        choose((5, 6, 32)),
        bias=seed % 3 == 0,
    )
    return ExactNetwork((first, ExactLayer(quantizer, choose(list(WEIGHTS)), choose(PADDINGS))), seed)


# Kinds of one algebra take turns.
_SUMS = (("sign",), ("ternary",), ("2 bits", "3 bits"), ("{l, u}", "{0, 1}"), ("two bases",))
_AFTER = (("relu", "relu6"), *((name,) for name in BETWEEN if name not in ("relu", "relu6")))


def _networks() -> dict[str, list[ExactNetwork]]:
    """By the quantizer between the layers."""
    found: dict[str, list[ExactNetwork]] = {quantizer: [] for quantizer in QUANTIZERS}
    for seed, (weights, between, quantizer) in enumerate(product(_SUMS, _AFTER, QUANTIZERS)):
        choose = Random(-seed - 1).choice
        found[quantizer].append(_network(choose(weights), choose(between), quantizer, seed))
    return found


NETWORKS = _networks()


@pytest.mark.slow
@pytest.mark.parametrize("quantizer", sorted(NETWORKS))
def test_pairs_of_layers_agree_in_every_bit(quantizer: str) -> None:
    wrong = {network: told for network in NETWORKS[quantizer] if (told := faults(network))}
    assert not wrong


def test_every_two_kinds_meet() -> None:
    layers = [layer for networks in NETWORKS.values() for network in networks for layer in network.layers]
    for one, other, size in (
        ("quantizer", "weights", len(QUANTIZERS) * len(WEIGHTS)),
        ("padding", "weights", len(PADDINGS) * len(WEIGHTS)),
        ("join", "weights", len(JOINS) * len(WEIGHTS)),
        ("between", "weights", len(BETWEEN) * len(WEIGHTS)),
        ("quantizer", "padding", len(QUANTIZERS) * len(PADDINGS)),
        ("between", "padding", len(BETWEEN) * len(PADDINGS)),
        ("join", "padding", len(JOINS) * len(PADDINGS)),
    ):
        met = {(getattr(layer, one), getattr(layer, other)) for layer in layers if layer.between or one != "between"}
        assert len(met) == size, (one, other)
