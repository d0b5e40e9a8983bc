"""What a board is, before anything is on it, and why mobile_bnn could not run there."""

import ast
import re
import shlex
from typing import TYPE_CHECKING

from pydantic import BaseModel

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.targets import ssh_errors
from mobile_bnn.profiling.targets.ssh_connection import SshConnection

if TYPE_CHECKING:
    import asyncssh

OLDEST, NEWEST = (3, 10), (3, 12)  # of Python: what LiteRT, NumPy and this package have packages for
GLIBC = (2, 27)  # what LiteRT's packages are built against
MACHINES = ("aarch64", "x86_64")

# Runs in any Python 3, also where the system leaves away most of its library, which json belongs to.
_ASK = """
import importlib.util, os, sys
home = os.path.expanduser("~")
place = os.path.join(home, ".local", "share", "mobile_bnn")
while not os.path.isdir(place):
    place = os.path.dirname(place)
disk = os.statvfs(place)
try:
    glibc = os.confstr("CS_GNU_LIBC_VERSION") or ""
except (ValueError, OSError):
    glibc = ""
def has(name):
    found = importlib.util.find_spec(name)
    return found is not None and found.origin is not None  # an empty folder has none
print("mobile_bnn facts " + repr({
    "python": sys.executable,
    "version": sys.version_info[:3],
    "bits": 64 if sys.maxsize > 2**32 else 32,
    "system": os.uname().sysname,
    "machine": os.uname().machine,
    "glibc": glibc.replace("glibc", "").strip(),
    "missing": [name for name in ("venv", "json", "ctypes", "hashlib") if not has(name)],
    "home": home,
    "free_bytes": disk.f_bavail * disk.f_frsize,
}))
"""
_NAMES = ("python3", *(f"python{OLDEST[0]}.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)))
_ASK_ALL = 'for name in "$@"; do if command -v "$name" >/dev/null; then "$name" -I -c "$0"; fi; done'


class Facts(BaseModel):
    """One Python of a board, and the board itself."""

    python: str
    version: tuple[int, int, int]
    bits: int
    system: str
    machine: str
    glibc: str
    missing: list[str]
    home: str
    free_bytes: int

    @property
    def fits(self) -> bool:
        """Whether packages for this Python exist."""
        return OLDEST <= self.version[:2] <= NEWEST and self.bits == 64


def look(connection: SshConnection) -> Facts:
    """What the board's best Python tells: the default one where it fits, else another that does.

    Raises:
        TargetLostError: the connection is lost.
        MobileBnnError: the board has no Python 3.
    """
    command = shlex.join(["sh", "-c", _ASK_ALL, _ASK, *_NAMES])

    async def ask() -> "asyncssh.SSHCompletedProcess":
        return await connection.ssh.run(command, request_pty=False, encoding="utf-8", errors="replace")

    try:
        ended = connection.wait_for(ask())
    except (connection.ssh_error, ConnectionError, EOFError) as error:
        raise ssh_errors.lost(connection.url) from error
    lines = re.findall(r"^mobile_bnn facts (.*)$", str(ended.stdout), re.MULTILINE)
    found = [Facts.model_validate(ast.literal_eval(line)) for line in lines]
    if not found:
        told = str(ended.stderr).strip().splitlines()
        raise MobileBnnError(
            f"there is no Python 3 on {connection.url}",
            why=told[-1] if told else "",
            cure="Run there: sudo apt install python3 python3-venv",
        )
    return next((each for each in found if each.fits), found[0])


def explain(facts: Facts, url: str) -> MobileBnnError | None:
    """Why mobile_bnn cannot be laid there, with the cure; None where it can be."""
    if facts.system != "Linux":
        return MobileBnnError(f"{url} runs {facts.system}", cure="mbnn deploy lays mobile_bnn on Linux boards only")
    if facts.bits != 64:
        kernel = f", under a 64-bit kernel ({facts.machine})" if facts.machine in MACHINES else f" ({facts.machine})"
        return MobileBnnError(
            f"{url} runs a 32-bit system{kernel}",
            why="there are no 32-bit packages of LiteRT",
            cure="Install Raspberry Pi OS (Legacy, 64-bit) with Raspberry Pi Imager, for the Pi 3, Zero 2 and newer",
        )
    if facts.machine not in MACHINES:
        return MobileBnnError(f"{url} has a processor of the kind {facts.machine}", why=_only(MACHINES))
    if not facts.glibc or _numbers(facts.glibc) < GLIBC:
        had = f"glibc {facts.glibc}" if facts.glibc else "no glibc"
        wanted = ".".join(map(str, GLIBC))
        return MobileBnnError(
            f"{url} has {had}",
            why=f"LiteRT's packages need glibc {wanted} or newer",
            cure="Install a newer system, such as Raspberry Pi OS (Legacy, 64-bit)",
        )
    if not facts.fits:
        version = ".".join(map(str, facts.version[:2]))
        return MobileBnnError(
            f"{url} has Python {version}",
            why="there are packages for Python 3.10, 3.11 and 3.12",
            cure="Install one of these beside it, or Raspberry Pi OS (Legacy, 64-bit), which has Python 3.11",
        )
    if facts.missing:
        return MobileBnnError(
            f"the Python of {url} lacks {', '.join(facts.missing)}",
            why="the system splits Python over several packages",
            cure="Run there: sudo apt install python3-venv",
        )
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _only(machines: tuple[str, ...]) -> str:
    return f"there are packages for {' and '.join(machines)}"
