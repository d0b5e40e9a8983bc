"""The library for Android on emulated processors, by its functions for Java: the bits of x86, and what must fail."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.android.conftest import tool
from tests.android.emulated_vm import EmulatedVm, Job, emulated_vm
from tests.android.processors import NATIVE, PROCESSORS, ROUNDING
from tests.support.tools import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(params=(NATIVE, *PROCESSORS))
def vm(request: pytest.FixtureRequest, java_vm: Path, jni_libraries: Path, tflite_libraries: Path) -> EmulatedVm:
    return emulated_vm(java_vm, jni_libraries, tflite_libraries, request.param)


@pytest.fixture
def cortex_a53(java_vm: Path, jni_libraries: Path, tflite_libraries: Path) -> EmulatedVm:
    return emulated_vm(java_vm, jni_libraries, tflite_libraries, "cortex-a53")


@pytest.mark.parametrize("threads", [1, 4])
def test_the_zoo_gives_the_bits_of_x86(vm: EmulatedVm, cases: Path, threads: int) -> None:
    folders = sorted(each for each in cases.iterdir() if each.is_dir())
    assert len(folders) >= 4
    binary = vm.run([Job(each / "binary.tflite", threads, inputs=each / "inputs.bin") for each in folders])
    whole = vm.run([Job(each / "model.tflite", threads, inputs=each / "inputs.bin") for each in folders])
    for folder, cut, all_of_it in zip(folders, binary, whole, strict=True):
        assert cut.outputs == (folder / "binary.bin").read_bytes(), (folder.name, cut.exception, cut.message)
        assert all_of_it.outputs is not None, (folder.name, all_of_it)
        expected = np.frombuffer((folder / "outputs.bin").read_bytes(), np.float32)
        assert np.allclose(np.frombuffer(all_of_it.outputs, np.float32), expected, rtol=0, atol=ROUNDING), folder.name


@pytest.mark.parametrize("processor", [NATIVE, *PROCESSORS])
def test_tensorflow_lites_own_interpreter_gives_them_with_our_delegate(
    java_vm: Path, jni_libraries: Path, tflite_libraries: Path, cases: Path, processor: str
) -> None:
    vm = emulated_vm(java_vm, jni_libraries, tflite_libraries, processor, "tflite")
    folders = sorted(each for each in cases.iterdir() if each.is_dir())
    for threads in (1, 4):
        answers = vm.run([Job(each / "binary.tflite", threads, inputs=each / "inputs.bin") for each in folders])
        for folder, answer in zip(folders, answers, strict=True):
            assert answer.outputs == (folder / "binary.bin").read_bytes(), (folder.name, answer.message)
    (alone,) = vm.run([Job(folders[0] / "model.tflite", delegate=False)])
    assert alone.exception == "java/lang/IllegalStateException"
    assert "unresolved custom op: Lce" in alone.message


@pytest.mark.parametrize("isa", ["neon", "portable"])
def test_every_instruction_set_gives_them(cortex_a53: EmulatedVm, cases: Path, isa: str) -> None:
    folder = cases / "resnet20-digits"
    (answer,) = cortex_a53.run([Job(folder / "binary.tflite", isa=isa, inputs=folder / "inputs.bin")])
    assert answer.outputs == (folder / "binary.bin").read_bytes()


def test_the_processor_decides_which_instruction_sets_there_are(
    java_vm: Path, jni_libraries: Path, tflite_libraries: Path, cases: Path
) -> None:
    job = Job(cases / "resnet20-digits/binary.tflite", isa="neon_dot")
    old, new = (
        emulated_vm(java_vm, jni_libraries, tflite_libraries, each).run([job])[0]
        for each in ("cortex-a53", "cortex-a76")
    )
    assert old.exception == "java/lang/IllegalArgumentException"
    assert old.message == "mobile_bnn: option isa: this CPU has no neon_dot"
    assert new.outputs is not None


def test_without_our_delegate_a_binary_model_is_refused(vm: EmulatedVm, cases: Path) -> None:
    (answer,) = vm.run([Job(cases / "resnet20-digits/model.tflite", delegate=False)])
    assert answer.exception == "org/mobilebnn/InvalidModelException"
    assert "unresolved custom op: Lce" in answer.message


def test_a_missing_runtime_is_told(java_vm: Path, jni_libraries: Path, tflite_libraries: Path, cases: Path) -> None:
    there = emulated_vm(java_vm, jni_libraries, tflite_libraries, "cortex-a53")
    gone = EmulatedVm(there.programs, there.library, tflite_libraries / "libnone.so", there.processor)
    (answer,) = gone.run([Job(cases / "resnet20-digits/model.tflite")])
    assert answer.exception == "java/lang/IllegalStateException"
    assert answer.message.startswith("no TensorFlow Lite library can be used: ")


def test_a_wrong_kernel_is_noticed(
    java_vm: Path, jni_libraries: Path, tflite_libraries: Path, cases: Path, tmp_path: Path
) -> None:
    for part in ("native", "android_demo/library/src/main/cpp", "tools/android"):
        shutil.copytree(ROOT / part, tmp_path / part)
    header = tmp_path / "native/kernels/neon_simd.h"
    text = header.read_text()
    assert text.count("veorq_u8(activation") == 1
    header.write_text(text.replace("veorq_u8(activation", "vorrq_u8(activation"))  # OR in place of XOR
    tool(tmp_path / "tools/android/native_libraries.py", tmp_path / "built", "arm64-v8a")
    vm = emulated_vm(java_vm, tmp_path / "built", tflite_libraries, "cortex-a53")
    folders = sorted(each for each in cases.iterdir() if each.is_dir())
    answers = vm.run([Job(each / "binary.tflite", inputs=each / "inputs.bin") for each in folders])
    for folder, answer in zip(folders, answers, strict=True):
        assert answer.outputs is not None
        assert answer.outputs != (folder / "binary.bin").read_bytes(), folder.name
