"""What a phone tells of itself, out of the text of getprop."""

import pytest

from mobile_bnn.errors import UsageError
from mobile_bnn.profile_records import Machine
from mobile_bnn.profiling.android.properties import facts_of, parse_properties, with_facts
from mobile_bnn.profiling.targets.adb import serial_of

_PIXEL = """[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a,armeabi]
[ro.product.manufacturer]: [Google]
[ro.product.model]: [Pixel 6]
[ro.build.version.sdk]: [33]
[ro.build.version.release]: [13]
[ro.soc.manufacturer]: [Google]
[ro.soc.model]: [Tensor]
[persist.text]: [two
lines]
[empty]: []
"""


def test_a_real_phone() -> None:
    facts = facts_of(parse_properties(_PIXEL))
    assert facts.abis == ("arm64-v8a", "armeabi-v7a", "armeabi")
    assert (facts.abi, facts.api, facts.model, facts.android) == ("arm64-v8a", 33, "Google Pixel 6", "13")
    assert (facts.soc, facts.emulated) == ("Google Tensor", False)


def test_an_old_phone_names_its_board_only() -> None:
    facts = facts_of({"ro.product.cpu.abi": "armeabi-v7a", "ro.board.platform": "msm8974", "ro.hardware": "hammerhead"})
    assert (facts.abi, facts.abis, facts.api, facts.soc) == ("", ("armeabi-v7a",), 0, "msm8974")


def test_a_maker_is_not_named_twice() -> None:
    assert (
        facts_of({"ro.product.manufacturer": "OnePlus", "ro.product.model": "ONEPLUS A6000"}).model == "ONEPLUS A6000"
    )


@pytest.mark.parametrize("properties", [{"ro.kernel.qemu": "1"}, {"ro.boot.qemu": "1"}, {"ro.hardware": "ranchu"}])
def test_an_emulator_is_told(properties: dict[str, str]) -> None:
    assert facts_of(properties).emulated


def test_the_machine_takes_what_only_the_properties_tell() -> None:
    machine = Machine(
        system="Linux 5.10", cpu="", architecture="aarch64", logical_cores=8, memory_bytes=1, governor="schedutil",
        flags=["asimd"], load_1min=0, python="",
    )  # fmt: skip
    told = with_facts(machine, facts_of(parse_properties(_PIXEL)))
    assert (told.board, told.cpu, told.distribution) == ("Google Pixel 6", "Google Tensor", "Android 13")
    assert (told.libc, told.android_api, told.emulated) == ("bionic API 33", 33, False)
    assert told.flags == ["asimd"]


@pytest.mark.parametrize(
    ("url", "serial"), [("adb://", ""), ("adb://R58M", "R58M"), ("adb://127.0.0.1:5555", "127.0.0.1:5555")]
)
def test_serial_numbers_in_urls(url: str, serial: str) -> None:
    assert serial_of(url) == serial


@pytest.mark.parametrize("url", ["adb", "adb:/R58M", "adb://a b", "adb://a/b", "adbs://x"])
def test_malformed_urls(url: str) -> None:
    with pytest.raises(UsageError, match=r"is malformed: a phone is adb://SERIAL\. Give adb:// for the only phone"):
        serial_of(url)
