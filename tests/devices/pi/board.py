"""A running virtual Raspberry Pi: its own processes, mounts, users and host key, its home folder, and its accidents."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from tests.support.ssh_server import HOST, fingerprint, make_key, wait_for_greeting

USER = "pi"
_ID = 1000
_SSHD = "/usr/sbin/sshd"
_SLOWLY = 60  # seconds that emulated programs may take to start

# Process 1 reads its standard input, which the tests hold: however they end, everything on the board does too.
# Of /sys there is the number of cores only: code for ARM in LiteRT crashes on the caches that x86 describes there.
_BOOT = """
root=$1 folder=$2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/sys"
mkdir -p "$root/sys/devices/system/cpu"
for name in possible present online; do cat "/sys/devices/system/cpu/$name" >"$root/sys/devices/system/cpu/$name"; done
mount --bind "$folder/etc" "$root/etc"
mount --bind "$folder/home" "$root/home"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
chmod 1777 "$root/tmp"
mkdir "$root/run/sshd"
echo booted
exec cat
"""


class Board:
    """A virtual board, from `boot` to `shut_down`.

    Args:
        folder: what this board has of its own: /etc, /home, the log of its sshd.
        root: the system that it runs.
        port: of loopback, where its sshd listens.
        authorized: the public keys that `pi` may log in with.
    """

    def __init__(self, folder: Path, root: Path, port: int, authorized: Sequence[str]) -> None:
        self.folder, self.root, self.port = folder, root, port
        self._log = folder / "sshd.log"
        self._sshd: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        shutil.copytree(root / "etc", folder / "etc", symlinks=True)
        self._settle()
        self.home = folder / "home" / USER
        (self.home / ".ssh").mkdir(parents=True)
        (self.home / ".ssh" / "authorized_keys").write_text("\n".join(authorized) + "\n", encoding="ascii")
        for path in (self.home, *self.home.rglob("*")):
            os.chown(path, _ID, _ID)
        boot = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", _BOOT, "sh", root, folder]
        self._unshare = subprocess.Popen(boot, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._unshare.stdout is not None
        if self._unshare.stdout.readline() != b"booted\n":
            raise RuntimeError("the virtual Raspberry Pi does not boot")
        self.process_1 = psutil.Process(self._unshare.pid).children()[0].pid
        self.start_sshd()

    @property
    def url(self) -> str:
        """Where `pi` logs in."""
        return f"ssh://{USER}@{HOST}:{self.port}"

    @property
    def host_key(self) -> Path:
        """The public half of its host key."""
        return self.folder / "etc" / "ssh" / "ssh_host_ed25519_key.pub"

    @property
    def fingerprint(self) -> str:
        """Of its host key."""
        return fingerprint(self.host_key)

    def make_host_key(self) -> None:
        """Gives it another host key, as an installation does; `restart_sshd` shows it."""
        make_key(self.host_key.with_suffix(""))

    def start_sshd(self) -> None:
        """Starts sshd, and waits until it greets."""
        with self._log.open("ab") as log:
            inside = self._inside(_SSHD, "-D", "-e", pids=True)
            self._sshd = subprocess.Popen(inside, stdin=subprocess.DEVNULL, stderr=log)
        wait_for_greeting(self.port, _SLOWLY)

    def stop_sshd(self) -> None:
        """Ends sshd and its sessions, not what they started: what the kernel does to that is what tests look at."""
        for process in self.processes():
            if process.name() in ("sshd", "nsenter"):
                process.kill()
        if self._sshd is not None:
            self._sshd.wait()
            self._sshd = None

    def restart_sshd(self) -> None:
        """Ends sshd and its sessions, and starts it again."""
        self.stop_sshd()
        self.start_sshd()

    def run(self, *argv: str) -> str:
        """Runs a program on the board as root, and returns what it prints."""
        ended = subprocess.run(self._inside(*argv, pids=True), check=True, stdout=subprocess.PIPE, text=True)
        return ended.stdout

    def mount(self, *argv: str) -> None:
        """`mount` with these arguments; paths of the board are after `root`."""
        self.enter("mount", *argv)

    def enter(self, *argv: str) -> None:
        """Runs a program of this machine that sees the board's disks, after `root`."""
        subprocess.run([*self._enter(), *argv], check=True)

    def unmount(self, path: Path) -> None:
        """Undoes `mount`."""
        self.enter("umount", "--lazy", str(path))

    @contextlib.contextmanager
    def disk_of(self, size: str, folder: str) -> Iterator[None]:
        """While a block runs, a folder of the home folder is on an empty disk of its own of this size, such as 1m."""
        (self.home / folder).mkdir(parents=True, exist_ok=True)
        for each in (self.home / folder, *(self.home / folder).parents):
            if each == self.home:
                break
            os.chown(each, _ID, _ID)
        place = self.root / "home" / USER / folder
        self.mount("-t", "tmpfs", "-o", f"size={size},uid={_ID},gid={_ID}", "tmpfs", str(place))
        try:
            yield
        finally:
            self.unmount(place)

    @contextlib.contextmanager
    def without(self, path: str) -> Iterator[None]:
        """While a block runs, a folder of the system is empty, as where its package is not installed."""
        place = self.root / path
        self.mount("-t", "tmpfs", "-o", "ro", "tmpfs", str(place))
        try:
            yield
        finally:
            self.unmount(place)

    def processes(self) -> list[psutil.Process]:
        """What runs on the board, process 1 apart."""
        found = []
        for process in psutil.Process(self.process_1).children(recursive=True) + self._entered():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def running(self, word: str) -> list[psutil.Process]:
        """What runs on the board with a word in its command line."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(word in each for each in process.cmdline()):
                    found.append(process)
        return found

    def wait_until_nothing_runs(self, word: str, seconds: float) -> None:
        """Waits until nothing runs with a word in its command line.

        Raises:
            AssertionError: something still does.
        """
        end = time.monotonic() + seconds
        while found := self.running(word):
            assert time.monotonic() < end, f"still running after {seconds} s: {found}"
            time.sleep(0.1)

    def shut_down(self) -> None:
        """Ends everything on it."""
        self.stop_sshd()
        assert self._unshare.stdin is not None
        self._unshare.stdin.close()
        self._unshare.wait(timeout=_SLOWLY)

    def _entered(self) -> list[psutil.Process]:
        """Processes of this board's process space that this machine's own entered."""
        space = Path(f"/proc/{self.process_1}/ns/pid").readlink()
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.NoSuchProcess):
                if process.pid != self.process_1 and Path(f"/proc/{process.pid}/ns/pid").readlink() == space:
                    found.append(process)
        return found

    def _enter(self, *, pids: bool = False) -> list[str]:
        return ["nsenter", "--target", str(self.process_1), "--mount", *(["--pid"] if pids else [])]

    def _inside(self, *argv: str, pids: bool) -> list[str]:
        return [*self._enter(pids=pids), "env", "-i", "PATH=/usr/sbin:/usr/bin", "chroot", str(self.root), *argv]

    def _settle(self) -> None:
        """What configuring the packages would have made: users, and what an sshd needs."""
        etc = self.folder / "etc"
        users = (self.root / "usr/share/base-passwd/passwd.master").read_text(encoding="ascii").replace(":*:", ":x:")
        users += "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"
        (etc / "passwd").write_text(users + f"{USER}:x:{_ID}:{_ID}::/home/{USER}:/bin/bash\n", encoding="ascii")
        groups = (self.root / "usr/share/base-passwd/group.master").read_text(encoding="ascii").replace(":*:", ":x:")
        (etc / "group").write_text(groups + f"{USER}:x:{_ID}:\n", encoding="ascii")
        (etc / "hostname").write_text("raspberrypi\n", encoding="ascii")
        self.make_host_key()
        (etc / "ssh" / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress {HOST}\nHostKey /etc/ssh/ssh_host_ed25519_key\nPidFile none\n"
            "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "Subsystem sftp /usr/lib/openssh/sftp-server\n",
            encoding="ascii",
        )
