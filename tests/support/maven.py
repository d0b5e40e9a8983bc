"""TFLite libraries with the C API, from Maven's local repository or through mvn; checked by their hash."""

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.support.packages import need

_REPOSITORY = Path.home() / ".m2" / "repository"


def artifact(group: str, name: str, version: str, classifier: str, kind: str, sha256: str) -> Path:
    """A file of Maven Central; the test is skipped where it is neither here nor to be had."""
    tail = f"-{classifier}" if classifier else ""
    path = _REPOSITORY / Path(*group.split(".")) / name / version / f"{name}-{version}{tail}.{kind}"
    if not path.is_file():
        maven = need("maven", f"{path.name} is not in Maven's local repository and cannot be fetched")
        coordinates = f"{group}:{name}:{version}:{kind}" + (f":{classifier}" if classifier else "")
        command = [maven, "-q", "-B", "dependency:get", f"-Dartifact={coordinates}", "-Dtransitive=false"]
        for _ in range(2):  # a look-up that failed sometimes succeeds
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            if path.is_file():
                break
        else:
            pytest.skip(f"mvn has no {coordinates}: {ended.stdout.strip().splitlines()[-1:]}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert found == sha256, f"{path} is not the file that was tested"
    return path


def unpacked(archive: Path, member: str, folder: Path) -> Path:
    """One file out of an archive, in a folder."""
    with zipfile.ZipFile(archive) as files:
        return Path(files.extract(member, folder))
