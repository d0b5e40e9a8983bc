"""The phone's root folder: mksh, toybox and getprop in /system/bin, musl as Android's loader, and what /sys tells."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.packages import need
from tests.support.tools import ENVIRONMENT

SHELL_USER = 2000  # whom adbd runs commands as
PRELOADED = "/system/lib64/libbionic.so"
_SOURCE = Path(__file__).with_name("bionic.c")
_GETPROP = """#!/system/bin/sh
# Prints one property, or all of them.
if [ $# = 0 ]; then
    sed -n 's/^\\([^=#]*\\)=\\(.*\\)/[\\1]: [\\2]/p' /system/build.prop
else
    sed -n "s/^$1=//p" /system/build.prop
fi
"""


def make_root(folder: Path) -> None:
    """Fills a folder with what all phones share.

    Args:
        folder: which is there and empty.
    """
    programs = folder / "system" / "bin"
    libraries = folder / "system" / "lib64"
    for each in (programs, libraries, folder / "proc", folder / "dev", folder / "data/local/tmp"):
        each.mkdir(parents=True)
    _copy_program(need("mksh", "Android's shell is not here"), folder, programs / "sh")
    _copy_program(need("toybox", "Android's programs are not here"), folder, programs / "toybox")
    for applet in subprocess.run(["toybox"], capture_output=True, text=True, check=True).stdout.split():
        link = programs / applet
        if not link.exists():
            link.symlink_to("toybox")
    (programs / "getprop").write_text(_GETPROP)
    (programs / "getprop").chmod(0o755)
    (folder / "bin").symlink_to("system/bin")
    (folder / "system/etc").mkdir()
    (folder / "system/etc/passwd").write_text(f"shell:x:{SHELL_USER}:{SHELL_USER}::/:/system/bin/sh\n")
    (folder / "etc").symlink_to("system/etc")
    _add_android_loader(folder)


def _copy_program(path: Path, root: Path, name: Path) -> None:
    """Copies a program of this machine with the libraries that it needs."""
    shutil.copy2(path.resolve(), name)
    told = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    for word in told.split():
        if word.startswith("/"):
            copy = root / word.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(word, copy)


def _add_android_loader(root: Path) -> None:
    """Lets musl's loader pass for bionic's, with what musl lacks preloaded (see `environment`)."""
    loader = need("musl:arm64", "nothing stands in for Android's C library")
    shutil.copy2(loader, root / "system/bin/linker64")
    (root / "lib").mkdir(exist_ok=True)
    shutil.copy2(loader, root / "lib/ld-musl-aarch64.so.1")
    (root / "system/etc/ld-musl-aarch64.path").write_text("/system/lib64\n")
    compile_for_phone(_SOURCE, root / PRELOADED.lstrip("/"), "-shared", "-fPIC", "-D_GNU_SOURCE")
    (root / "system/lib64/liblog.so").symlink_to("libbionic.so")


def compile_for_phone(source: Path, result: Path, *options: str) -> None:
    """Compiles C for 64-bit ARM and the phone's C library."""
    command = ["python-zig", "cc", "-target", "aarch64-linux-musl", "-dynamic", "-O1", *options]
    made = subprocess.run(
        [*command, source, "-o", result], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert made.returncode == 0, made.stderr


def environment(processor: str) -> dict[str, str]:
    """The environment of the phone's shell; what qemu emulates sees the preloaded library, other programs do not.

    Args:
        processor: as qemu names it, such as "cortex-a76".
    """
    return {
        "PATH": "/system/bin",
        "HOME": "/",
        "TMPDIR": "/data/local/tmp",
        "ANDROID_ROOT": "/system",
        "ANDROID_DATA": "/data",
        "QEMU_SET_ENV": f"LD_PRELOAD={PRELOADED}",
        "QEMU_CPU": processor,
    }


def write_properties(root: Path, properties: Mapping[str, str]) -> None:
    """What getprop tells."""
    text = "".join(f"{key}={value}\n" for key, value in properties.items())
    (root / "system/build.prop").write_text(text)


_COMMON = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
# What the kernel of a real phone tells of a core: its part number, and features beside those of all.
_CORES = {"cortex-a53": ("0xd03", ""), "cortex-a76": ("0xd0b", "atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp")}
CPU_INFO = "system/etc/cpuinfo"  # is mounted over /proc/cpuinfo, which would tell of this machine's processor


def write_cores(root: Path, processor: str) -> None:
    """Lets /proc and /sys tell of a big core and, where this machine has more than one, of little ones.

    Args:
        root: the root folder.
        processor: as qemu names it; all cores are of this kind, whatever their clocks.
    """
    count = len(os.sched_getaffinity(0))
    part, further = _CORES[processor]
    told = {"BogoMIPS": "38.40", "Features": f"{_COMMON} {further}", "CPU implementer": "0x41", "CPU architecture": "8",
            "CPU variant": "0x1", "CPU part": part, "CPU revision": "0"}  # fmt: skip
    lines = "".join(f"{key}\t: {value}\n" for key, value in told.items())
    cores = "".join(f"processor\t: {cpu}\n{lines}\n" for cpu in range(count))
    (root / CPU_INFO).write_text(f"{cores}Hardware\t: QEMU\n")
    system = root / "sys/devices/system/cpu"
    system.mkdir(parents=True)
    for name in ("possible", "present", "online"):
        (system / name).write_text(f"0-{count - 1}\n" if count > 1 else "0\n")
    (system / "kernel_max").write_text(f"{count - 1}\n")
    for cpu in range(count):
        _write_core(system / f"cpu{cpu}", big=cpu == count - 1)
    zone = root / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-0-0\n")
    (zone / "temp").write_text("41500\n")


def _write_core(folder: Path, *, big: bool) -> None:
    (folder / "cpufreq").mkdir(parents=True)
    (folder / "cpu_capacity").write_text("1024\n" if big else "250\n")
    for name in ("cpuinfo_max_freq", "scaling_cur_freq"):
        (folder / "cpufreq" / name).write_text("2850000\n" if big else "1800000\n")
    (folder / "cpufreq/scaling_governor").write_text("schedutil\n")
