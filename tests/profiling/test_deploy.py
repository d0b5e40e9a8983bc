"""Deployment, without a board: what a board may lack, and which packages it gets."""

import errno
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mobile_bnn import __version__
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profiling import deploy as deploy_module
from mobile_bnn.profiling.deploy import deploy, remove
from mobile_bnn.profiling.deployment import wheels
from mobile_bnn.profiling.deployment.check import check, signs_model
from mobile_bnn.profiling.deployment.facts import Facts, explain
from mobile_bnn.profiling.targets import ssh_errors
from mobile_bnn.profiling.targets.ssh_address import SshAddress
from mobile_bnn.runtime import default_isa, read_model

URL = "ssh://pi@board"


def facts(**changes: Any) -> Facts:
    """Those of Raspberry Pi OS, but for `changes`."""
    fields = {"python": "/usr/bin/python3", "version": (3, 11, 2), "bits": 64, "system": "Linux", "machine": "aarch64"}
    return Facts(**fields | {"glibc": "2.36", "missing": [], "home": "/home/pi", "free_bytes": 10**10} | changes)


def wheel(folder: Path, machine: str = "aarch64", version: str = __version__, *, needs: str = "numpy") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"mobile_bnn-{version}-py3-none-manylinux2014_{machine}.manylinux_2_17_{machine}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        metadata = f"Name: mobile-bnn\nRequires-Dist: {needs}\n\nRequires-Dist: not-this\n"
        archive.writestr(f"mobile_bnn-{version}.dist-info/METADATA", metadata)
    return path


def test_raspberry_pi_os_lacks_nothing() -> None:
    assert explain(facts(), URL) is None
    assert explain(facts(machine="x86_64", version=(3, 12, 0), glibc="2.27"), URL) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"bits": 32, "machine": "armv7l"},
            f"{URL} runs a 32-bit system (armv7l): there are no 32-bit packages of LiteRT. Install "
            "Raspberry Pi OS (Legacy, 64-bit) with Raspberry Pi Imager, for the Pi 3, Zero 2 and newer",
        ),
        (
            {"bits": 32},
            f"{URL} runs a 32-bit system, under a 64-bit kernel (aarch64): there are no 32-bit packages of LiteRT. "
            "Install Raspberry Pi OS (Legacy, 64-bit) with Raspberry Pi Imager, for the Pi 3, Zero 2 and newer",
        ),
        (
            {"glibc": "2.24"},
            f"{URL} has glibc 2.24: LiteRT's packages need glibc 2.27 or newer. "
            "Install a newer system, such as Raspberry Pi OS (Legacy, 64-bit)",
        ),
        (
            {"glibc": ""},
            f"{URL} has no glibc: LiteRT's packages need glibc 2.27 or newer. "
            "Install a newer system, such as Raspberry Pi OS (Legacy, 64-bit)",
        ),
        (
            {"version": (3, 13, 5)},
            f"{URL} has Python 3.13: there are packages for Python 3.10, 3.11 and 3.12. "
            "Install one of these beside it, or Raspberry Pi OS (Legacy, 64-bit), which has Python 3.11",
        ),
        (
            {"version": (3, 9, 2)},
            f"{URL} has Python 3.9: there are packages for Python 3.10, 3.11 and 3.12. "
            "Install one of these beside it, or Raspberry Pi OS (Legacy, 64-bit), which has Python 3.11",
        ),
        (
            {"machine": "riscv64"},
            f"{URL} has a processor of the kind riscv64: there are packages for aarch64 and x86_64",
        ),
        (
            {"missing": ["venv", "json"]},
            f"the Python of {URL} lacks venv, json: the system splits Python over several packages. "
            "Run there: sudo apt install python3-venv",
        ),
        ({"system": "Darwin"}, f"{URL} runs Darwin. mbnn deploy lays mobile_bnn on Linux boards only"),
    ],
)
def test_what_a_board_may_lack(changes: dict[str, Any], message: str) -> None:
    assert str(explain(facts(**changes), URL)) == message


@pytest.mark.parametrize("do", [deploy, remove])
@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "local",
            "nothing is deployed on local: it is this machine, where mobile_bnn runs. Give ssh://user@host",
        ),
        ("shh://pi", "unknown target 'shh'. Did you mean ssh? Known: adb, local, ssh"),
    ],
)
def test_where_nothing_is_deployed(do: Any, url: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        do(url)
    assert str(caught.value) == message


def test_the_newest_package_of_this_version_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "_SOURCES", tmp_path)
    monkeypatch.chdir(tmp_path)
    dist = tmp_path / "dist"
    path = wheel(dist)
    for other in (wheel(dist, "x86_64"), wheel(dist, version="0.0.1"), wheel(tmp_path / "elsewhere")):
        os.utime(other, (2**32, 2**32))
    found = wheels.our_package(facts(), None)
    assert (found.path, found.key.partition("-")[0]) == (path, __version__)
    assert wheels.our_package(facts(version=(3, 12, 1)), None).key != found.key
    wheel(dist, needs="numpy>=2")
    assert wheels.our_package(facts(), None).key != found.key


def test_there_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "_SOURCES", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MobileBnnError) as caught:
        wheels.our_package(facts(), None)
    assert str(caught.value) == (
        f"there is no package of mobile_bnn {__version__} for aarch64: dist/ holds none. "
        "`make wheel-aarch64` builds it in a copy of the sources; --wheel names one that lies elsewhere"
    )


def test_packages_that_do_not_fit(tmp_path: Path) -> None:
    path = wheel(tmp_path, "x86_64")
    with pytest.raises(UsageError) as caught:
        wheels.our_package(facts(), path)
    assert str(caught.value) == (
        f"{path.name} does not fit: it is made for manylinux2014_x86_64.manylinux_2_17_x86_64, and the board is "
        "aarch64. `make wheel-aarch64` builds it in a copy of the sources; --wheel names one that lies elsewhere"
    )
    with pytest.raises(UsageError, match=r"there is no file none\.whl"):
        wheels.our_package(facts(), Path("none.whl"))


def test_packages_that_cannot_be_got(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MBNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    path = wheel(tmp_path / "dist")
    package = wheels.our_package(facts(), path)
    with pytest.raises(MobileBnnError) as caught:
        wheels.gather(package, facts())
    assert str(caught.value).startswith("the packages for the board cannot be got: ")
    assert str(caught.value).endswith(". The board needs no network, but this machine does, the first time")
    assert not list((tmp_path / "cache").rglob("*.whl")), "no half of them is taken for the whole"


def test_the_model_that_proves_an_installation() -> None:
    graph = read_model(signs_model()).subgraphs[0]
    assert len(graph.operators) == 2
    assert check() == {"mobile_bnn": __version__, "litert": check()["litert"], "isa": default_isa()}


def test_the_page_quotes_what_is_really_said() -> None:
    page = (Path(__file__).parents[2] / "docs" / "raspberry-pi.md").read_text(encoding="utf-8")
    url = "ssh://pi@raspberrypi"
    address = SshAddress.parse(url)
    key = Path("/home/me/.ssh/id_ed25519")
    said = [
        ssh_errors.refused(url, address, "pi", 1, []),
        ssh_errors.refused(url, address, "pi", 0, [key]),
        ssh_errors.unreachable(url, OSError(errno.EHOSTUNREACH, "")),
        ssh_errors.lost(url),
        explain(facts(bits=32, machine="armv7l"), url),
        explain(facts(version=(3, 13, 5)), url),
        explain(facts(glibc="2.24"), url),
        explain(facts(missing=["venv"]), url),
        deploy_module.full(url, 120_000_000, 293_000_000),
    ]
    for each in said:
        assert f"| `{str(each).replace('`', '')}` |" in page
