"""The Debian systems that virtual boards run, unpacked once, and what this machine must have for them."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.support.packages import need, skip_or_fail
from tests.support.shared import locked
from tests.support.tools import ROOT

_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_PACKAGES = {
    "arm64": ("python3", "python3-venv", "libstdc++6", "openssh-server", "procps"),
    "armhf": ("python3-minimal", "openssh-server"),
}
# ELF files of 64 bits for AArch64, and of 32 bits for ARM.
_MAGIC = {
    "arm64": r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
    "armhf": r"\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00",
}
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_EMULATOR = {"arm64": "aarch64", "armhf": "arm"}


def need_system(arch: str) -> Path:
    """The root folder of a system for arm64 or armhf; the calling test is skipped where there can be none."""
    __tracebackhide__ = True
    if os.geteuid() != 0:
        skip_or_fail("a virtual Raspberry Pi is entered as root only")
    for package in ("openssh-server", "debootstrap"):
        need(package, "there can be no virtual Raspberry Pi")
    emulator = need("qemu-user-static", "nothing emulates an ARM processor").with_name(f"qemu-{_EMULATOR[arch]}-static")
    spaces = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False)
    if spaces.returncode != 0:
        skip_or_fail("this root may not make namespaces")
    if not _is_registered(arch) and not _register(arch, emulator):
        skip_or_fail("this kernel has no binfmt_misc, which hands programs for ARM to qemu")
    return _unpacked(arch)


def _unpacked(arch: str) -> Path:
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(os.environ.get("MBNN_CACHE") or Path(caches, "mobile_bnn")).absolute()
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / f"virtual-pi-{arch}"
    with locked(cache / f"virtual-pi-{arch}.lock"):
        if not root.is_dir():
            script = ["sh", ROOT / "tools" / "debian_root.sh", arch, root, cache / f"virtual-pi-{arch}.log"]
            subprocess.run([*script, *_PACKAGES[arch]], check=True)
    return root


def _is_registered(arch: str) -> bool:
    magic = _MAGIC[arch].replace(r"\x7fELF", "7f454c46").replace(r"\x", "")
    with suppress(OSError):
        files = [each for each in _BINFMT.iterdir() if each.name not in ("register", "status")]
        return any(f"magic {magic}" in text and "F" in _flags(text) for text in (each.read_text() for each in files))
    return False


def _flags(registered: str) -> str:
    return next((line for line in registered.splitlines() if line.startswith("flags:")), "").removeprefix("flags:")


def _register(arch: str, emulator: Path) -> bool:
    if not (_BINFMT / "register").exists():
        mount = ["mount", "-t", "binfmt_misc", "binfmt_misc", str(_BINFMT)]
        subprocess.run(mount, capture_output=True, check=False)
    with suppress(OSError):  # another may register it at the same time
        # F: the kernel opens qemu now, so that a chroot needs none; OC: and it runs as who a program is to run as.
        (_BINFMT / "register").write_text(f":mobile_bnn-{arch}:M::{_MAGIC[arch]}:{_MASK}:{emulator}:OCF")
    return _is_registered(arch)
