"""Published latencies stand beside the very network on the very device, and beside nothing else."""

import pytest

from mobile_bnn import zoo
from mobile_bnn.profile_records import Profile
from mobile_bnn.report.anchors import ANCHORS, anchor_lines, anchors_for
from mobile_bnn.runtime import ModelMetadata, Normalization
from tests.report.test_compared_profiles import measurement, profile

PI_4 = "Raspberry Pi 4 Model B Rev 1.4"


def metadata(network: str | None, side: int = 224) -> ModelMetadata:
    normal = Normalization(mean=[0.0], std=[1.0])
    return ModelMetadata(
        zoo_model=network, input_shape=(side, side, 3), normalization=normal, binary_macs=1, float_macs=1
    )


@pytest.fixture
def on_a_pi() -> Profile:
    """13.85 ms with one thread: half of what is published."""
    return profile(measurement(median_ms=13.85, kernel="neon"), target="ssh://pi@pi", board=PI_4)


def test_quicknet_small_on_a_pi_4(on_a_pi: Profile) -> None:
    assert anchor_lines(on_a_pi, metadata("quicknet_small")) == [
        "Published: quicknet_small takes 27.7 ms on a Raspberry Pi 4B with LCE and 1 thread (README of "
        "larq/compute-engine, 2022); here delegate takes 13.8 ms, 2.00× as fast.",
        "Published: quicknet_small takes 12.1 ms on a Raspberry Pi 4B with LCE and 4 threads (README of "
        "larq/compute-engine, 2022).",
    ]


def test_a_throttled_measurement_says_so(on_a_pi: Profile) -> None:
    slowed = on_a_pi.measurements[0].model_copy(update={"throttled": True})
    line = anchor_lines(on_a_pi.model_copy(update={"measurements": [slowed]}), metadata("quicknet_small"))[0]
    assert line.endswith("2.00× as fast, throttled.")


@pytest.mark.parametrize(
    ("network", "side", "facts"),
    [
        ("quicknet_small", 224, {}),
        ("quicknet_small", 224, {"board": "Raspberry Pi 5 Model B Rev 1.0"}),
        ("quicknet_small", 224, {"board": PI_4, "emulated": True}),
        ("quicknet_small", 192, {"board": PI_4}),
        ("resnet20", 224, {"board": PI_4}),
        (None, 224, {"board": PI_4}),
    ],
)
def test_another_network_or_device_has_none(network: str | None, side: int, facts: dict[str, object]) -> None:
    assert anchors_for(profile(measurement(), **facts), metadata(network, side)) == []


def test_a_file_without_metadata_has_none(on_a_pi: Profile) -> None:
    assert anchor_lines(on_a_pi, None) == []


@pytest.mark.parametrize(("facts", "first"), [({"board": "Google Pixel"}, 16.8), ({"cpu": "Apple M1"}, 4.0)])
def test_other_devices(facts: dict[str, str], first: float) -> None:
    found = anchors_for(profile(measurement(), **facts), metadata("quicknet_small"))
    assert found[0].latency_ms == first


def test_every_network_is_one_of_the_zoo_and_has_each_figure_once() -> None:
    assert {each.network for each in ANCHORS} <= set(zoo.names())
    keys = [(each.network, each.device, each.threads) for each in ANCHORS]
    assert len(keys) == len(set(keys))
