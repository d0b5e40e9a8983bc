"""Fixtures of tests on virtual phones."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mobile_bnn.profiling.android.libraries import ARTIFACT, ARTIFACT_SHA256
from mobile_bnn.profiling.deploy_adb import deploy
from tests.devices.phone.emulation import need_emulation
from tests.devices.phone.phone import AdbServer, Phone, StartPhone
from tests.devices.phone.root import make_root
from tests.support.maven import artifact
from tests.support.shared import Once
from tests.support.tools import ROOT


@pytest.fixture(scope="session")
def phone_base(once: Once) -> Path:
    """What the root folders of all phones are copied from."""
    need_emulation()
    return once("phone", make_root)


@pytest.fixture(scope="session")
def android_files(once: Once) -> Path:
    """What `make android` builds; MBNN_ANDROID_DIR names a folder where it is built already."""
    if os.environ.get("MBNN_ANDROID_DIR"):
        return Path(os.environ["MBNN_ANDROID_DIR"])

    def make(folder: Path) -> None:
        command = ["sh", "tools/android.sh", sys.executable, str(folder)]
        built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stdout + built.stderr

    return once("android for phones", make)


@pytest.fixture(scope="session")
def tflite_archive() -> Path:
    """TensorFlow Lite for Android, through Maven; the calling test is skipped where it cannot be had."""
    group, name, version, kind = ARTIFACT.split(":")
    return artifact(group, name, version, "", kind, ARTIFACT_SHA256)


@pytest.fixture
def adb_server(
    phone_base: Path, tmp_path: Path, ports: Callable[[int], list[int]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[AdbServer]:
    """A real adb server, which this process and its children talk to."""
    (tmp_path / "home").mkdir()
    server = AdbServer(tmp_path / "home", ports(1)[0])
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(server.port))
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)  # of a phone of whoever runs this
    started = server.adb("start-server")
    assert started.returncode == 0, started.stderr
    yield server
    server.end()


@pytest.fixture
def start_phone(phone_base: Path, tmp_path: Path, adb_server: AdbServer) -> Iterator[StartPhone]:
    """start_phone(disk="2m"): a phone, which is plugged in unless plugged=False, and shut down at the end."""
    with ExitStack() as running:
        count = 0

        def start(*, plugged: bool = True, state: str = "device", **options: Any) -> Phone:
            nonlocal count
            count += 1
            phone = Phone(tmp_path / f"phone_{count}", phone_base, **options)
            running.callback(phone.shut_down)
            if plugged:
                adb_server.plug_in(phone, state)
            return phone

        yield start


@pytest.fixture
def phone(start_phone: StartPhone) -> Phone:
    """A phone that is plugged in."""
    return start_phone()


@pytest.fixture
def deployed(phone: Phone, android_files: Path, tflite_archive: Path, monkeypatch: pytest.MonkeyPatch) -> Phone:
    """A phone that mobile_bnn is deployed to."""
    monkeypatch.setenv("MBNN_ANDROID_DIR", str(android_files))
    deploy(f"adb://{phone.serial}", tflite=tflite_archive)
    return phone
