"""What is built for other machines: wheels for Linux, libraries for Android. All are read, and run where possible."""

import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from numpy_bconv import pack

from tests.support.packages import need
from tests.support.shared import Once
from tests.support.tools import ENVIRONMENT, ROOT

LIBRARY = "libmobile_bnn_delegate.so"
RUNNER = "mobile_bnn_runner"
ARTIFACTS = ("linux x86_64", "linux aarch64", "android x86_64", "android arm64-v8a")
ABIS = ("arm64-v8a", "x86_64")
MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64", "arm64-v8a": "EM_AARCH64"}


def run(*command: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=ROOT, env=env)


@pytest.fixture(scope="session")
def wheels(once: Once) -> dict[str, Path]:
    """A wheel for each kind of Linux machine, as `make wheel` and `make wheel-aarch64` build them."""
    found = {}
    for arch in ("x86_64", "aarch64"):

        def make(folder: Path, arch: str = arch) -> None:
            result = run("sh", "tools/wheel.sh", sys.executable, arch, folder)
            assert result.returncode == 0, result.stdout + result.stderr

        (found[arch],) = once(f"wheel of {arch}", make).iterdir()
    return found


@pytest.fixture(scope="session")
def android(once: Once) -> Path:
    """The folder that `make android` fills, built without the NDK."""

    def make(folder: Path) -> None:
        environment = {key: value for key, value in os.environ.items() if key != "ANDROID_NDK_HOME"}
        result = run("sh", "tools/android.sh", sys.executable, folder, env=environment)
        assert result.returncode == 0, result.stdout + result.stderr
        (folder / "printed").write_text((result.stdout + result.stderr).replace(str(folder), "FOLDER"))

    return once("android", make)


@pytest.fixture(scope="session")
def libraries(wheels: dict[str, Path], android: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The library of each artifact."""
    found = {f"android {abi}": android / abi / LIBRARY for abi in ABIS}
    for arch, wheel in wheels.items():
        with zipfile.ZipFile(wheel) as archive:
            name = archive.extract(f"mobile_bnn/runtime/native/{LIBRARY}", tmp_path_factory.mktemp("unpacked"))
        found[f"linux {arch}"] = Path(name)
    return found


@pytest.fixture(params=ARTIFACTS)
def artifact(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def elf(artifact: str, libraries: dict[str, Path]) -> Iterator[ELFFile]:
    with libraries[artifact].open("rb") as file:
        yield ELFFile(file)


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_a_wheel_for_every_python_and_glibc_from_2_17_on(wheels: dict[str, Path], arch: str) -> None:
    # The second name is what pips older than PEP 600 know the first by.
    name = rf"mobile_bnn-[\d.]+-py3-none-manylinux2014_{arch}\.manylinux_2_17_{arch}\.whl"
    assert re.fullmatch(name, wheels[arch].name)
    shown = run(sys.executable, "-m", "auditwheel", "show", wheels[arch])
    assert f'following platform tag: "manylinux_2_17_{arch}"' in " ".join(shown.stdout.split())


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12"])
@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_pip_takes_the_wheel(wheels: dict[str, Path], arch: str, python: str) -> None:
    # As pip asks on the oldest system that may have it.
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-index", "--target", "unused"]
    asked = ["--only-binary", ":all:", "--platform", f"manylinux_2_17_{arch}", "--python-version", python]
    assert run(*command, *asked, wheels[arch]).returncode == 0
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}[arch]
    refused = run(*command, *asked, wheels[other])
    assert "is not a supported wheel on this platform" in refused.stderr


def test_both_wheels_hold_the_same_files(wheels: dict[str, Path]) -> None:
    names = [set(zipfile.ZipFile(wheel).namelist()) for wheel in wheels.values()]
    assert names[0] == names[1]
    assert f"mobile_bnn/runtime/native/{LIBRARY}" in names[0]


@pytest.mark.slow
def test_is_for_the_machine(elf: ELFFile, artifact: str) -> None:
    assert elf["e_machine"] == MACHINES[artifact.split()[1]]
    assert elf["e_type"] == "ET_DYN"


def exported(elf: ELFFile) -> set[str]:
    symbols = elf.get_section_by_name(".dynsym").iter_symbols()
    return {symbol.name for symbol in symbols if symbol["st_shndx"] != "SHN_UNDEF"}


def imported(elf: ELFFile) -> set[str]:
    symbols = elf.get_section_by_name(".dynsym").iter_symbols()
    return {symbol.name for symbol in symbols if symbol.name and symbol["st_shndx"] == "SHN_UNDEF"}


def dynamic_tags(elf: ELFFile, name: str) -> list[object]:
    return list(elf.get_section_by_name(".dynamic").iter_tags(name))


def needed_libraries(elf: ELFFile) -> set[str]:
    return {tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")}


def symbol_versions(elf: ELFFile) -> set[str]:
    required = elf.get_section_by_name(".gnu.version_r").iter_versions()
    return {version.name for _, versions in required for version in versions}


def functions_of_android_6() -> set[str]:
    lists = sorted((ROOT / "native/cmake/bionic").glob("*.txt"))
    lines = (line for path in lists for line in path.read_text().splitlines() if not line.startswith("#"))
    return set(" ".join(lines).split())


def test_exports_six_functions(elf: ELFFile) -> None:
    plug_in = {"tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate"}
    own = {"mobile_bnn_version", "mobile_bnn_default_isa", "mobile_bnn_tile", "mobile_bnn_peak_gmacs"}
    assert exported(elf) == plug_in | own


def test_needs_only_what_the_oldest_c_library_has(elf: ELFFile, artifact: str) -> None:
    libraries, versions = needed_libraries(elf), symbol_versions(elf)
    assert "malloc" in imported(elf)
    if artifact.startswith("android"):
        assert imported(elf) <= functions_of_android_6()
        assert libraries <= {"libc.so", "libm.so"}
        assert versions == {"LIBC"}
    else:
        assert libraries <= {"libc.so.6", "libm.so.6", "libpthread.so.0"}
        assert all(tuple(map(int, name.removeprefix("GLIBC_").split("."))) <= (2, 17) for name in versions)


def test_names_no_folder_to_look_for_libraries_in(elf: ELFFile) -> None:
    # That of the build, which another machine may have as well, filled by anybody.
    assert dynamic_tags(elf, "DT_RPATH") + dynamic_tags(elf, "DT_RUNPATH") == []


def is_for_pages_of_16_kilobytes(elf: ELFFile) -> bool:
    loads = [segment for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
    return bool(loads) and all(
        segment["p_align"] >= 0x4000 and (segment["p_offset"] - segment["p_vaddr"]) % 0x4000 == 0 for segment in loads
    )


def test_segments_for_pages_of_16_kilobytes_and_no_thread_local_memory(elf: ELFFile) -> None:
    assert is_for_pages_of_16_kilobytes(elf)
    assert "PT_TLS" not in {segment["p_type"] for segment in elf.iter_segments()}


def test_is_stripped_and_small(elf: ELFFile, artifact: str, libraries: dict[str, Path]) -> None:
    assert elf.get_section_by_name(".symtab") is None
    assert libraries[artifact].stat().st_size < 500_000


@pytest.mark.parametrize("artifact", ["linux aarch64", "android arm64-v8a"], indirect=True)
def test_has_no_instruction_that_cortex_a53_gets_wrong(elf: ELFFile) -> None:
    assert page_addresses(elf) == []


def page_addresses(elf: ELFFile) -> list[int]:
    """Every ADRP, which erratum 843419 needs; those of the linker's call stubs (.plt) lack what else it takes."""
    text = elf.get_section_by_name(".text").data()
    instructions = struct.unpack(f"<{len(text) // 4}I", text)
    return [word for word in instructions if word & 0x9F000000 == 0x90000000]


@pytest.fixture(params=ABIS)
def abi(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def runner(abi: str, android: Path) -> Iterator[ELFFile]:
    """The measuring program for Android."""
    with (android / abi / RUNNER).open("rb") as file:
        yield ELFFile(file)


def test_the_runner_is_a_program_that_android_starts(runner: ELFFile, abi: str, android: Path) -> None:
    assert runner["e_machine"] == MACHINES[abi]
    # Android 5 and newer start nothing whose addresses are fixed.
    assert runner["e_type"] == "ET_DYN"
    assert runner["e_entry"] != 0
    (interpreter,) = (each for each in runner.iter_segments() if each["p_type"] == "PT_INTERP")
    assert interpreter.get_interp_name() == "/system/bin/linker64"
    assert is_for_pages_of_16_kilobytes(runner)
    # Android refuses a stack that may hold code, and code that may be written.
    flags = {"PT_LOAD": [], "PT_GNU_STACK": []} | segment_flags(runner)
    assert all(flag & 1 == 0 for flag in flags["PT_GNU_STACK"])
    assert all(flag & 3 != 3 for flag in flags["PT_LOAD"])
    assert dynamic_tags(runner, "DT_TEXTREL") == []
    assert os.access(android / abi / RUNNER, os.X_OK)


def segment_flags(elf: ELFFile) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for segment in elf.iter_segments():
        found.setdefault(segment["p_type"], []).append(segment["p_flags"])
    return found


def test_the_runner_needs_only_what_android_6_has(runner: ELFFile) -> None:
    assert {"__libc_init", "dlopen"} <= imported(runner) <= functions_of_android_6()
    assert needed_libraries(runner) == {"libc.so", "libdl.so"}
    assert symbol_versions(runner) == {"LIBC"}
    assert exported(runner) == set()
    assert dynamic_tags(runner, "DT_RPATH") + dynamic_tags(runner, "DT_RUNPATH") == []
    assert "PT_TLS" not in segment_flags(runner)


def test_the_runner_is_stripped_and_small(runner: ELFFile, abi: str, android: Path) -> None:
    assert runner.get_section_by_name(".symtab") is None
    assert (android / abi / RUNNER).stat().st_size < 200_000


def test_the_android_build_refuses_a_function_that_android_6_lacks(tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(gate LANGUAGES C CXX)\nadd_library(gate SHARED gate.c)\n"
        "target_link_options(gate PRIVATE -Wl,-z,defs)\ntarget_link_libraries(gate PRIVATE ${MBNN_C_LIBRARIES})\n"
    )
    (tmp_path / "gate.c").write_text("#include <stdlib.h>\nvoid* f(void) { return aligned_alloc(64, 64); }\n")
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'native/cmake/android.cmake'}"
    configure = ("cmake", "-G", "Ninja", "-S", tmp_path, "-B", tmp_path / "build", toolchain)
    refused = run(*configure, "-DANDROID_ABI=armeabi", env=ENVIRONMENT)
    message = " ".join(refused.stderr.split())
    assert "ANDROID_ABI is 'armeabi'. Cure: -DANDROID_ABI=arm64-v8a or -DANDROID_ABI=x86_64." in message
    shutil.rmtree(tmp_path / "build")
    assert run(*configure, "-DANDROID_ABI=arm64-v8a", env=ENVIRONMENT).returncode == 0
    result = run("cmake", "--build", tmp_path / "build", env=ENVIRONMENT)
    assert result.returncode != 0
    assert "undefined symbol: aligned_alloc" in result.stdout + result.stderr


def test_the_android_build_ends_with_what_it_built(android: Path) -> None:
    built = [android / abi / name for abi in ABIS for name in (LIBRARY, RUNNER)]
    assert (android / "printed").read_text().splitlines()[2:] == [
        "Built for Android 6 (API 23) and newer:",
        *(f"  FOLDER/{path.parent.name}/{path.name} ({path.stat().st_size} bytes)" for path in built),
    ]
    assert {path for path in android.rglob("*") if path.is_file()} == {*built, android / "printed"}


def test_an_android_build_that_fails_says_why(tmp_path: Path) -> None:
    toolchain = tmp_path / "ndk" / "build" / "cmake" / "android.toolchain.cmake"
    toolchain.parent.mkdir(parents=True)
    toolchain.write_text('message(FATAL_ERROR "this NDK is broken")\n')
    environment = {**os.environ, "ANDROID_NDK_HOME": str(tmp_path / "ndk")}
    result = run("sh", "tools/android.sh", sys.executable, tmp_path / "dist", env=environment)
    assert result.returncode == 1
    assert "this NDK is broken" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("The native library cannot be built for Android's arm64-v8a")
    assert not (tmp_path / "dist").exists()


def test_a_wrong_ndk_folder_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "ANDROID_NDK_HOME": str(tmp_path / "ndk")}
    result = run("sh", "tools/android.sh", sys.executable, tmp_path, env=environment)
    assert result.returncode == 2
    assert f"ANDROID_NDK_HOME is '{tmp_path / 'ndk'}', where there is no NDK" in result.stderr
    assert "Cure: name the folder of the NDK, or unset ANDROID_NDK_HOME to build without." in result.stderr


@pytest.mark.parametrize(
    ("abi", "arch", "emulator"),
    [
        ("x86_64", "x86_64", ()),
        ("arm64-v8a", "aarch64", ("qemu-aarch64-static", "-cpu", "cortex-a53")),
        ("arm64-v8a", "aarch64", ("qemu-aarch64-static", "-cpu", "max")),
    ],
)
def test_the_android_library_runs_on_musl(
    abi: str, arch: str, emulator: tuple[str, ...], android: Path, tmp_path: Path
) -> None:
    need({"x86_64": "musl", "aarch64": "musl:arm64"}[arch], "nothing else stands in for Android's C library")
    if emulator:
        need("qemu-user-static", "nothing emulates an ARM processor")
    program = tmp_path / "run_quantize"
    compiler = ("python-zig", "cc", "-target", f"{arch}-linux-musl", "-dynamic", "-rdynamic", "-O1", "-std=c++17")
    includes = ("-isystem", "native/cmake/include", "-I", "native")
    source = "tests/native/run_quantize.cc"
    compiled = run(*compiler, *includes, source, "-o", program, env=ENVIRONMENT)
    assert compiled.returncode == 0, compiled.stderr
    result = run(*emulator, program, android / abi / LIBRARY)
    assert result.returncode == 0, result.stdout + result.stderr
    signs = (np.arange(70) % 3 - 1 < 0)[None]
    assert [int(word) for word in result.stdout.split()] == pack(signs)[0].tolist()
