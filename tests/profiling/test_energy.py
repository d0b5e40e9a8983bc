"""Energy: from trees of files as Linux shows them, and from what `vcgencmd pmic_read_adc` prints."""

import time
from pathlib import Path

import pytest

from mobile_bnn.profiling.energy import Counter, Gauge, _pmic_watts, find_meter, measure_energy


def write(root: Path, files: dict[str, str]) -> Path:
    """Files with these texts."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


RAPL = "class/powercap/intel-rapl:0"


def test_a_device_that_tells_nothing_has_no_energy(tmp_path: Path) -> None:
    assert find_meter(tmp_path) is None
    assert measure_energy(lambda: None, None, time.perf_counter() + 1) is None


@pytest.mark.parametrize(("before", "after", "joules"), [(1_000_000, 3_500_000, 2.5), (9_000_000, 500_000, 1.5)])
def test_the_counter_of_a_processor_may_run_over(tmp_path: Path, before: int, after: int, joules: float) -> None:
    system = write(tmp_path, {f"{RAPL}/energy_uj": str(before), f"{RAPL}/max_energy_range_uj": "10000000"})
    meter = find_meter(system)
    assert isinstance(meter, Counter)
    meter.start()
    write(tmp_path, {f"{RAPL}/energy_uj": str(after)})
    assert meter.stop() == pytest.approx(joules)


def test_a_counter_that_cannot_be_read_any_more_tells_nothing(tmp_path: Path) -> None:
    meter = find_meter(write(tmp_path, {f"{RAPL}/energy_uj": "5"}))
    assert meter is not None
    meter.start()
    (tmp_path / RAPL / "energy_uj").unlink()
    assert meter.stop() is None


@pytest.mark.parametrize(
    ("files", "watts"),
    [
        ({"type": "Battery", "status": "Discharging", "power_now": "3500000"}, 3.5),
        ({"type": "Battery", "status": "Discharging", "current_now": "-500000", "voltage_now": "4000000"}, 2.0),
        ({"type": "Battery", "status": "Charging", "power_now": "3500000"}, None),
        ({"type": "Mains", "online": "1"}, None),
        ({"type": "Battery", "status": "Discharging"}, None),
    ],
)
def test_a_battery_that_discharges_is_a_gauge(tmp_path: Path, files: dict[str, str], watts: float | None) -> None:
    system = write(tmp_path, {f"class/power_supply/BAT0/{name}": text for name, text in files.items()})
    meter = find_meter(system)
    assert (meter is None) == (watts is None)
    if meter is not None:
        runs = []
        energy = measure_energy(lambda: (runs.append(1), time.sleep(0.01))[1], meter, time.perf_counter() + 9)
        assert energy is not None
        assert energy.source == "battery gauge"
        seconds_each = 1.0 / len(runs)
        assert energy.millijoules == pytest.approx(watts * seconds_each * 1e3, rel=0.1)  # type: ignore[operator]


def test_the_power_of_a_pi_5_is_that_of_its_rails() -> None:
    text = """     3V7_WL_SW_A current(0)=0.10000000A
   3V3_SYS_A current(1)=0.50000000A
     3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
     EXT5V_V volt(24)=5.10000000V
"""
    assert _pmic_watts(text) == pytest.approx(0.1 * 3.7 + 0.5 * 3.3)


@pytest.mark.parametrize("text", ["", 'error=1 error_msg="Command not registered"', "EXT5V_V volt(24)=5.1V"])
def test_a_pi_4_has_no_rails(text: str) -> None:
    assert _pmic_watts(text) is None


def test_a_gauge_that_blinks_uses_what_it_read() -> None:
    readings = iter([2.0, None, 4.0] + [None] * 1000)
    meter = Gauge("test", lambda: next(readings))
    meter.start()
    time.sleep(0.45)
    joules = meter.stop()
    assert joules is not None
    assert joules == pytest.approx(3.0 * 0.45, rel=0.2)
