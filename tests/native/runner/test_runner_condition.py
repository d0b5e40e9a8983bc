"""What slows a machine down: the runner says of a tree of files what Python says of the same files."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from mobile_bnn.profile_records import Condition
from mobile_bnn.profiling.condition import condition
from tests.support.shared import Once
from tests.support.tools import ROOT

PARTS = ("condition", "system_files")
FLAGS = "devices/platform/soc/soc:firmware/get_throttled"
CLOCK = "devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
HEAT = "devices/system/cpu/cpu{}/thermal_throttle/{}_throttle_count"
ZONE = "class/thermal/thermal_zone{}/temp"


@pytest.fixture(scope="session")
def program(once: Once) -> Path:
    """Prints the condition, with sanitizers."""

    def make(folder: Path) -> None:
        sources = ["tests/native/runner/print_condition.cc", *(f"native/runner/{name}.cc" for name in PARTS)]
        checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Werror"]
        command = ["g++", "-std=c++17", *checks, "-I", "native", *sources, "-o", str(folder / "print_condition")]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        assert ended.returncode == 0, ended.stderr

    return once("runner condition", make) / "print_condition"


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, ()),
        ({FLAGS: "0\n"}, ()),
        ({FLAGS: "50000\n"}, ()),
        ({FLAGS: "50005\n"}, ()),
        ({FLAGS: "0xe0008\n"}, ()),
        ({FLAGS: "ffffffff\n"}, ()),
        ({FLAGS: "what?\n"}, ()),
        ({FLAGS: "5000 5\n"}, ()),
        ({FLAGS: "", HEAT.format(0, "core"): "3\n"}, ()),
        ({HEAT.format(0, "core"): "0\n", HEAT.format(1, "package"): "0\n"}, ()),
        ({HEAT.format(0, "core"): "0\n", HEAT.format(11, "package"): "7\n"}, (0,)),
        ({HEAT.format(0, "core"): "-1\n", HEAT.format(0, "package"): "hot\n"}, ()),
        ({HEAT.format(0, "core"): "\n", HEAT.format(0, "package"): "0\n"}, ()),
        ({ZONE.format(0): "48312\n", ZONE.format(1): "51000\n", ZONE.format(2): "", ZONE.format(12): "hot\n"}, ()),
        ({ZONE.format(0): "-4500\n", ZONE.format(1): "-5000\n"}, ()),
        ({CLOCK.format(0): "600000\n", CLOCK.format(1): "1800000\n", CLOCK.format(10): "2400123\n"}, ()),
        ({CLOCK.format(0): "600000\n", CLOCK.format(1): "1800000\n", CLOCK.format(10): "2400123\n"}, (10, 1)),
        ({CLOCK.format(0): "600000\n", CLOCK.format(1): "<unknown>\n"}, ()),
        ({CLOCK.format(0): "600000\n", CLOCK.format(1): "0\n"}, ()),
        ({CLOCK.format(0): "600000\n", HEAT.format(1, "core"): "0\n"}, ()),
        ({CLOCK.format(0): "600000\n"}, (0, 1)),
        ({CLOCK.format(0): "600000\n", "devices/system/cpu/cpuidle/name": "no core\n"}, ()),
    ],
)
def test_says_what_python_says(program: Path, tmp_path: Path, files: dict[str, str], cpus: Sequence[int]) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = [str(program), str(tmp_path), *map(str, cpus)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert Condition.model_validate_json(ended.stdout) == condition(cpus, tmp_path)


def test_flags_of_now_and_of_before_are_told_apart(program: Path, tmp_path: Path) -> None:
    (tmp_path / FLAGS).parent.mkdir(parents=True)
    (tmp_path / FLAGS).write_text("50001\n")
    ended = subprocess.run([str(program), str(tmp_path)], capture_output=True, text=True, check=True)
    assert Condition.model_validate_json(ended.stdout).throttled == ["under-voltage now", "throttled"]
