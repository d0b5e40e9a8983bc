"""The C program of docs/android.md, built as a user of the archive does: the bits of x86, and what must fail."""

import subprocess
import textwrap
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.android.conftest import compile_for_musl
from tests.android.processors import NATIVE, PROCESSORS, ROUNDING, arch_of, launch, need_processor
from tests.support.shared import Once
from tests.support.tools import ROOT

pytestmark = pytest.mark.slow

SOURCE = ROOT / "android_demo/library/examples/run_model.c"
PAGE = ROOT / "docs/android.md"
ADDS_DELEGATE = "  TfLiteInterpreterOptionsAddDelegate(network->options, network->delegate);\n"
MODULE = "prefab/modules/mobile_bnn_jni"
ARCHES = {"aarch64": "arm64-v8a", "x86_64": "x86_64"}


def blocks(language: str) -> list[str]:
    """The pieces of code in that language on the page."""
    found = PAGE.read_text().split(f"```{language}\n")[1:]
    return [each.partition("```")[0] for each in found]


@pytest.fixture(scope="session")
def headers(tflite_libraries: Path, once: Once) -> Path:
    """TensorFlow Lite's headers, mended by the page's own lines."""

    def make(folder: Path) -> None:
        (lines,) = (
            each for each in PAGE.read_text().split("\n\n") if "registration_external.h" in each and "echo" in each
        )
        for path in sorted((tflite_libraries / "headers").rglob("*.h")):
            target = folder / path.relative_to(tflite_libraries)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        subprocess.run(["sh", "-e", "-c", textwrap.dedent(lines)], cwd=folder, check=True)

    return once("tflite headers", make) / "headers"


@dataclass(frozen=True)
class Program:
    """A program of the C API for both architectures, on one processor."""

    folder: Path
    bridge: Path
    processor: str

    def run(self, model: Path, threads: int = 1, inputs: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        arch = arch_of(self.processor)
        arguments = [str(self.folder / arch / "run_model"), str(model), str(threads)]
        command, environment = launch(self.processor, self.bridge, arguments, [self.folder / arch])
        return subprocess.run(command, input=inputs, env=environment, capture_output=True, timeout=300, check=False)


def build(folder: Path, source: Path, archives: Path, tflite_libraries: Path, headers: Path) -> None:
    """The program beside the libraries that it is linked to: ours out of the archive."""
    with zipfile.ZipFile(archives / "mobile-bnn.aar") as archive:
        archive.extractall(folder, [each for each in archive.namelist() if each.startswith("prefab/")])
    includes = ("-I", folder / MODULE / "include", "-isystem", headers)
    for arch, abi in ARCHES.items():
        (folder / arch).mkdir()
        libraries = (folder / MODULE / f"libs/android.{abi}/libmobile_bnn_jni.so",)
        libraries += (tflite_libraries / abi / "libtensorflowlite_jni.so",)
        for path in libraries:
            (folder / arch / path.name).write_bytes(path.read_bytes())
        strict = ("-std=c11", "-Wall", "-Wextra", "-Werror")
        compile_for_musl(arch, *strict, *includes, source, *libraries, "-o", folder / arch / "run_model")


@pytest.fixture(scope="session")
def built(archives: Path, tflite_libraries: Path, headers: Path, once: Once) -> Path:
    return once("c api", lambda folder: build(folder, SOURCE, archives, tflite_libraries, headers))


@pytest.fixture(params=(NATIVE, *PROCESSORS))
def program(request: pytest.FixtureRequest, built: Path, java_vm: Path) -> Program:
    need_processor(request.param)
    return Program(built, java_vm, request.param)


@pytest.mark.parametrize("threads", [1, 4])
def test_the_zoo_gives_the_bits_of_x86_by_the_c_api(program: Program, cases: Path, threads: int) -> None:
    folders = sorted(each for each in cases.iterdir() if each.is_dir())
    assert len(folders) >= 4
    for folder in folders:
        done = program.run(folder / "binary.tflite", threads, (folder / "inputs.bin").read_bytes())
        assert done.returncode == 0, (folder.name, done.stderr[-500:])
        assert done.stdout == (folder / "binary.bin").read_bytes(), folder.name
        whole = program.run(folder / "model.tflite", threads, (folder / "inputs.bin").read_bytes())
        assert whole.returncode == 0, (folder.name, whole.stderr[-500:])
        expected = np.frombuffer((folder / "outputs.bin").read_bytes(), np.float32)
        got = np.frombuffer(whole.stdout, np.float32)
        scale = max(1.0, float(np.abs(expected).max()))  # of the terms of the sums: boxes go up to 8
        assert np.allclose(got, expected, rtol=0, atol=ROUNDING * scale), folder.name


def test_a_bad_model_ends_in_a_message(program: Program, cases: Path, tmp_path: Path) -> None:
    whole = (cases / "resnet20-digits/model.tflite").read_bytes()
    for name, content in {"empty": b"", "text": b"not a model\n" * 100, "cut": whole[: len(whole) // 2]}.items():
        (tmp_path / name).write_bytes(content)
        done = program.run(tmp_path / name)
        assert (done.returncode, done.stdout) == (1, b""), name
        assert done.stderr.decode().splitlines()[-1] == "the model cannot be read", name
    missing = program.run(tmp_path / "missing")
    assert missing.returncode == 1
    assert missing.stderr.decode().splitlines()[-1] == "the model cannot be read"


def test_wrong_threads_and_samples_end_in_a_message(program: Program, cases: Path) -> None:
    folder = cases / "resnet20-digits"
    refused = program.run(folder / "model.tflite", threads=0)
    assert refused.returncode == 1
    assert b'mobile_bnn: option num_threads: "0" is no number from 1 to 256\n' in refused.stderr
    one = len((folder / "inputs.bin").read_bytes()) // 3
    cut = program.run(folder / "model.tflite", inputs=(folder / "inputs.bin").read_bytes()[: one + 1])
    assert cut.returncode == 1
    assert cut.stderr.endswith(b"the last sample is cut off\n")
    assert len(cut.stdout) == len((folder / "outputs.bin").read_bytes()) // 3  # the first one's


@pytest.mark.parametrize("processor", [NATIVE, "cortex-a53"])
def test_without_the_delegate_the_runtime_refuses_the_model(
    processor: str, archives: Path, tflite_libraries: Path, headers: Path, java_vm: Path, cases: Path, tmp_path: Path
) -> None:
    need_processor(processor)
    text = SOURCE.read_text()
    assert text.count(ADDS_DELEGATE) == 1
    (tmp_path / "alone.c").write_text(text.replace(ADDS_DELEGATE, ""))
    build(tmp_path, tmp_path / "alone.c", archives, tflite_libraries, headers)
    done = Program(tmp_path, java_vm, processor).run(cases / "resnet20-digits/model.tflite")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"unresolved custom op: Lce" in done.stderr
    assert done.stderr.endswith(b"the runtime refuses the model\n")


def test_the_header_and_the_program_are_c_plus_plus_too(built: Path, headers: Path, tmp_path: Path) -> None:
    made = tmp_path / "run_model.o"
    options = ("-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-c", "-o", made)
    includes = ("-I", built / MODULE / "include", "-isystem", headers)
    compile_for_musl("x86_64", *options, *includes, SOURCE, compiler="c++")
    assert b"\0tflite_plugin_create_delegate\0" in made.read_bytes()  # by its name in C, as the library exports it


def test_the_page_shows_the_programs_own_lines() -> None:
    shown = blocks("c")
    assert shown
    for block in shown:
        assert block in SOURCE.read_text()
    assert any(ADDS_DELEGATE in block for block in shown)
