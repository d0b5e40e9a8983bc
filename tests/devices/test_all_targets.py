"""One command over this machine, a virtual Raspberry Pi and a virtual phone: four networks, one page."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mobile_bnn.profile_records import Profile
from mobile_bnn.profiling.deploy import deploy
from mobile_bnn.run_folder import ModelFile
from tests.devices.phone.phone import Phone
from tests.devices.pi.fixtures import StartBoard
from tests.support.ssh_server import Client
from tests.support.tools import ROOT

pytest_plugins = ["tests.devices.pi.fixtures", "tests.devices.phone.fixtures"]
pytestmark = [pytest.mark.devices, pytest.mark.slow]

PAGES = ROOT / "build" / "test-artifacts"
NETWORKS = """
import shutil
import sys
from pathlib import Path
from mobile_bnn import converters, pipeline, zoo
folder = Path(sys.argv[1])
converters.convert(zoo.build("quicknet_small"), folder / "quicknet_small.tflite")
shutil.copyfile(zoo.load("resnet20", weights="fashion_mnist").tflite, folder / "resnet20.tflite")
pipeline.baseline("mobilenet_v2", folder / "mobilenet_v2.tflite")
pipeline.baseline("mobilenet_v2", folder / "mobilenet_v2_int8.tflite", int8=True)
"""


def mbnn(*arguments: object, code: int = 0) -> str:
    """What the command prints; it must end with that exit code."""
    command = [sys.executable, "-m", "mobile_bnn.cli.main", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout


def test_one_command_measures_everywhere(
    tflite_archive: Path,
    start_board: StartBoard,
    client: Client,
    pi_wheel: Path,
    deployed: Phone,
    tmp_path: Path,
    home: dict[str, str],
) -> None:
    assert tflite_archive.is_file()  # found before HOME is that of the one who connects to the board
    subprocess.run([sys.executable, "-c", NETWORKS, str(tmp_path)], check=True, capture_output=True)
    board = start_board()
    client.trust(board.host_key, board.port)
    deploy(board.url, wheel=pi_wheel)
    file = tmp_path / "quicknet_small.tflite"
    targets = ["local", board.url, f"adb://{deployed.serial}"]
    others = [tmp_path / f"{name}.tflite" for name in ("resnet20", "mobilenet_v2", "mobilenet_v2_int8")]
    arguments: list[object] = [file, "--engine", "delegate", "--threads", 1, "--runs", 6, "--rounds", 2, "--json"]
    for target in targets:
        arguments += ["--target", target]
    for other in others:
        arguments += ["--against", other]
    printed = json.loads(mbnn("profile", *arguments))
    profiles = [Profile.load(path) for path in ModelFile(file).profiles()]
    assert [each["target"] for each in printed["profiles"]] == targets
    assert {profile.target for profile in profiles} == set(targets)
    for profile in profiles:
        emulated = profile.target != "local"
        assert profile.machine.emulated is emulated
        assert profile.machine.architecture == ("aarch64" if emulated else profile.machine.architecture)
        found = {Path(each.file).stem: each for each in profile.measurements}
        assert set(found) == {"quicknet_small", "resnet20", "mobilenet_v2", "mobilenet_v2_int8"}
        for name in ("quicknet_small", "resnet20"):
            assert found[name].delegated_operators
            assert any(each.runs_in == "delegate" for each in found[name].operator_times)
            assert found[name].peak_gmacs is not None
        for each in found.values():
            assert each.runs == 6
            assert each.operator_times
            assert sum(one.median_ms for one in each.operator_times) < 2 * each.median_ms
    page = PAGES / "three-targets.html"
    text = mbnn("report", file, "--output", page)
    assert page.stat().st_size < 500_000
    assert f"{board.url} is emulated: its times say nothing of a real device." in text
    (comparison,) = json.loads(mbnn("compare", *(ModelFile(file).profile(url) for url in targets[:2]), "--json"))[
        "comparisons"
    ]
    assert comparison
