"""What runs on a board to install packages there: a step a call, as JSON on standard input.

Like keeper.py it is sent as source, and needs nothing but Python's standard library. An installation is a folder of its
own; a file in it, written last, says that it is complete; the link `current` to it is set when it has been proved.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

_COMPLETE = "complete.json"
_CHECK = "mobile_bnn.profiling.deployment.check"


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Which complete installations there are, and which of them is current."""
    home = Path(request["home"]).expanduser()
    names = sorted(path.parent.name for path in home.glob(f"*/{_COMPLETE}") if not path.parent.is_symlink())
    current = home / "current"
    return {"names": names, "current": current.resolve().name if current.is_symlink() else ""}


def install(request: dict[str, Any]) -> dict[str, Any]:
    """Makes a virtual environment with packages that lie on the board, without a network."""
    folder = Path(request["home"]).expanduser() / request["name"]
    shutil.rmtree(folder, ignore_errors=True)  # what an interrupted installation left
    folder.parent.mkdir(parents=True, exist_ok=True)
    venv.EnvBuilder(symlinks=True).create(folder)
    python = folder / "bin" / "python"
    with tempfile.TemporaryDirectory(dir=folder) as links:
        for name, path in request["wheels"].items():
            (Path(links) / name).symlink_to(Path(path).expanduser())
        pip = next(Path(links).glob("pip-*.whl"))
        command = [str(python), "-I", str(pip / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        command += ["--no-index", "--no-cache-dir", "--find-links", links, "--root-user-action", "ignore"]
        ended = subprocess.run(
            [*command, str(Path(links) / request["ours"])], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    return _ended(ended)


def check(request: dict[str, Any]) -> dict[str, Any]:
    """Runs a model with an installation."""
    python = Path(request["home"]).expanduser() / request["name"] / "bin" / "python"
    command = [str(python), "-I", "-m", _CHECK]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return {**_ended(ended), "says": ended.stdout.decode("utf-8", "replace").strip()}


def switch(request: dict[str, Any]) -> dict[str, Any]:
    """Makes an installation the current one, and removes all others."""
    home = Path(request["home"]).expanduser()
    folder, link = home / request["name"], home / ".current.new"
    (folder / _COMPLETE).write_text(json.dumps(request["about"]), encoding="utf-8")
    os.sync()  # the files of the installation are on the disk before the link says so
    if link.is_symlink():
        link.unlink()
    link.symlink_to(request["name"])
    os.replace(link, home / "current")  # noqa: PTH105 - Path.replace follows no link either, but says less so
    removed = []
    for path in home.iterdir():
        if path.is_dir() and not path.is_symlink() and path.name != request["name"]:
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path.name)
    return {"removed": removed}


def _ended(ended: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    lines = [line.strip() for line in ended.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return {"returncode": ended.returncode, "error": errors[-1] if errors and ended.returncode else ""}


def main() -> None:
    """Does one step: the request on standard input, the reply as the last line of standard output."""
    request = json.load(sys.stdin)
    steps = {"look": look, "install": install, "check": check, "switch": switch}
    print(json.dumps(steps[request["step"]](request)))


if __name__ == "__main__":
    main()
