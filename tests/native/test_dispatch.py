"""Which instruction sets the library finds: those that the kernel says the CPU has, and the others through SIMDe."""

import platform
from pathlib import Path

from tests.support.native_builds import known_isas
from tests.support.packages import skip_or_fail

# What /proc/cpuinfo calls it.
NEEDS = {
    "x86_64": {
        "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vpopcntdq"},
        "avx2": {"avx2"},
        "sse4": {"sse4_2"},
        "portable": set(),
    },
    "aarch64": {"neon_dot": {"asimddp"}, "neon": {"asimd"}, "portable": set()},
}


def test_finds_what_the_cpu_has(library: Path, isas: list[str]) -> None:
    needs = NEEDS[platform.machine()]
    assert known_isas(library) == list(needs)
    flags = set(Path("/proc/cpuinfo").read_text().split())
    assert isas == [isa for isa in needs if needs[isa] <= flags]


def test_the_simde_build_has_every_instruction_set(simde_library: Path | str) -> None:
    if isinstance(simde_library, str):
        skip_or_fail(simde_library)
    assert set(known_isas(simde_library)) == set().union(*NEEDS.values())
