"""Reads the records that the demo shared in its tests by `mbnn compare` and `mbnn report`, as a user would."""

import shutil
import subprocess
import sys
from pathlib import Path

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profile_records import Profile

NAMES = ("first.json", "second.json")
_NETWORK = "resnet20-digits"


def check(exports: Path, networks: Path) -> None:
    """Reads both records of the tests, compares them, and makes a report of a network that they are of.

    Args:
        exports: where the tests laid the records.
        networks: where tools/android/assets.py keeps the networks.

    Raises:
        MobileBnnError: a record is missing or malformed, or a command does not make of it what it should.
    """
    paths = [exports / name for name in NAMES]
    for path in paths:
        profile = Profile.load(path)
        if not all(measurement.rounds and measurement.graph_sha256 for measurement in profile.measurements):
            raise MobileBnnError(f"{path} lacks rounds or hashes of graphs")
    compared = _mbnn("compare", *paths)
    report = _report(exports / "report", networks / _NETWORK, paths[0])
    for said, wanted in ((compared, f"{_NETWORK}_float.tflite"), (report, "Speed against float")):
        if wanted not in said:
            raise MobileBnnError("mbnn does not read what the demo shared", why=f"{wanted!r} is not in what it prints")


def _report(folder: Path, network: Path, record: Path) -> str:
    """The files lie as in the README: the record in the folder of profiles beside the network and its float twin."""
    shutil.rmtree(folder, ignore_errors=True)
    profiles = folder / f"{_NETWORK}_profiles"
    profiles.mkdir(parents=True)
    shutil.copyfile(network / "binary.tflite", folder / f"{_NETWORK}.tflite")
    shutil.copyfile(network / "float.tflite", folder / f"{_NETWORK}_float.tflite")
    shutil.copyfile(record, profiles / "phone.json")
    return _mbnn("report", folder / f"{_NETWORK}.tflite")


def _mbnn(*arguments: str | Path) -> str:
    command = [str(Path(sys.executable).with_name("mbnn")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"COLUMNS": "200"})
    if done.returncode:
        raise MobileBnnError(f"mbnn {arguments[0]} refuses what the demo shared", why=done.stderr.strip())
    return done.stdout
