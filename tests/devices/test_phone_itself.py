"""The virtual phone answers like a real one: what Debian's adb asks of it."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.devices.phone.phone import AdbServer, Phone, StartPhone, wait_until
from tests.devices.phone.root import compile_for_phone

pytest_plugins = ["tests.devices.phone.fixtures"]
pytestmark = pytest.mark.devices

_HELLO = """
#include <stdio.h>
__attribute__((weak)) int* __errno(void);  // bionic's, which musl lacks
int main() { *__errno() = 3; printf("%d %d\\n", *__errno(), (int)sizeof(void*)); return 5; }
"""


def test_a_command_has_its_output_its_complaints_and_its_exit_code(adb_server: AdbServer, phone: Phone) -> None:
    told = adb_server.adb("shell", "echo out; echo err >&2; exit 7")
    assert (told.stdout, told.stderr, told.returncode) == ("out\n", "err\n", 7)
    told = adb_server.adb("shell", "kill -SEGV $$")
    assert told.returncode == 128 + 11


def test_it_looks_like_android(adb_server: AdbServer, phone: Phone) -> None:
    assert adb_server.adb("shell", "getprop ro.product.cpu.abi").stdout == "arm64-v8a\n"
    assert "[ro.build.version.sdk]: [34]" in adb_server.adb("shell", "getprop").stdout
    assert adb_server.adb("shell", "id -u; pwd; ls /").stdout.splitlines()[:2] == ["2000", "/"]
    assert "Permission denied" in adb_server.adb("shell", "touch /system/x").stderr


def test_files_are_pushed_and_pulled(adb_server: AdbServer, phone: Phone, tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "content").write_bytes(content)
    pushed = adb_server.adb("push", str(tmp_path / "content"), "/data/local/tmp/a/b")
    assert pushed.returncode == 0, pushed.stderr
    assert adb_server.adb("shell", "ls -l /data/local/tmp/a/b").stdout.split()[4] == str(len(content))
    pulled = adb_server.adb("pull", "/data/local/tmp/a/b", str(tmp_path / "back"))
    assert pulled.returncode == 0, pulled.stderr
    assert (tmp_path / "back").read_bytes() == content
    refused = adb_server.adb("push", str(tmp_path / "content"), "/system/b")
    assert "Permission denied" in refused.stderr + refused.stdout


def test_a_program_for_android_runs(adb_server: AdbServer, phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "hello.c").write_text(_HELLO)
    compile_for_phone(
        tmp_path / "hello.c", tmp_path / "hello", "-Wl,--dynamic-linker=/system/bin/linker64", "-fPIE", "-pie"
    )  # fmt: skip
    assert adb_server.adb("push", str(tmp_path / "hello"), "/data/local/tmp/hello").returncode == 0
    told = adb_server.adb("shell", "/data/local/tmp/hello")
    assert (told.stdout, told.stderr, told.returncode) == ("3 8\n", "", 5)


def test_a_host_without_permission_is_unauthorized(adb_server: AdbServer, start_phone: StartPhone) -> None:
    phone = start_phone(policy="refuses", state="unauthorized")
    assert "unauthorized" in adb_server.adb("-s", phone.serial, "shell", "true").stderr


def test_a_host_is_known_by_its_key_once_it_was_let_in(adb_server: AdbServer, start_phone: StartPhone) -> None:
    phone = start_phone(policy="asks")
    assert adb_server.adb("shell", "echo in").stdout == "in\n"
    assert len(phone.authorization.keys) == 1
    adb_server.adb("disconnect", phone.serial)
    adb_server.plug_in(phone)
    assert len(phone.authorization.keys) == 1  # its signature was enough


def test_two_phones_at_once(adb_server: AdbServer, start_phone: StartPhone) -> None:
    first, second = start_phone(), start_phone(properties={"ro.product.model": "Phone 2"})
    for phone, model in ((first, "Phone 1"), (second, "Phone 2")):
        assert adb_server.adb("-s", phone.serial, "shell", "getprop ro.product.model").stdout == f"{model}\n"
    assert "more than one device" in adb_server.adb("shell", "true").stderr


def test_a_full_disk_is_told(adb_server: AdbServer, start_phone: StartPhone, tmp_path: Path) -> None:
    start_phone(disk="1m")
    (tmp_path / "content").write_bytes(bytes(3 << 20))
    told = adb_server.adb("push", str(tmp_path / "content"), "/data/local/tmp/content")
    assert told.returncode != 0
    assert "No space left on device" in told.stdout + told.stderr


@pytest.mark.parametrize("of_the_tests", [signal.SIG_DFL, signal.SIG_IGN], ids=["default", "ignored, as by nohup"])
def test_what_runs_is_hung_up_on_when_the_cable_is_pulled(
    adb_server: AdbServer, phone: Phone, of_the_tests: signal.Handlers, request: pytest.FixtureRequest
) -> None:
    before = signal.signal(signal.SIGHUP, of_the_tests)
    request.addfinalizer(lambda: signal.signal(signal.SIGHUP, before))
    command = ["adb", "-P", str(adb_server.port), "shell", "exec sleep 100"]
    with subprocess.Popen(command, env=adb_server.environment, stdin=subprocess.PIPE) as client:
        wait_until(lambda: "sleep" in phone.system.processes().values(), 20)
        phone.adbd.unplug()
        wait_until(lambda: "sleep" not in phone.system.processes().values(), 10)
        assert client.wait(20) == 0  # adb does not tell a lost connection from a command that ends


def test_what_it_does_not_know_is_refused(adb_server: AdbServer, phone: Phone) -> None:
    assert adb_server.adb("reboot").returncode != 0
    assert adb_server.adb("shell", "echo still here").stdout == "still here\n"
