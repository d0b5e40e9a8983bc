"""The processors on which tests run Android's libraries: this one, and ARM ones that qemu emulates; all with musl."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.packages import need

NATIVE = "x86_64"  # no emulation: this very processor
PROCESSORS = ("cortex-a53", "cortex-a76", "max")  # without UDOT; with it and half floats; with all that qemu knows
ROUNDING = 1e-6  # of what XNNPACK computes after the last binary operator, by its version and processor


def need_processor(name: str) -> None:
    """Skips the calling test where what emulates the processor is missing."""
    if name == NATIVE:
        need("musl", "nothing else stands in for Android's C library")
        if os.uname().machine != "x86_64":
            pytest.skip("this machine does not run x86-64")
    else:
        need("musl:arm64", "nothing else stands in for Android's C library")
        need("qemu-user-static", "nothing emulates an ARM processor")


def abi_of(name: str) -> str:
    """The ABI of a processor, as Android names it."""
    return "x86_64" if name == NATIVE else "arm64-v8a"


def arch_of(name: str) -> str:
    """The architecture of a processor, as compilers name it."""
    return "x86_64" if name == NATIVE else "aarch64"


def launch(
    name: str, programs: Path, command: Sequence[str], libraries: Sequence[Path]
) -> tuple[list[str], dict[str, str]]:
    """How a program starts on a processor.

    Args:
        name: as qemu names it, or NATIVE.
        programs: what the fixture `java_vm` made; it has Android's libraries that musl lacks.
        command: the program and its arguments.
        libraries: folders of further ones.

    Returns:
        The command, and the whole environment.
    """
    bridge = programs / arch_of(name)
    loading = {
        "LD_PRELOAD": str(bridge / "libbionic.so"),
        "LD_LIBRARY_PATH": ":".join(map(str, (bridge, *libraries))),
    }
    if name == NATIVE:
        return [*command], {**os.environ, **loading}
    settings = ",".join(f"{variable}={value}" for variable, value in loading.items())
    return ["qemu-aarch64-static", "-cpu", name, *command], {**os.environ, "QEMU_SET_ENV": settings}
