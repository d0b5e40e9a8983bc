"""What may slow a machine down, read from trees of files as Linux shows them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mobile_bnn.profiling.condition import governors, temperature, throttling

Tree = Callable[[dict[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Makes files with the given texts."""

    def make(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


def test_a_system_that_tells_nothing(tmp_path: Path) -> None:
    assert (governors(tmp_path), temperature(tmp_path), throttling(tmp_path)) == ([], None, None)


def test_the_governors_of_all_cores(tree: Tree) -> None:
    path = "devices/system/cpu/{}/cpufreq/scaling_governor"
    texts = {"cpu0": "powersave\n", "cpu1": "powersave\n", "cpu10": "schedutil\n", "cpuidle": "no core\n"}
    assert governors(tree({path.format(cpu): text for cpu, text in texts.items()})) == ["powersave", "schedutil"]


def test_the_hottest_sensor(tree: Tree) -> None:
    zones = {"thermal_zone0": "48312\n", "thermal_zone1": "51000\n", "thermal_zone2": "", "cooling_device0": "99000\n"}
    assert temperature(tree({f"class/thermal/{name}/temp": text for name, text in zones.items()})) == 51.0


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("0\n", []),
        ("50000\n", ["under-voltage", "throttled"]),
        ("50005\n", ["under-voltage now", "throttled now"]),
        ("e0008\n", ["soft temperature limit now", "frequency capped", "throttled"]),
        ("what?\n", None),
    ],
)
def test_a_raspberry_pi_tells_by_bits(tree: Tree, flags: str, told: list[str] | None) -> None:
    assert throttling(tree({"devices/platform/soc/soc:firmware/get_throttled": flags})) == told


@pytest.mark.parametrize(("counts", "told"), [(("0\n", "0\n"), []), (("0\n", "7\n"), ["heat"])])
def test_a_pc_counts(tree: Tree, counts: tuple[str, str], told: list[str]) -> None:
    path = "devices/system/cpu/cpu{}/thermal_throttle/core_throttle_count"
    assert throttling(tree({path.format(cpu): count for cpu, count in enumerate(counts)})) == told
