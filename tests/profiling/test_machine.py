"""The machine's description: this machine's, and those of machines known from their /proc."""

import os
import platform
import subprocess

import psutil

from mobile_bnn.profiling.machine import FLAGS, describe_cpu, local_machine

PI_4 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU part\t: 0xd08

processor\t: 1
Features\t: fp asimd evtstrm crc32 cpuid

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
SERVER = """processor\t: 0
model name\t: AMD EPYC 7B13
flags\t\t: fpu avx2 sse popcnt fma gfni
"""


def test_this_machine_is_described_as_the_system_does() -> None:
    machine = local_machine()
    assert machine.architecture == platform.machine()
    assert machine.memory_bytes == psutil.virtual_memory().total
    assert machine.logical_cores == psutil.cpu_count()
    assert machine.cpu
    assert machine.governor
    shown = subprocess.run(["lscpu"], capture_output=True, check=True, text=True, env={**os.environ, "LC_ALL": "C"})
    rows = dict(line.strip().split(":", 1) for line in shown.stdout.splitlines() if ":" in line)
    assert set(machine.flags) == set(rows["Flags"].split()) & set(FLAGS) != set()


def test_a_pi_is_named_by_its_board() -> None:
    assert describe_cpu(PI_4, "Raspberry Pi 4 Model B Rev 1.4\0") == ("Raspberry Pi 4 Model B Rev 1.4", ["asimd"])
    assert describe_cpu(PI_4, "") == ("Raspberry Pi 4 Model B Rev 1.4", ["asimd"])


def test_a_server_is_named_by_its_processor() -> None:
    assert describe_cpu(SERVER, "") == ("AMD EPYC 7B13", ["popcnt", "avx2", "fma", "gfni"])


def test_a_system_that_tells_nothing_is_no_error() -> None:
    assert describe_cpu("", "") == ("", [])
