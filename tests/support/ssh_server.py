"""A real sshd on loopback with keys of its own, and a relay before it whose cable can be pulled."""

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"


def make_key(path: Path, passphrase: str = "") -> str:
    """Makes a key pair, and returns the public half as a line of authorized_keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for each in (path, path.with_name(path.name + ".pub")):
        each.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", path], check=True)
    return path.with_name(path.name + ".pub").read_text(encoding="ascii").strip()


def fingerprint(public_key: Path) -> str:
    """What `ssh-keygen -l` shows of a key, such as SHA256:8mNf..."""
    shown = subprocess.run(["ssh-keygen", "-l", "-f", public_key], check=True, capture_output=True, text=True)
    return shown.stdout.split()[1]


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for_greeting(port: int, seconds: float) -> None:
    """Waits until an ssh server greets.

    Raises:
        TimeoutError: none does.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=5) as connection:
            if connection.recv(4) == b"SSH-":
                return
        time.sleep(0.05)
    raise TimeoutError(f"no ssh server greets on port {port}")


class Relay:
    """Passes connections on to a port; `freeze` is a network that is gone, `cut` a cable that is pulled."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._frozen = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Ends every connection at both ends, at once."""
        for pair in self._pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        self._pairs = []

    def cut_soon(self, seconds: float) -> None:
        """Does that in a moment, while the caller goes on."""
        timer = threading.Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()

    def freeze(self) -> None:
        """Lets nothing through any more, and tells nobody."""
        self._frozen = True

    def thaw(self) -> None:
        """Lets everything through again."""
        self._frozen = False

    def close(self) -> None:
        """Ends it."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near = self._listener.accept()[0]
            except OSError:
                return
            try:
                far = socket.create_connection((HOST, self._to_port))
            except OSError:
                near.close()
                continue
            self._pairs.append((near, far))
            threading.Thread(target=self._pass_on, args=(near, far), daemon=True).start()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        with near, far, contextlib.suppress(OSError, ValueError):
            while True:
                if self._frozen:
                    time.sleep(0.05)
                    continue
                for each in select.select([near, far], [], [], 0.1)[0]:
                    block = each.recv(1 << 16)
                    if not block:
                        return
                    (far if each is near else near).sendall(block)


@dataclass
class Client:
    """The home folder of the one who connects: his key and his known_hosts."""

    home: Path
    public_key: str = field(init=False)

    def __post_init__(self) -> None:
        self.public_key = make_key(self.ssh / "id_ed25519")
        self.ssh.chmod(0o700)

    @property
    def ssh(self) -> Path:
        """Its ~/.ssh."""
        return self.home / ".ssh"

    def trust(self, public_host_key: Path, *ports: int) -> None:
        """Puts a server's key into known_hosts, for some ports of loopback."""
        key = " ".join(public_host_key.read_text(encoding="ascii").split()[:2])
        lines = "".join(f"[{HOST}]:{port} {key}\n" for port in ports)
        with (self.ssh / "known_hosts").open("a", encoding="ascii") as file:
            file.write(lines)

    def trust_nobody(self) -> None:
        """Forgets all keys of servers."""
        (self.ssh / "known_hosts").unlink(missing_ok=True)


@dataclass
class LocalServer:
    """This machine's own sshd: whoever runs the tests logs in, with `home` as the home folder."""

    folder: Path
    program: Path
    authorized: Sequence[str]
    port: int = field(default_factory=free_port)
    home: Path = field(init=False)
    _process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.home.mkdir(parents=True)
        (self.folder / "authorized_keys").write_text("\n".join(self.authorized) + "\n", encoding="ascii")
        make_key(self.folder / "host_key")
        (self.folder / "sshd_config").write_text(
            f"ListenAddress {HOST}:{self.port}\nHostKey {self.folder}/host_key\nPidFile none\nStrictModes no\n"
            f"AuthorizedKeysFile {self.folder}/authorized_keys\nPasswordAuthentication no\nUsePAM no\n"
            f"KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nSetEnv HOME={self.home}\n",
            encoding="utf-8",
        )

    @property
    def host_key(self) -> Path:
        """The public half of its key."""
        return self.folder / "host_key.pub"

    def start(self) -> None:
        """Starts it, and waits until it greets."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd wants it of root; services make it elsewhere
        with (self.folder / "log").open("ab") as log:
            argv = [self.program, "-D", "-e", "-f", self.folder / "sshd_config"]
            self._process = subprocess.Popen(argv, stderr=log, start_new_session=True)
        wait_for_greeting(self.port, 30)

    def stop(self) -> None:
        """Ends it with all its connections."""
        if self._process is None:
            return
        for pid in (*_descendants(self._process.pid), self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


def _descendants(pid: int) -> list[int]:
    import psutil

    return [each.pid for each in psutil.Process(pid).children(recursive=True)]


@contextlib.contextmanager
def local_server(folder: Path, program: Path, *authorized: str) -> Iterator[LocalServer]:
    """A server of this machine while a block runs."""
    server = LocalServer(folder, program, authorized)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.home, ignore_errors=True)
