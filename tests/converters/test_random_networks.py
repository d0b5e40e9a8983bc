"""Random small binary networks: all that are declared binary become so, and every file equals Keras.

MBNN_NETWORKS=500 tries more of them (make fuzz-conversion).
"""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from matrix.outcome import keras_outputs, our_outputs
from matrix.random_networks import Block, Network, networks

from mobile_bnn import converters
from mobile_bnn.converters.keras.layers import binary_layers
from mobile_bnn.converters.verification.reference import KerasReference


def _block(size: tuple[int, int], quantizers: tuple[str, str], **options: object) -> Block:
    plain = {"depthwise": False, "filters": 8, "stride": 1, "dilation": 1, "padding": "same-one", "bias": False}
    return Block(size=size, quantizers=quantizers, **{**plain, "after": [], "join": "", **options})


_SIGNS = ("ste_sign", "ste_sign")
# A channel of little but ties.
_TIES = Network(
    (1, 2, 3),
    [_block((1, 2), _SIGNS), _block((1, 1), ("ste_sign", "magnitude_aware_sign")), _block((1, 1), _SIGNS)],
    "",
)
# A ternary input that is never negative.
_ONE_STEP = Network(
    (1, 1, 3), [_block((1, 1), _SIGNS, after=["norm", "relu", "prelu"]), _block((1, 1), ("ste_tern", "ste_sign"))], ""
)
# Dense channels of few values, most of them in samples with a tie before.
_LATE = Network(
    (8, 6, 32),
    [
        _block((1, 1), ("dorefa 2", "dorefa 2"), filters=32, bias=True, after=["prelu"], join="concatenate"),
        _block((3, 1), _SIGNS, padding="valid", filters=32, dilation=2, join="add"),
        _block((3, 1), _SIGNS, padding="valid", filters=32, dilation=2, join="add"),
        _block((1, 2), _SIGNS, bias=True, join="add"),
    ],
    "dense",
)
# A step near which most values are, and another that fits the bits but for one.
_NEAR_A_STEP = Network(
    (5, 2, 3),
    [
        _block((3, 1), _SIGNS, bias=True, after=["norm"], join="add"),
        _block((3, 1), _SIGNS, padding="same-zero", after=["hard tanh", "average pool", "prelu"], join="concatenate"),
        _block((2, 2), ("ste_sign", "dorefa 2"), join="add"),
        _block((2, 1), ("dorefa 2", "dorefa 2"), filters=40, padding="valid", after=["norm", "bias"]),
    ],
    "softmax",
)
# A batch norm whose channels hardly vary after the last layer: float32 leaves 0.004 of outputs near 1.
_STEADY = Network(
    (8, 8, 3),
    [
        *3 * [_block((1, 1), _SIGNS, after=["norm", "relu", "relu6"])],
        _block((1, 1), _SIGNS, after=["norm"], join="concatenate"),
    ],
    "dense",
)
# Levels near -1 and 1, as DSQ learns them: their middle is near 0, and in no ratio to what is between them.
_LEARNED = Network(
    (6, 6, 16),
    [
        _block((3, 3), ("learned ends", "learned ends"), filters=16, after=["norm"], join="add"),
        _block((3, 3), ("learned ends", "learned ends"), stride=2, after=["norm"]),
    ],
    "",
)
# With two threads LiteRT's own CONV_2D computes it wrongly, with what was in memory.
_SMALL = Network((2, 2, 3), [_block((2, 2), _SIGNS, padding="same-zero")], "")


@pytest.mark.slow
@settings(
    deadline=None,
    max_examples=int(os.environ.get("MBNN_NETWORKS", "30")),
    suppress_health_check=list(HealthCheck),
)
@given(networks)
@example(_TIES)
@example(_ONE_STEP)
@example(_LATE)
@example(_NEAR_A_STEP)
@example(_STEADY)
@example(_SMALL)
@example(_LEARNED)
def test_every_network_is_binary_and_equals_keras(tmp_path_factory: pytest.TempPathFactory, network: Network) -> None:
    path = tmp_path_factory.getbasetemp() / "network.tflite"
    family = network.family()
    model = family.model()
    images = family.images(model)
    # Compares with Keras bit by bit, on the float file's word too, and in LCE's interpreter; raises if one differs.
    conversion = converters.convert(model, path, samples=images)
    assert not conversion.float_layers
    assert sorted({layer.layer for layer in conversion.layers}) == sorted(layer.name for layer in binary_layers(model))
    if not sum(layer.flips for layer in conversion.layers):
        margins = KerasReference(model, converters.Source.of_keras(model).lower()[1]).run(images, {}).margins
        outputs = zip(our_outputs(path.read_bytes(), images), keras_outputs(model, images), margins, strict=True)
        for ours, theirs, margin in outputs:
            limit = max(1e-3 * np.abs(theirs).max(), 1e-6, margin.max())
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=limit)
