"""What the adb target does on a phone without our programs: finding it, running, laying files, the lock."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profiling.android.device import Device, find_device
from mobile_bnn.profiling.android.guarded_run import run_guarded
from mobile_bnn.profiling.android.lock import Lock
from mobile_bnn.profiling.android.properties import check, read_facts
from mobile_bnn.profiling.android.push import is_same, push
from mobile_bnn.profiling.android.shell import run
from mobile_bnn.profiling.targets.target import EngineCrashError, TargetLostError
from tests.devices.phone.phone import AdbServer, Phone, StartPhone, wait_until
from tests.support.tools import ROOT

pytest_plugins = ["tests.devices.phone.fixtures"]
pytestmark = pytest.mark.devices

TMP = "/data/local/tmp"


@pytest.fixture
def device(phone: Phone) -> Device:
    return find_device()


def test_no_phone(adb_server: AdbServer) -> None:
    with pytest.raises(MobileBnnError, match=r"there is no phone: adb knows no device\. Plug it in, and turn on USB"):
        find_device()
    with pytest.raises(MobileBnnError, match="there is no phone R58M: adb knows no device"):
        find_device("R58M")
    with pytest.raises(MobileBnnError, match=r"there is no phone 127\.0\.0\.1:1: adb knows no device"):
        find_device("127.0.0.1:1")


def test_no_adb(monkeypatch: pytest.MonkeyPatch, adb_server: AdbServer) -> None:
    adb_server.end()
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/nowhere/adb")
    with pytest.raises(MobileBnnError, match=r"adb cannot be run: .*/nowhere/adb.*\. Install it \(apt install adb"):
        find_device()


def test_the_server_is_started_where_it_does_not_run(adb_server: AdbServer, phone: Phone) -> None:
    adb_server.end()
    assert find_device(phone.serial).serial == phone.serial  # which it is told to connect to


def test_an_address_that_adb_does_not_know_yet_is_connected_to(start_phone: StartPhone) -> None:
    phone = start_phone(plugged=False)
    assert run(find_device(phone.serial), ["getprop", "ro.product.model"]).text == "Phone 1\n"


def test_of_several_phones_one_must_be_named(start_phone: StartPhone) -> None:
    first, second = start_phone(), start_phone()
    with pytest.raises(UsageError, match="there are several phones: adb knows ") as error:
        find_device()
    assert {f"adb://{first.serial}", f"adb://{second.serial}"} <= set(error.value.cure.replace(",", "").split())
    assert find_device(second.serial).serial == second.serial


def test_the_environment_names_a_phone_as_for_adb(start_phone: StartPhone, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = start_phone(), start_phone()
    monkeypatch.setenv("ANDROID_SERIAL", second.serial)
    assert find_device().serial == second.serial
    assert find_device(first.serial).serial == first.serial
    monkeypatch.setenv("ANDROID_SERIAL", "R58M")
    with pytest.raises(MobileBnnError, match="there is no phone R58M: ANDROID_SERIAL names it, and adb knows "):
        find_device()


def test_a_phone_that_does_not_trust_this_computer(start_phone: StartPhone) -> None:
    phone = start_phone(policy="refuses", state="unauthorized")
    with pytest.raises(MobileBnnError) as error:
        find_device(phone.serial)
    assert str(error.value) == (
        f"the phone {phone.serial} cannot be used: it does not trust this computer. "
        "Unlock it and accept the dialog that asks for USB debugging"
    )


def test_a_phone_that_does_not_answer(start_phone: StartPhone, adb_server: AdbServer) -> None:
    phone = start_phone()
    phone.adbd.unplug()
    wait_until(lambda: adb_server.states().get(phone.serial) == "offline", 10)
    with pytest.raises(
        MobileBnnError, match=f"the phone {phone.serial} cannot be used: it does not answer. Plug it in"
    ):
        find_device(phone.serial)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"ro.product.cpu.abi": "armeabi-v7a", "ro.product.cpu.abilist": "armeabi-v7a,armeabi"},
            "it runs programs for armeabi-v7a, armeabi, and mobile_bnn is built for arm64-v8a and x86_64",
        ),
        ({"ro.build.version.sdk": "22"}, r"its Android has API level 22, and mobile_bnn needs 23 \(Android 6\)"),
    ],
)
def test_a_phone_that_cannot_run_our_programs(
    start_phone: StartPhone, properties: dict[str, str], message: str
) -> None:
    phone = start_phone(properties=properties)
    with pytest.raises(MobileBnnError, match=f"the phone {phone.serial} cannot run mobile_bnn: {message}"):
        check(read_facts(find_device()), phone.serial)


def test_a_phone_whose_adb_is_too_old(start_phone: StartPhone) -> None:
    start_phone(features="cmd")
    with pytest.raises(MobileBnnError, match="its adb does not tell how a command ended, as that of Android 7"):
        read_facts(find_device())


def test_its_facts(device: Device) -> None:
    facts = read_facts(device)
    assert (facts.abi, facts.api, facts.model, facts.android) == ("arm64-v8a", 34, "Virtual Phone 1", "14")
    assert facts.soc == "Debian QEMU"


def test_arguments_arrive_as_they_are(device: Device) -> None:
    words = ["$HOME", "a b", "'", '"', "`id`", "*", "\\n", "", "ü"]
    assert run(device, ["printf", "%s|", *words]).text == "|".join(words) + "|"


def test_output_complaints_and_exit_code_are_apart(device: Device) -> None:
    result = run(device, ["sh", "-c", "cat; echo err >&2; exit 9"], stdin=b"\0in\n")
    assert (result.stdout, result.stderr, result.code) == (b"\0in\n", b"err\n", 9)
    large = run(device, ["head", "-c", "3000000", "/dev/zero"])
    assert large.stdout == bytes(3_000_000)


def test_a_guarded_program_reads_its_line_and_ends_as_it_likes(device: Device, phone: Phone) -> None:
    result = run_guarded(device, ["sh", "-c", "cat; exit 3"], b'{"a": "\\n"}', 20)
    assert (result.stdout, result.code) == (b'{"a": "\\n"}\n', 3)
    wait_until(lambda: not phone.system.processes(), 5)


def test_a_program_whose_time_is_over_is_ended(device: Device, phone: Phone) -> None:
    with pytest.raises(EngineCrashError, match="the engine took too long: it was ended after 1 seconds"):
        run_guarded(device, ["sleep", "100"], b"", 1)
    wait_until(lambda: not phone.system.processes(), 5)


def test_a_crash_is_named_by_its_signal(device: Device) -> None:
    with pytest.raises(EngineCrashError, match="the engine crashed: its process was ended by SIGSEGV"):
        run_guarded(device, ["sh", "-c", "kill -SEGV $$"], b"", 20)


def test_a_program_that_android_kills(device: Device, phone: Phone) -> None:
    killer = threading.Thread(target=wait_until, args=(lambda: phone.system.kill("sleep"), 20))
    killer.start()
    with pytest.raises(EngineCrashError, match="ended by SIGKILL, as Android does when memory runs out"):
        run_guarded(device, ["sleep", "100"], b"", 50)
    killer.join()


def test_nothing_runs_on_when_the_cable_is_pulled(device: Device, phone: Phone) -> None:
    running = lambda: "sleep" in phone.system.processes().values()  # noqa: E731
    puller = threading.Thread(target=phone.unplug_when, args=(running,))
    puller.start()
    with pytest.raises(TargetLostError) as error:
        run_guarded(device, ["sleep", "100"], b"", 50)
    assert str(error.value) == (
        f"the connection to the phone {phone.serial} is lost: it was unplugged, or adb was stopped. "
        "Plug it in, and try again"
    )
    puller.join()
    wait_until(lambda: not phone.system.processes(), 5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_runs_on_when_this_process_ends(device: Device, phone: Phone, number: int) -> None:
    code = (
        "from mobile_bnn.profiling.android.device import find_device\n"
        "from mobile_bnn.profiling.android.guarded_run import run_guarded\n"
        "run_guarded(find_device(), ['sleep', '100'], b'', 50)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: "sleep" in phone.system.processes().values(), 20)
        os.kill(process.pid, number)
    wait_until(lambda: not phone.system.processes(), 5)


def test_nothing_runs_on_where_no_shell_is_left_to_be_hung_up_on(device: Device, phone: Phone) -> None:
    def kill_the_shell() -> None:
        wait_until(lambda: phone.system.has_guard() and "sleep" in phone.system.processes().values(), 20)
        os.kill(min(pid for pid, name in phone.system.processes().items() if name == "sh"), signal.SIGKILL)
        phone.adbd.unplug()

    killer = threading.Thread(target=kill_the_shell)
    killer.start()
    with pytest.raises(TargetLostError):
        run_guarded(device, ["sleep", "100"], b"", 50)
    killer.join()
    wait_until(lambda: not phone.system.processes(), 5)


def test_files_arrive_whole_or_not_at_all(device: Device, phone: Phone, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(os.urandom(3_000_000))
    push(device, file, f"{TMP}/a/file", executable=True)
    assert is_same(device, file, f"{TMP}/a/file")
    told = run(device, ["sh", "-c", f"sha256sum {TMP}/a/file; ls -l {TMP}/a/file; ls -A {TMP}/a"]).text.split()
    assert (told[0], told[2][:10], told[-1]) == (sha256(file), "-rwxr-xr-x", "file")
    phone.sync.on_data = lambda size: phone.adbd.drop() if size > 1_000_000 else None
    file.write_bytes(os.urandom(3_000_000))
    with pytest.raises(TargetLostError, match=f"the connection to the phone {phone.serial} is lost"):
        push(device, file, f"{TMP}/a/file")
    assert sha256(phone.system.root / f"{TMP[1:]}/a/file") == told[0]


def test_a_full_disk(start_phone: StartPhone, tmp_path: Path) -> None:
    phone = start_phone(disk="1m")
    (tmp_path / "file").write_bytes(bytes(3 << 20))
    with pytest.raises(TargetLostError) as error:
        push(find_device(), tmp_path / "file", f"{TMP}/file")
    assert error.value.what == f"the phone {phone.serial} has no room for file"
    assert "No space left on device" in error.value.why
    assert list((phone.system.root / TMP[1:]).iterdir()) == []  # what had arrived is removed


def test_one_session_at_a_time(device: Device, phone: Phone) -> None:
    first, second = Lock(device), Lock(device)
    first.take()
    first.take()
    with pytest.raises(TargetLostError, match=f"the phone {phone.serial} is busy: another mobile_bnn measures on it"):
        second.take()
    first.release()
    wait_until(lambda: not phone.system.processes(), 5)
    second.take()
    second.release()


def test_the_lock_is_freed_when_its_owner_dies(device: Device, phone: Phone) -> None:
    code = (
        "import sys\nfrom mobile_bnn.profiling.android.device import find_device\n"
        "from mobile_bnn.profiling.android.lock import Lock\n"
        "lock = Lock(find_device())\nlock.take()\nprint(flush=True)\nsys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=pipe, stdout=pipe) as owner:
        assert owner.stdout
        owner.stdout.readline()
        with pytest.raises(TargetLostError, match="is busy"):
            Lock(device).take()
        owner.kill()
    deadline = time.monotonic() + 5
    while True:
        try:
            Lock(device).take()
            break
        except TargetLostError:
            assert time.monotonic() < deadline
