"""Published latencies of known networks on known devices, to stand beside a measurement of the same network and device.

They are of larq-zoo's networks at 224×224, which ours of the same name differ from in details such as padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mobile_bnn.profile_records import Machine, Measurement, Profile
from mobile_bnn.report.figures import is_float_baseline
from mobile_bnn.report.formats import milliseconds, plural, ratio
from mobile_bnn.report.pairing import own_file
from mobile_bnn.runtime import ModelMetadata

PI_4, PIXEL_1, M1 = "Raspberry Pi 4B", "Pixel 1", "Apple M1"
_README = "README of larq/compute-engine, 2022"
_DOCS = "Larq's documentation of its zoo, October 2020"
_INPUT = (224, 224, 3)


@dataclass(frozen=True)
class Anchor:
    """A published latency, batch 1.

    Attributes:
        network: our name of it.
        device: PI_4, PIXEL_1 or M1.
        threads: of the engine.
        latency_ms: as published.
        engine: that was measured.
        source: who says so, and when.
    """

    network: str
    device: str
    threads: int
    latency_ms: float
    engine: str
    source: str


def _readme(network: str, device: str, one: float, four: float) -> list[Anchor]:
    return [Anchor(network, device, threads, ms, "LCE", _README) for threads, ms in ((1, one), (4, four))]


def _docs(network: str, pixel_1: float, pi_4: float) -> list[Anchor]:
    return [Anchor(network, device, 1, ms, "LCE", _DOCS) for device, ms in ((PIXEL_1, pixel_1), (PI_4, pi_4))]


ANCHORS: Sequence[Anchor] = (
    *_readme("quicknet_small", PI_4, 27.7, 12.1),
    *_readme("quicknet", PI_4, 45.0, 20.8),
    *_readme("quicknet_large", PI_4, 77.0, 31.7),
    *_readme("quicknet_small", PIXEL_1, 16.8, 8.9),
    *_readme("quicknet", PIXEL_1, 25.5, 12.6),
    *_readme("quicknet_large", PIXEL_1, 44.2, 22.8),
    *_readme("quicknet_small", M1, 4.0, 1.8),
    *_readme("quicknet", M1, 5.8, 2.5),
    *_readme("quicknet_large", M1, 9.9, 3.9),
    *_docs("binary_alexnet", 44.4, 109.5),
    *_docs("birealnet18", 41.7, 85.4),
    *_docs("binary_resnet_e18", 41.8, 86.1),
    *_docs("binary_densenet28", 84.9, 181.0),
    *_docs("binary_densenet37", 97.1, 206.8),
    *_docs("binary_densenet37_dilated", 174.9, 352.3),
    *_docs("binary_densenet45", 129.3, 268.9),
    *_docs("meliusnet22", 110.7, 252.1),
    *_docs("real_to_binary_net", 48.8, 99.4),
    *_docs("xnornet", 29.3, 54.7),
)


def anchors_for(profile: Profile, metadata: ModelMetadata | None) -> list[Anchor]:
    """The published latencies of a profile's network on its device; empty where nothing is known, or it is emulated."""
    if metadata is None or metadata.input_shape != _INPUT:
        return []
    device = device_of(profile.machine)
    return [each for each in ANCHORS if (each.network, each.device) == (metadata.zoo_model, device)]


def device_of(machine: Machine) -> str | None:
    """The device of ANCHORS that a machine is; None for any other one."""
    if machine.emulated:
        return None
    if machine.board.startswith("Raspberry Pi 4 Model B"):
        return PI_4
    if machine.board in ("Pixel", "Google Pixel"):
        return PIXEL_1
    return M1 if machine.cpu == "Apple M1" else None


def anchor_lines(profile: Profile, metadata: ModelMetadata | None) -> list[str]:
    """A sentence for each published latency, with the fastest measurement of as many threads where there is one."""
    lines = []
    for anchor in anchors_for(profile, metadata):
        text = (
            f"Published: {anchor.network} takes {milliseconds(anchor.latency_ms)} on a {anchor.device} with "
            f"{anchor.engine} and {plural(anchor.threads, 'thread')} ({anchor.source})"
        )
        lines.append(f"{text}{_beside(_fastest(profile, anchor.threads), anchor)}.")
    return lines


def _fastest(profile: Profile, threads: int) -> Measurement | None:
    own = [each for each in profile.measurements if each.file == own_file(profile) and not is_float_baseline(each)]
    same = [each for each in own if each.threads == threads]
    return min(same, key=lambda each: each.median_ms, default=None)


def _beside(measured: Measurement | None, anchor: Anchor) -> str:
    if measured is None or measured.median_ms <= 0:
        return ""
    times = ratio(anchor.latency_ms / measured.median_ms)
    throttled = ", throttled" if measured.throttled else ""
    return f"; here {measured.engine} takes {milliseconds(measured.median_ms)}, {times} as fast{throttled}"
