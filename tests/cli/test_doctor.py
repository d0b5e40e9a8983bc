"""`mbnn doctor`, also on machines that are not this one: a device side, a hot board, one that saves power."""

import importlib.util
import json
import platform
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from mobile_bnn.cli import doctor
from mobile_bnn.cli.main import app
from mobile_bnn.profiling import condition
from mobile_bnn.runtime import default_isa

TRAINING_SIDE = ("TensorFlow with Keras 2", "Larq", "LCE's converter", "LCE's interpreter", "TensorFlow Datasets")


def checks() -> dict[str, dict[str, str]]:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0, result.output
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading TensorFlow is tested elsewhere."""
    monkeypatch.setattr(doctor, "_CHECKS", [check for check in doctor._CHECKS if check is not doctor._keras])


def test_what_this_machine_measures_with() -> None:
    found = checks()
    assert found["instruction set"]["found"] == default_isa()
    assert found["cores"]["found"].startswith(f"{psutil.cpu_count()} logical")
    assert f"{psutil.virtual_memory().total / 1e9:.1f}"[:3] in found["memory"]["found"]
    assert found["C library"]["found"] == " ".join(platform.libc_ver())
    assert found["frequency governor"]["found"]
    assert all(
        check["status"] == "ok"
        for name, check in found.items()
        if name not in ("Chromium", "frequency governor", "adb")
    )


def test_what_only_some_want_is_amiss_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    extras = {"asyncssh": "devices", "adbutils": "devices", "matplotlib": "report"}
    version = doctor.version

    def no_version(name: str) -> str:
        if name in extras:
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr("mobile_bnn.cli.doctor.version", no_version)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = checks()
    for label, extra in (("AsyncSSH", "devices"), ("adbutils", "devices"), ("Matplotlib", "report")):
        assert (found[label]["status"], found[label]["cure"]) == ("absent", f"pip install 'mobile-bnn[{extra}]'")
    assert (found["adb"]["status"], found["adb"]["found"]) == ("absent", "not found")


@pytest.fixture
def device_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `pip install mobile-bnn`, without the training side's packages."""
    absent = ("tensorflow", "tf_keras", "larq", "larq_compute_engine")
    find, version = importlib.util.find_spec, doctor.version

    def no_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name.partition(".")[0] in absent else find(name, package)

    def no_version(name: str) -> str:
        if name in ("larq", "larq-compute-engine", "tensorflow-datasets"):
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr("mobile_bnn.cli.doctor.find_spec", no_spec)
    monkeypatch.setattr("mobile_bnn.lce_extension.find_spec", no_spec)
    monkeypatch.setattr("mobile_bnn.cli.doctor.version", no_version)
    monkeypatch.setattr(doctor, "_CHECKS", [*doctor._CHECKS, doctor._keras])


@pytest.mark.usefixtures("device_side")
def test_a_device_side_misses_nothing() -> None:
    found = checks()
    for name in TRAINING_SIDE:
        assert found[name]["status"] == "absent"
        assert found[name]["found"] == "not installed (training side)"
        assert found[name]["cure"] == "pip install 'mobile-bnn[train]'"
    result = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"})
    rows = [line.split() for line in result.stdout.splitlines() if "(training side)" in line]
    assert len(rows) == len(TRAINING_SIDE)
    assert {row[0] for row in rows} == {"absent"}


def test_half_a_training_side_misses_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    version = doctor.version

    def no_larq(name: str) -> str:
        if name == "larq":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr("mobile_bnn.cli.doctor.version", no_larq)
    larq = checks()["Larq"]
    assert (larq["status"], larq["found"], larq["cure"]) == (
        "missing",
        "not installed",
        "pip install 'mobile-bnn[train]'",
    )


def test_an_installed_wheel_needs_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "__file__", str(tmp_path / "site-packages" / "mobile_bnn" / "cli" / "doctor.py"))
    assert {"C++ compiler", "Chromium"} & set(checks()) == set()


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Another /sys."""
    for function in (condition.governors, condition.temperature, condition.throttling):
        monkeypatch.setattr(function, "__defaults__", (tmp_path,))
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_governor_that_saves_power_has_a_cure(system: Path) -> None:
    write(system / "devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n")
    governor = checks()["frequency governor"]
    assert (governor["found"], governor["status"]) == ("powersave", "advice")
    assert "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor" in governor["cure"]
    write(system / "devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n")
    assert checks()["frequency governor"]["cure"] == ""


def test_a_hot_board_that_was_throttled(system: Path) -> None:
    assert {"temperature", "throttling"} & set(checks()) == set()
    write(system / "class/thermal/thermal_zone0/temp", "84200\n")
    write(system / "devices/platform/soc/soc:firmware/get_throttled", "50000\n")
    found = checks()
    assert (found["temperature"]["found"], found["temperature"]["status"]) == ("84 °C", "advice")
    assert found["throttling"]["found"] == "under-voltage, throttled"
    assert found["throttling"]["cure"].startswith("look after its cooling and power supply")
    write(system / "class/thermal/thermal_zone0/temp", "48312\n")
    write(system / "devices/platform/soc/soc:firmware/get_throttled", "0\n")
    found = checks()
    assert (found["temperature"]["found"], found["temperature"]["cure"]) == ("48 °C", "")
    assert found["throttling"]["found"] == "none since the system started"


@pytest.mark.parametrize(
    ("library", "status"),
    [(("glibc", "2.36"), "ok"), (("glibc", "2.17"), "missing"), (("", ""), "missing"), (("musl", "1.2.5"), "missing")],
    ids=["Debian 12", "CentOS 7", "unknown", "Alpine"],
)
def test_the_c_library(monkeypatch: pytest.MonkeyPatch, library: tuple[str, str], status: str) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: library)
    found = checks()["C library"]
    assert found["status"] == status
    assert ("glibc 2.27 or newer" in found["cure"]) == (status == "missing")
