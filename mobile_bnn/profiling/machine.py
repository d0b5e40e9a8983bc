"""Describes the machine that a measurement runs on: what a reader needs to judge its figures."""

import platform
from pathlib import Path

import psutil

from mobile_bnn.profile_records import Machine

UNKNOWN = "unknown"
FLAGS = (
    *("popcnt", "ssse3", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_vpopcntdq", "avx512vbmi"),
    *("avx512_vnni", "avx512_bitalg", "gfni"),
    *("asimd", "asimddp", "fphp", "i8mm", "sve"),
)


def local_machine() -> Machine:
    """This machine, now. What the system does not tell (most of it outside Linux) is 'unknown' or empty."""
    cpu, flags = describe_cpu(_read("/proc/cpuinfo"), _read("/proc/device-tree/model"))
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
    )


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
