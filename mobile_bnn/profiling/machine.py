"""Describes the machine that a measurement runs on: what a reader needs to judge its figures."""

import platform
import struct
from pathlib import Path

import psutil

from mobile_bnn.profile_records import Machine
from mobile_bnn.profiling.cores import core_kinds

UNKNOWN = "unknown"
FLAGS = (
    *("popcnt", "ssse3", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_vpopcntdq", "avx512vbmi"),
    *("avx512_vnni", "avx512_bitalg", "gfni"),
    *("asimd", "asimddp", "fphp", "i8mm", "sve"),
)


def local_machine() -> Machine:
    """This machine, now. What the system does not tell (most of it outside Linux) is 'unknown' or empty."""
    cpuinfo, board = _read("/proc/cpuinfo"), _read("/proc/device-tree/model").strip("\0\n ")
    cpu, flags = describe_cpu(cpuinfo, board)
    return Machine(
        system=f"{platform.system()} {platform.release()}".strip() or UNKNOWN,
        cpu=cpu or platform.processor() or UNKNOWN,
        architecture=platform.machine() or UNKNOWN,
        logical_cores=psutil.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        governor=_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or UNKNOWN,
        flags=flags,
        load_1min=psutil.getloadavg()[0],
        python=platform.python_version(),
        board=board,
        distribution=distribution(_read("/etc/os-release")),
        bits=8 * struct.calcsize("P"),
        libc=" ".join(platform.libc_ver()).strip(),
        cores=core_kinds(),
        emulated=is_emulated(platform.machine(), cpuinfo),
    )


def distribution(os_release: str) -> str:
    """The system's name and version out of the text of /etc/os-release; empty if it has none."""
    for line in os_release.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "PRETTY_NAME":
            return value.strip().strip("\"'")
    return ""


def is_emulated(architecture: str, cpuinfo: str) -> bool:
    """Whether programs of that architecture run on a processor of another one, as qemu's user emulation lets them.

    Args:
        architecture: of the programs, as uname tells them: aarch64.
        cpuinfo: the text of /proc/cpuinfo, which is the real processor's, or names the emulator.
    """
    if architecture not in ("aarch64", "arm64", "armv7l", "armv8l"):
        return False
    keys = {line.partition(":")[0].strip() for line in cpuinfo.splitlines()}
    return "vendor_id" in keys or "QEMU" in cpuinfo


def describe_cpu(cpuinfo: str, board: str) -> tuple[str, list[str]]:
    """The processor's name and those of its flags that matter here.

    Args:
        cpuinfo: the text of /proc/cpuinfo. 64-bit ARM kernels name no processor there, only numbers.
        board: the text of /proc/device-tree/model, e.g. "Raspberry Pi 4 Model B Rev 1.4", or empty.

    Returns:
        The name, empty if neither text has one, and the flags in the order of FLAGS.
    """
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    present = set(fields.get("flags", fields.get("Features", "")).split())
    name = fields.get("model name") or board.strip("\0\n ") or fields.get("Model") or fields.get("Hardware", "")
    return name, [flag for flag in FLAGS if flag in present]


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
