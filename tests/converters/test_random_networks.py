"""Random small binary networks: all that asked are binary, and every file equals Keras.

MBNN_NETWORKS=500 tries more of them (make fuzz-conversion).
"""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from matrix.outcome import keras_outputs, our_outputs
from matrix.random_networks import Network, networks

from mobile_bnn import converters
from mobile_bnn.converters.layers import binary_layers


@pytest.mark.slow
@settings(
    deadline=None,
    max_examples=int(os.environ.get("MBNN_NETWORKS", "30")),
    suppress_health_check=list(HealthCheck),
)
@given(networks)
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
        pairs = zip(our_outputs(path.read_bytes(), images), keras_outputs(model, images), strict=True)
        for ours, theirs in pairs:
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=max(1e-3 * np.abs(theirs).max(), 1e-6))
