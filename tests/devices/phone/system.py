"""The running system of a phone: namespaces of its own, where adbd's commands run; all that runs there ends with it."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.devices.phone.root import CPU_INFO, SHELL_USER, environment

# By their whole names: the PATH of their environment is the phone's. Whoever runs the tests may ignore SIGHUP (nohup
# does), which every child would inherit; adbd's children do not.
_ENTER = [shutil.which("env") or "env", "--default-signal=HUP", shutil.which("nsenter") or "nsenter"]

# Process 1 reads what nobody writes: it ends, and with it all others, when the one who started it ends, however.
_BOOT = """
set -e
root=$0
mount -t proc proc "$root/proc"
mount --bind "$root/$2" "$root/proc/cpuinfo"
for device in null zero urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
if [ -n "$1" ]; then mount -t tmpfs -o "size=$1" tmpfs "$root/data/local/tmp"; fi
chown 2000:2000 "$root/data/local/tmp"
trap '' CHLD
echo up
exec chroot "$root" /system/bin/cat
"""


class System:
    """A phone that has booted.

    Args:
        root: its root folder.
        processor: as qemu names it.
        disk: the size of /data/local/tmp, such as "2m"; empty: as large as this machine's.
    """

    def __init__(self, root: Path, *, processor: str = "cortex-a76", disk: str = "") -> None:
        command = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            _BOOT,
            str(root),
            disk,
            CPU_INFO,
        ]
        self._environment = environment(processor)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout
        assert self._process.stdout.readline() == b"up\n"
        self._first = _child_of(self._process.pid)

    @property
    def root(self) -> Path:
        """The root folder as the phone sees it, with what is mounted there."""
        return Path(f"/proc/{self._first}/root")

    def start(self, command: str, stdin: int, stdout: int, stderr: int) -> "subprocess.Popen[bytes]":
        """Starts a command of the phone's shell, as the user that adbd has."""
        enter = [*_ENTER, "-t", str(self._first), "-m", "-p", "-r", "-w", "-S", str(SHELL_USER), "-G", str(SHELL_USER)]
        return subprocess.Popen(
            [*enter, "/system/bin/sh", "-c", command],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=self._environment,
            start_new_session=True,
        )

    def hang_up(self, process: "subprocess.Popen[bytes]") -> None:
        """Sends SIGHUP to the shell, and to nothing that it started, as adbd does when the host has gone."""
        while process.poll() is None:  # it may not have started the shell yet, or be about to end after it
            if children := _children_of(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(children[0], signal.SIGHUP)
                return
            time.sleep(0.01)

    def processes(self) -> dict[int, str]:
        """What runs there, by the number that this machine gives it: names, of which the kernel keeps 15 letters."""
        found = {}
        space = Path(f"/proc/{self._first}/ns/pid").readlink()
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                ended = "Z" in (folder / "stat").read_text().rpartition(")")[2].split()[0]
                if int(folder.name) != self._first and (folder / "ns/pid").readlink() == space and not ended:
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
        return found

    def has_guard(self) -> bool:
        """Whether the shell that ends a program in time runs: the one that writes to /dev/null.

        Counting shells is not enough: the one that writes the program's standard input is there for a moment, too.
        """
        for pid, name in self.processes().items():
            with suppress(OSError):
                if name == "sh" and str(Path(f"/proc/{pid}/fd/1").readlink()).endswith("/dev/null"):
                    return True
        return False

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Sends a signal to every process of that name; returns to how many."""
        hit = [pid for pid, its in self.processes().items() if its == name[:15]]
        for pid in hit:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return len(hit)

    def shut_down(self) -> None:
        """Ends all that runs there."""
        self._process.kill()
        self._process.communicate()
        with suppress(ProcessLookupError):
            os.kill(self._first, signal.SIGKILL)


def _child_of(pid: int) -> int:
    """The process that another one started, which may take a moment."""
    for _ in range(500):
        if children := _children_of(pid):
            return children[0]
        time.sleep(0.01)
    raise LookupError(f"process {pid} started none")


def _children_of(pid: int) -> list[int]:
    with suppress(OSError):  # it has ended
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
