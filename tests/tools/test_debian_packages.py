"""The one list of Debian's packages, and a command that runs as if none of them were installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.packages import LIST, evidence, found
from tests.support.tools import ROOT

TOOLS = ROOT / "tools"


def sh(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", *map(str, command)], capture_output=True, text=True, check=False, **options)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """The scripts beside a list of two packages: a command and a folder of this test, both "installed"."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("debian_packages.sh", "hidden.sh"):
        shutil.copy(TOOLS / name, folder)
    (tmp_path / "share" / "data").mkdir(parents=True)
    (tmp_path / "share" / "data" / "file").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "a-program").write_text("#!/bin/sh\necho it runs\n")
    (tmp_path / "bin" / "a-program").chmod(0o755)
    (folder / "debian_packages.txt").write_text(
        f"# two packages\nprogram  another-name,a-program  # why\ndata {tmp_path}/share/data\n"
    )
    return folder


@pytest.fixture
def path(tmp_path: Path) -> dict[str, str]:
    """The environment with the folder of the test's command first in PATH."""
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def test_both_readers_of_the_list_agree() -> None:
    names = sh(TOOLS / "debian_packages.sh", "names").stdout.split()
    assert {"chromium", "libsimde-dev", "musl", "musl:arm64"} <= set(names)
    assert sh(TOOLS / "debian_packages.sh", "evidence").stdout.split() == [s for name in names for s in evidence(name)]
    missing = sh(TOOLS / "debian_packages.sh", "missing").stdout.split()
    assert missing == [name for name in names if found(name) is None]


def test_no_other_file_names_the_packages() -> None:
    lines = [line for line in LIST.read_text().splitlines() if not line.startswith("#")]
    for path in (ROOT / "Makefile", ROOT / ".ci" / "run"):
        assert not {line.split()[0] for line in lines} & set(path.read_text().split())


def test_what_is_missing_and_what_is_not(tools: Path, path: dict[str, str]) -> None:
    assert sh(tools / "debian_packages.sh", "missing", env=path).stdout == ""
    assert sh(tools / "debian_packages.sh", "missing").stdout == "program\n"
    assert sh(tools / "debian_packages.sh", "missing", "data").stdout == ""
    assert sh(tools / "debian_packages.sh", "names", "data").stdout == "data\n"


def can_mount() -> bool:
    return subprocess.run(["unshare", "--map-root-user", "--mount", "true"], capture_output=True).returncode == 0


def test_a_hidden_command_sees_no_package(tools: Path, path: dict[str, str], tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("this user may not make mount namespaces")
    code = "command -v a-program cmake ninja; ls -A $0; echo $?; command -v ls >/dev/null && exit 3"
    result = sh(tools / "hidden.sh", "sh", "-c", code, tmp_path / "share" / "data", env=path)
    assert (result.stdout, result.returncode) == ("0\n", 3), result.stderr
    assert "hidden: every package of tools/debian_packages.txt, CMake and Ninja" in result.stderr
    assert (tmp_path / "share" / "data" / "file").exists(), "outside nothing changed"
    assert sh("-c", "a-program", env=path).stdout == "it runs\n"


@pytest.fixture
def path_without_unshare(tmp_path: Path) -> dict[str, str]:
    """An environment in which a command such as unshare is not installed."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("sh", "dirname", "readlink", "sed", "tr", "mktemp", "ln", "rm", "echo"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return {**os.environ, "PATH": str(folder)}


def test_what_cannot_be_hidden_is_said(tools: Path, path_without_unshare: dict[str, str], tmp_path: Path) -> None:
    shell = str(shutil.which("sh"))
    command = [shell, str(tools / "hidden.sh")]
    said = "hidden: cannot hide packages here: unshare is missing or may not make a mount namespace (as root it may), "
    for options, code in ([], 1), (["--if-possible"], 0):
        whole = [*command, *options, "echo", "ran"]
        result = subprocess.run(whole, capture_output=True, text=True, env=path_without_unshare, check=False)
        assert (result.returncode, result.stdout) == (code, "")
        assert said in result.stderr
        assert f"and there is {tmp_path}/share/data" in result.stderr


def test_without_a_folder_to_hide_nothing_is_mounted(tools: Path, path_without_unshare: dict[str, str]) -> None:
    with (tools / "debian_packages.txt").open("a") as file:
        file.truncate(0)
        file.write("program a-program\n")
    command = [str(shutil.which("sh")), str(tools / "hidden.sh"), "echo", "ran"]
    result = subprocess.run(command, capture_output=True, text=True, env=path_without_unshare, check=False)
    assert (result.returncode, result.stdout) == (0, "ran\n"), result.stderr
