"""Kinds of cores and their clocks, read from trees of files as Linux shows them."""

from pathlib import Path

import pytest

from mobile_bnn.profiling.cores import clocks_mhz, core_kinds


def processor(root: Path, cores: list[tuple[int, int]], current: int | None = None) -> Path:
    """A /sys with a core for each (highest clock in kHz, capacity), where 0 is not told."""
    for number, (khz, capacity) in enumerate(cores):
        folder = root / f"devices/system/cpu/cpu{number}"
        (folder / "cpufreq").mkdir(parents=True)
        if khz:
            (folder / "cpufreq/cpuinfo_max_freq").write_text(f"{khz}\n")
        if current:
            (folder / "cpufreq/scaling_cur_freq").write_text(f"{current + number}\n")
        if capacity:
            (folder / "cpu_capacity").write_text(f"{capacity}\n")
    (root / "devices/system/cpu/cpuidle").mkdir(parents=True, exist_ok=True)
    return root


@pytest.mark.parametrize(
    ("cores", "kinds"),
    [
        ([], []),
        ([(0, 0)] * 4, []),
        ([(1_800_000, 1024)] * 4, [("all", [0, 1, 2, 3], 1800.0)]),  # a Raspberry Pi 4
        (
            [(2_000_000, 250)] * 4 + [(2_400_000, 1024)] * 2,
            [("big", [4, 5], 2400.0), ("little", [0, 1, 2, 3], 2000.0)],
        ),
        (
            [(1_800_000, 160)] * 4 + [(2_400_000, 500)] * 3 + [(2_900_000, 1024)],
            [("big", [7], 2900.0), ("middle", [4, 5, 6], 2400.0), ("little", [0, 1, 2, 3], 1800.0)],
        ),
        (  # four kinds: those between the fastest and the slowest are one
            [(1_700_000, 200), (2_200_000, 600), (2_300_000, 700), (3_000_000, 1024)],
            [("big", [3], 3000.0), ("middle", [1, 2], 2300.0), ("little", [0], 1700.0)],
        ),
        ([(2_000_000, 1024), (2_000_000, 300)], [("big", [0], 2000.0), ("little", [1], 2000.0)]),  # one clock
        ([(0, 1024), (0, 300)], [("big", [0], None), ("little", [1], None)]),
    ],
)
def test_kinds(tmp_path: Path, cores: list[tuple[int, int]], kinds: list[tuple[str, list[int], float | None]]) -> None:
    found = core_kinds(processor(tmp_path, cores))
    assert [(kind.name, kind.cpus, kind.max_mhz) for kind in found] == kinds


def test_cores_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    (kind,) = core_kinds(processor(tmp_path, [(1_000_000, 0)] * 12))
    assert kind.cpus == list(range(12))


def test_clocks_are_those_of_the_cores(tmp_path: Path) -> None:
    system = processor(tmp_path, [(2_000_000, 0)] * 11, current=1_500_000)
    assert clocks_mhz([2, 10], system) == [1500.002, 1500.01]
    assert clocks_mhz([], system) == [1500 + number / 1000 for number in range(11)]
    assert clocks_mhz([2, 99], system) is None


def test_a_system_without_clocks(tmp_path: Path) -> None:
    assert clocks_mhz([], processor(tmp_path, [(2_000_000, 0)])) is None
