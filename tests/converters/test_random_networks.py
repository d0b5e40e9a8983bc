"""Random small binary networks: every layer of every one binary, every file equal to Keras in both runtimes.

MBNN_NETWORKS=500 tries more of them (make fuzz-conversion).
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from matrix.outcome import ROUNDING, convert, keras_outputs, lce_outputs, our_outputs, per_image
from matrix.random_networks import Network, networks
from matrix.ties import images_with_ties


@pytest.mark.slow
@settings(
    deadline=None,
    max_examples=int(os.environ.get("MBNN_NETWORKS", "30")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(networks)
def test_every_network_is_binary_and_equals_keras(network: Network) -> None:
    family = network.family()
    model = family.model()
    outcome = convert(model)
    assert outcome.refusals == []
    assert outcome.operators["LceBconv2d"] > 0
    images = family.images(model)
    ours = our_outputs(outcome.flatbuffer, images)
    wrong = per_image(ours, keras_outputs(model, images)) > ROUNDING
    # What rounding alone can push over a threshold within the network is no error.
    assert not (wrong & ~images_with_ties(model, images[0])).any()
    assert per_image(lce_outputs(outcome.flatbuffer, images), ours).max() <= ROUNDING
