"""Lets the kernel hand programs of 64-bit ARM to qemu, and finds out whether this machine can have a virtual phone."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.support.packages import need, skip_or_fail

_FOLDER = Path("/proc/sys/fs/binfmt_misc")
# An ELF file of 64 bits for AArch64; F: the kernel opens qemu now, so that a chroot needs none.
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"


def need_emulation() -> None:
    """Skips the calling test where there can be no virtual phone, and says why."""
    __tracebackhide__ = True
    if os.geteuid() != 0:
        skip_or_fail("a phone's root folder is entered as root only")
    for package in ("adb", "mksh", "toybox", "musl:arm64"):
        need(package, "there can be no virtual phone")
    emulator = need("qemu-user-static", "nothing emulates an ARM processor")
    spaces = ["unshare", "--mount", "--pid", "--fork", "true"]
    if subprocess.run(spaces, capture_output=True, check=False).returncode != 0:
        skip_or_fail("this root may not make namespaces")
    if not _is_registered() and not _register(emulator):
        skip_or_fail("this kernel has no binfmt_misc, which hands programs for ARM to qemu")


def _is_registered() -> bool:
    with suppress(OSError):
        return any("b700" in each.read_text() for each in _FOLDER.iterdir() if each.name not in ("register", "status"))
    return False


def _register(emulator: Path) -> bool:
    if not (_FOLDER / "register").exists():
        mount = ["mount", "-t", "binfmt_misc", "binfmt_misc", str(_FOLDER)]
        subprocess.run(mount, capture_output=True, check=False)
    with suppress(FileExistsError, OSError):  # another may register it at the same time
        (_FOLDER / "register").write_text(f":qemu-aarch64:M::{_MAGIC}:{_MASK}:{emulator}:OCF")
    return _is_registered()
