"""Lays files on the phone, whole or not at all: under another name first, compared by SHA-256, then renamed."""

import hashlib
import stat
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.android.device import Device
from mobile_bnn.profiling.android.shell import run
from mobile_bnn.profiling.targets.target import TargetLostError

if TYPE_CHECKING:
    from adbutils import AdbConnection

Sent = Callable[[int], None]

_BLOCK = 64 * 1024  # the most that the protocol allows
# Android 7 lacks sha256sum.
_DIGEST = 'sha256sum "$1" 2>/dev/null || sha1sum "$1"'
_IS_THERE = 'for each; do if [ -f "$each" ]; then echo "$each"; fi; done'
_MOVE = 'mv -f "$1" "$2" && chmod "$3" "$2"'


def push(
    device: Device,
    path: Path,
    name: str,
    *,
    executable: bool = False,
    on_sent: Sent = lambda sent: None,
) -> None:
    """Copies a file to the phone and replaces what has that name there.

    Args:
        device: the phone.
        path: the file.
        name: where it shall lie.
        executable: whether it can be run there.
        on_sent: is called with the number of bytes that have gone.

    Raises:
        TargetLostError: the phone has gone, or has no room left.
        MobileBnnError: it refuses the file, or what arrived differs.
    """
    parent, last = PurePosixPath(name).parent, PurePosixPath(name).name
    part = str(parent / f".{last}.part")
    try:
        _send(device, path, part, on_sent)
        if not _is_same(device, path, part):
            raise MobileBnnError(
                f"{path} arrived damaged on the phone {device.serial}", cure="Try another cable or port"
            )
        moved = run(device, ["sh", "-c", _MOVE, "sh", part, name, "755" if executable else "644"])
        if moved.code:
            raise _refusal(device, path, moved.complaint)
    except MobileBnnError:
        _remove_quietly(device, part)
        raise


def present(device: Device, names: list[str]) -> set[str]:
    """Those of the names that are files on the phone."""
    return set(run(device, ["sh", "-c", _IS_THERE, "sh", *names]).text.splitlines())


def is_same(device: Device, path: Path, name: str) -> bool:
    """Whether the file of that name on the phone is there and equals one of this machine."""
    return bool(present(device, [name])) and _is_same(device, path, name)


def _is_same(device: Device, path: Path, name: str) -> bool:
    told = run(device, ["sh", "-c", _DIGEST, "sh", name]).text.split()
    if not told:
        return False
    algorithm = "sha1" if len(told[0]) == 40 else "sha256"
    digest = hashlib.new(algorithm, usedforsecurity=False)
    digest.update(path.read_bytes())
    return digest.hexdigest() == told[0]


def _send(device: Device, path: Path, name: str, on_sent: Sent) -> None:
    """Sends a file through the service `sync:`."""
    asked = f"{name},{stat.S_IFREG | 0o644}".encode()
    with path.open("rb") as file, device.open("sync:") as connection:
        with suppress(ConnectionError):  # a phone may refuse the file and close before it has read all
            connection.conn.sendall(b"SEND" + struct.pack("<I", len(asked)) + asked)
            while block := file.read(_BLOCK):
                connection.conn.sendall(b"DATA" + struct.pack("<I", len(block)) + block)
                on_sent(file.tell())
            connection.conn.sendall(b"DONE" + struct.pack("<I", int(time.time())))
        failure = _verdict(connection)
    if failure:
        raise _refusal(device, path, failure)


def _verdict(connection: "AdbConnection") -> str:
    """Empty if the phone has taken the file, else its complaint."""
    status, size = struct.unpack("<4sI", connection.read_exact(8))
    if status == b"OKAY":
        return ""
    return connection.read_exact(size).decode("utf-8", "replace") or "it does not say why"


def _refusal(device: Device, path: Path, complaint: str) -> MobileBnnError:
    if "No space left" in complaint:
        return TargetLostError(
            f"the phone {device.serial} has no room for {path.name}",
            why=complaint,
            cure="Free some memory of the phone",
        )
    return MobileBnnError(f"the phone {device.serial} refuses {path.name}", why=complaint)


def _remove_quietly(device: Device, name: str) -> None:
    try:
        run(device, ["rm", "-f", name])
    except MobileBnnError:  # the first error says more
        return
