"""What `make aar` builds, read as Android will: what the libraries need, their layout, the same bytes again."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from elftools.elf.elffile import ELFFile

from mobile_bnn import __version__
from tests.android.conftest import TOOLS, tool
from tests.support.tools import ROOT

pytestmark = pytest.mark.slow

LIBRARY = "libmobile_bnn_jni.so"
ABIS = {"arm64-v8a": "EM_AARCH64", "x86_64": "EM_X86_64"}
NEEDED = {"libc.so", "libdl.so", "libm.so"}
PAGE = 0x4000
MOST_BYTES = 500_000
FOR_C = {"tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate", "mobile_bnn_version"}
FOR_C |= {"mobile_bnn_default_isa", "mobile_bnn_tile", "mobile_bnn_peak_gmacs"}
MODULE = "prefab/modules/mobile_bnn_jni"  # where the NDK's build finds the library


@pytest.fixture
def aar(archives: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(archives / "mobile-bnn.aar") as archive:
        yield archive


@pytest.fixture(params=ABIS)
def abi(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def elf(aar: zipfile.ZipFile, abi: str) -> ELFFile:
    return ELFFile(io.BytesIO(aar.read(f"jni/{abi}/{LIBRARY}")))


def dynamic(elf: ELFFile, tag: str) -> list[str]:
    found = elf.get_section_by_name(".dynamic").iter_tags(tag)
    return [each.needed if tag == "DT_NEEDED" else each.entry.d_val for each in found]


def symbols(elf: ELFFile, *, defined: bool) -> set[str]:
    every = elf.get_section_by_name(".dynsym").iter_symbols()
    return {each.name for each in every if each.name and (each["st_shndx"] != "SHN_UNDEF") == defined}


def functions_of_android() -> set[str]:
    """What 64-bit devices have since API 23, so API 26 as well."""
    lines = (
        line
        for path in sorted((ROOT / "native/cmake/bionic").glob("*.txt"))
        for line in path.read_text().splitlines()
        if not line.startswith("#")
    )
    return set(" ".join(lines).split())


def native_methods() -> set[str]:
    """The functions that the Java classes declare, by the names that a VM looks for."""
    found = set()
    for path in (ROOT / "android_demo/library/src/main/java/org/mobilebnn").glob("*.java"):
        for name in re.findall(r"^    native [\w\[\]]+ (\w+)\(", path.read_text(), re.MULTILINE):
            found.add(f"Java_org_mobilebnn_{path.stem}_{name}")
    return found


def test_it_is_for_its_processor(elf: ELFFile, abi: str) -> None:
    assert elf["e_machine"] == ABIS[abi]
    assert elf["e_type"] == "ET_DYN"


def test_it_needs_nothing_but_android_itself(elf: ELFFile) -> None:
    assert set(dynamic(elf, "DT_NEEDED")) <= NEEDED
    assert {"malloc", "dlopen"} <= symbols(elf, defined=False) <= functions_of_android()
    assert dynamic(elf, "DT_RPATH") + dynamic(elf, "DT_RUNPATH") + dynamic(elf, "DT_TEXTREL") == []


def test_it_is_laid_out_for_pages_of_16_kilobytes(elf: ELFFile) -> None:
    loads = list(elf.iter_segments("PT_LOAD"))
    assert loads
    for segment in loads:
        assert segment["p_align"] >= PAGE
        assert (segment["p_offset"] - segment["p_vaddr"]) % PAGE == 0
        assert segment["p_flags"] & 3 != 3, "a segment may be written and run"
    assert list(elf.iter_segments("PT_TLS")) == []  # of thread-local memory old Androids know nothing
    (stack,) = elf.iter_segments("PT_GNU_STACK")
    assert stack["p_flags"] & 1 == 0


def test_it_shows_what_java_and_tflite_look_for(elf: ELFFile) -> None:
    methods = native_methods()
    assert len(methods) >= 11
    assert symbols(elf, defined=True) == methods | FOR_C


def test_it_is_stripped_and_small(aar: zipfile.ZipFile, elf: ELFFile, abi: str) -> None:
    assert elf.get_section_by_name(".symtab") is None
    assert aar.getinfo(f"jni/{abi}/{LIBRARY}").file_size < MOST_BYTES


def test_the_archive_has_what_gradle_looks_for(aar: zipfile.ZipFile) -> None:
    libraries = {f"jni/{abi}/{LIBRARY}" for abi in ABIS}
    for_c = {f"{MODULE}/libs/android.{abi}/{name}" for abi in ABIS for name in ("abi.json", LIBRARY)}
    for_c |= {"prefab/prefab.json", f"{MODULE}/module.json", f"{MODULE}/include/mobile_bnn_delegate.h"}
    assert set(aar.namelist()) == libraries | for_c | {
        "AndroidManifest.xml",
        "classes.jar",
        "proguard.txt",
        "R.txt",
        "LICENSE",
    }
    manifest = ElementTree.fromstring(aar.read("AndroidManifest.xml"))
    assert manifest.get("package") == "org.mobilebnn"
    assert [each.tag for each in manifest] == ["uses-sdk"]  # so no permission
    (sdk,) = manifest
    assert list(sdk.attrib.values()) == ["26"]


def test_cmake_finds_the_very_library_and_its_header(aar: zipfile.ZipFile, abi: str) -> None:
    package = json.loads(aar.read("prefab/prefab.json"))
    assert package == {"schema_version": 2, "name": "mobile_bnn", "version": __version__, "dependencies": []}
    assert json.loads(aar.read(f"{MODULE}/module.json"))["library_name"] + ".so" == LIBRARY
    about = json.loads(aar.read(f"{MODULE}/libs/android.{abi}/abi.json"))
    assert (about["abi"], about["api"], about["stl"], about["static"]) == (abi, 26, "none", False)
    assert aar.read(f"{MODULE}/libs/android.{abi}/{LIBRARY}") == aar.read(f"jni/{abi}/{LIBRARY}")
    header = aar.read(f"{MODULE}/include/mobile_bnn_delegate.h").decode()
    declared = set(re.findall(r"^[\w* ]+?\*?((?:tflite|mobile_bnn)_\w+)\(", header, re.MULTILINE))
    assert declared == FOR_C


def test_the_classes_are_ours_and_run_on_java_8(aar: zipfile.ZipFile) -> None:
    with zipfile.ZipFile(io.BytesIO(aar.read("classes.jar"))) as jar:
        names = jar.namelist()
        assert "org/mobilebnn/BnnDelegate.class" in names
        assert "org/mobilebnn/BnnInterpreter.class" in names
        for name in names:
            assert name.startswith("org/mobilebnn/")
            assert int.from_bytes(jar.read(name)[6:8], "big") == 52, f"{name} is not of Java 8"


def test_proguard_keeps_every_class_that_the_library_names(aar: zipfile.ZipFile) -> None:
    rules = aar.read("proguard.txt").decode()
    for method in native_methods():
        assert f"class org.mobilebnn.{method.split('_')[3]} {{ native <methods>; }}" in rules
    source = (ROOT / "android_demo/library/src/main/cpp/jni_tools.h").read_text()
    named = re.findall(r'"(org/mobilebnn/\w+)"', source)
    assert named
    for name in named:
        assert f"-keep class {name.replace('/', '.')} " in rules


def test_sources_and_javadoc_lie_beside_it(archives: Path) -> None:
    with zipfile.ZipFile(archives / "mobile-bnn-sources.jar") as sources:
        there = {
            path.relative_to(ROOT / "android_demo/library/src/main/java").as_posix(): path.read_bytes()
            for path in (ROOT / "android_demo/library/src/main/java").rglob("*.java")
        }
        packed = {name: sources.read(name) for name in sources.namelist() if name.endswith(".java")}
        assert packed == there
    with zipfile.ZipFile(archives / "mobile-bnn-javadoc.jar") as javadoc:
        pages = set(javadoc.namelist())
        assert {"index.html", "org/mobilebnn/BnnInterpreter.html"} <= pages
        assert "org/mobilebnn/NativeInterpreter.html" not in pages  # for our own use


def test_the_same_sources_give_the_same_bytes(archives: Path, tmp_path: Path) -> None:
    tool(TOOLS / "aar.py", tmp_path)
    built = sorted(path.name for path in archives.iterdir() if path.suffix in (".aar", ".jar"))
    assert built == sorted(path.name for path in tmp_path.iterdir())
    for name in built:
        assert (archives / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_a_wrong_abi_is_told_how_to_be_right(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, TOOLS / "native_libraries.py", tmp_path, "armeabi-v7a"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python tools/android/native_libraries.py FOLDER")
