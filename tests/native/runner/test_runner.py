"""The measuring program without Python, against the interpreter of Python: the same bits, the same refusals."""

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.profiling.messages import Answer, Question, Request, TargetInfo
from mobile_bnn.profiling.named_operators import with_operators
from mobile_bnn.profiling.parity import decoded, random_samples
from mobile_bnn.profiling.parity_plan import ends
from mobile_bnn.runtime import Interpreter, default_isa, kernel_name, pack, read_model
from tests.support.maven import artifact, unpacked
from tests.support.native_builds import cmake
from tests.support.shared import Once
from tests.support.tools import ROOT

JAR = "5c02ff25114b4f69d0b79473135f3bb731f8ff4dd5cc5e1d0595e501c867071a"
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def runner(once: Once) -> Path:
    """The program, with the address and undefined-behaviour sanitizers."""

    def make(folder: Path) -> None:
        flags = "-fsanitize=address,undefined -fno-sanitize-recover=all -g"
        options = [
            "-DMBNN_RUNNER=ON",
            "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_CXX_FLAGS={flags}",
            f"-DCMAKE_C_FLAGS={flags}",
        ]
        for step in (
            ["-S", ROOT / "native", "-B", folder, *options],
            ["--build", folder, "--target", "mobile_bnn_runner"],
        ):
            ended = cmake(*step)
            assert ended.returncode == 0, ended.stdout + ended.stderr

    return once("runner", make) / "mobile_bnn_runner"


@pytest.fixture(scope="session")
def tflite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TFLite library for Linux that exports the C API."""
    jar = artifact("org.bytedeco", "tensorflow-lite", "2.19.0-1.5.12", "linux-x86_64", "jar", JAR)
    member = "org/bytedeco/tensorflowlite/linux-x86_64/libjnitensorflowlite.so"
    return unpacked(jar, member, tmp_path_factory.mktemp("tflite"))


@pytest.fixture
def run(runner: Path, tflite: Path, tmp_path: Path) -> Run:
    """Asks the program, with the library that is installed here."""
    from mobile_bnn.runtime import library_path

    (tmp_path / "suppressions").write_text(f"leak:{tflite.name}\n")  # XNNPACK leaves a byte behind
    environment = {**os.environ, "LSAN_OPTIONS": f"suppressions={tmp_path / 'suppressions'}:print_suppressions=0"}

    def ask(content: bytes, *options: object) -> "subprocess.CompletedProcess[bytes]":
        command = [str(part) for part in (runner, *(options or ("--tflite", tflite, "--delegate", library_path())))]
        return subprocess.run(command, input=content, capture_output=True, timeout=120, env=environment)

    return ask


def request(path: Path | str, **changes: Any) -> Request:
    fields = {"engine": "delegate", "kernel": "auto", "path": str(path), "threads": 1, "runs": 5, "warmup": 2}
    return Request.model_validate(fields | {"max_seconds": 10.0} | changes)


def answered(ended: "subprocess.CompletedProcess[bytes]") -> Answer:
    assert ended.returncode == 0, ended.stderr.decode()
    return Answer.parse(ended.stdout, "the runner")


def test_it_says_what_the_machine_is(run: Run) -> None:
    ended = run(Question(ask="describe").encode())
    info = TargetInfo.parse(ended.stdout, "the runner")
    here = local_machine()
    for fact in (
        "system",
        "cpu",
        "architecture",
        "logical_cores",
        "flags",
        "governor",
        "board",
        "bits",
        "cores",
        "emulated",
    ):
        assert getattr(info.machine, fact) == getattr(here, fact), fact
    assert info.machine.memory_bytes == here.memory_bytes
    assert [(each.name, each.unavailable) for each in info.engines] == [("delegate", ""), ("litert", "")]
    assert {each.name: each.version for each in info.engines}["litert"].startswith("2.19")


@pytest.mark.parametrize("kernel", ["auto", "portable"])
def test_a_binary_file_gives_the_bits_that_python_gives(
    run: Run, binary_tflite: Path, tmp_path: Path, kernel: str
) -> None:
    model = ends(binary_tflite)
    assert model is not None
    inputs = tmp_path / "inputs"
    inputs.write_bytes(random_samples(model, 3))
    answer = answered(run(request(binary_tflite, kernel=kernel, inputs=str(inputs), samples=3, peak=True).encode()))
    assert answer.figures is not None
    figures = with_operators(answer.figures, binary_tflite, with_library=True)
    (outputs,) = decoded(figures.outputs, model, 3)
    batch = np.frombuffer(inputs.read_bytes(), np.float32).reshape(3, *model.inputs[0].shape[1:])
    with Interpreter(binary_tflite) as interpreter:
        expected = np.stack([interpreter.predict(image[None]) for image in batch])
    # What is not ours, a mean and a dense layer, is of another version of XNNPACK.
    assert np.allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    assert figures.file_sha256 == hashlib.sha256(binary_tflite.read_bytes()).hexdigest()
    assert (len(figures.latencies_ms), figures.warmup_runs) == (5, 2)
    assert min(figures.latencies_ms) > 0
    assert figures.peak_memory_bytes > 1_000_000
    assert figures.delegated_operators is not None
    names = "+".join(each.name for each in figures.operator_times).split("+")
    assert [name for name in names if name.startswith("Lce")] == ["LceQuantize", "LceBconv2d", "LceBconv2d"]
    assert {each.runs_in for each in figures.operator_times_plain} == {"delegate", "litert"}
    assert figures.peak_gmacs is not None
    assert answer.kernel == kernel_name(default_isa() if kernel == "auto" else kernel)


def test_all_bits_of_our_operators_are_the_same(run: Run, binary_tflite: Path, tmp_path: Path) -> None:
    """The file up to its last binary operator, whose float output is compared bit by bit."""
    tree = read_model(binary_tflite)
    graph = tree.subgraphs[0]
    last = max(index for index, each in enumerate(graph.operators) if tree.operatorCodes[each.opcodeIndex].customCode)
    graph.operators = graph.operators[: last + 1]
    graph.outputs = np.array(graph.operators[last].outputs)
    tree.signatureDefs = []
    path = tmp_path / "cut.tflite"
    path.write_bytes(pack(tree))
    model = ends(path)
    assert model is not None
    (tmp_path / "inputs").write_bytes(random_samples(model, 4))
    answer = answered(run(request(path, inputs=str(tmp_path / "inputs"), samples=4, operators=False).encode()))
    assert answer.figures is not None
    (outputs,) = decoded(answer.figures.outputs, model, 4)
    batch = np.frombuffer((tmp_path / "inputs").read_bytes(), np.float32).reshape(4, *model.inputs[0].shape[1:])
    with Interpreter(path) as interpreter:
        expected = np.stack([interpreter.predict(image[None]) for image in batch])
    assert np.array_equal(outputs.view(np.uint32), expected.view(np.uint32))


def test_a_float_file_with_and_without_xnnpack(run: Run, float_tflite: Path) -> None:
    for kernel, runners in (("xnnpack", {"xnnpack", "litert"}), ("plain", {"litert"})):
        answer = answered(run(request(float_tflite, engine="litert", kernel=kernel).encode()))
        assert answer.figures is not None
        figures = with_operators(answer.figures, float_tflite, with_library=False)
        assert {each.runs_in for each in figures.operator_times} == runners
        assert figures.delegated_operators is None
        assert answer.kernel == kernel


def test_it_warms_up_until_times_are_stable(run: Run, float_tflite: Path) -> None:
    answer = answered(
        run(request(float_tflite, engine="litert", kernel="xnnpack", warmup=None, operators=False).encode())
    )
    assert answer.figures is not None
    assert answer.figures.warmup_runs >= 10
    many = answered(
        run(request(float_tflite, engine="litert", kernel="xnnpack", min_seconds=0.3, operators=False).encode())
    )
    assert many.figures is not None
    assert 200 < sum(many.figures.latencies_ms) < 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"engine": "lce"}, "unknown engine 'lce'. The runner has delegate and litert"),
        ({"path": "/none.tflite"}, "the file /none.tflite cannot be read: No such file or directory"),
        ({"kernel": "mmx"}, 'the native library refuses its options: mobile_bnn: option isa: unknown value "mmx"'),
        ({"engine": "litert", "kernel": "xnnpack"}, "the engine litert refuses the file: "),
        ({"cpus": [900]}, "the process cannot be pinned to its cores: Invalid argument"),
        ({"inputs": "/dev/null", "samples": 2}, "0 bytes of inputs are not 2 samples of 8192 bytes"),
        ({"threads": 999}, "the host sent a message that cannot be read: threads: it is not a number in its range"),
    ],
)
def test_what_it_refuses(run: Run, binary_tflite: Path, changes: dict[str, Any], error: str) -> None:
    changes = dict(changes)
    answer = answered(run(request(changes.pop("path", binary_tflite), **changes).encode()))
    assert answer.error is not None
    what, why, cure = answer.error
    text = f"{what}: {why}" if why else what
    assert (f"{text}. {cure}" if cure else text).startswith(error)
    assert answer.figures is None


@pytest.mark.parametrize("kept", [0, 100, 5000])
def test_a_truncated_file_is_refused(run: Run, binary_tflite: Path, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "half.tflite"
    path.write_bytes(binary_tflite.read_bytes()[:kept])
    ended = run(request(path).encode())
    answer = answered(ended)
    assert answer.error is not None
    assert "refuses the file" in answer.error[0]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "an object is expected"),
        (b"{", "a string is expected"),
        (b'{"protocol": 3, "ask": "describe"}', "this runner speaks protocol 2"),
        (b'{"protocol": 2, "ask": "sing"}', ""),
        (b'{"protocol": 2, "ask": "measure"}', "engine: it is missing"),
        (b'{"protocol": 2, "ask": {}}', "an object in an object is not expected"),
        (b'{"protocol": 2} x', "something follows the object"),
        (b'{"a": "' + b"x" * 5000 + b'"}', "a string is too long"),
        (b'{"a": [' + b"1," * 2000 + b"1]}", "an array is too long"),
        (b'{"a": "\\ud800"}', "half of a character is missing"),
        (b'{"a": 1e999}', "a number is expected"),
        (b" " * (2 << 20), "it is too long"),
    ],
)
def test_a_message_that_cannot_be_read(run: Run, content: bytes, error: str) -> None:
    answer = answered(run(content))
    assert answer.error is not None
    assert error in answer.error[1]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200)
    | st.dictionaries(st.sampled_from([*Request.model_fields, "x"]), JSON).map(
        lambda fields: json.dumps(fields).encode()
    )
)
def test_no_message_ends_it(run: Run, content: bytes) -> None:
    ended = run(content)
    assert ended.returncode == 0, ended.stderr.decode()
    json.loads(ended.stdout)


def test_texts_arrive_as_they_are(run: Run) -> None:
    name = 'grün "\\/\n\t 🦔 \u0001'
    answer = answered(run(request(Path("x"), engine=name).encode()))
    assert answer.error is not None
    assert answer.error[0].encode("latin-1").decode("utf-8") == f"unknown engine '{name}'"


def test_without_libraries(run: Run, tflite: Path, tmp_path: Path) -> None:
    ended = run(b"{}", "--tflite", tmp_path / "none.so")
    assert ended.returncode == 1
    assert b"no TFLite library can be loaded: " in ended.stderr
    ended = run(Question(ask="describe").encode(), "--tflite", tflite, "--delegate", tmp_path / "none.so")
    engine = TargetInfo.parse(ended.stdout, "the runner").engines[0]
    assert "none.so: cannot open shared object file" in engine.unavailable
    assert run(b"", "--what").returncode == 2
    assert b"usage: mobile_bnn_runner" in run(b"", "--help").stdout


def test_base64_is_as_python_has_it(run: Run, binary_tflite: Path, tmp_path: Path) -> None:
    model = ends(binary_tflite)
    assert model is not None
    for samples in (1, 2, 3):
        (tmp_path / "inputs").write_bytes(random_samples(model, samples))
        wanted = request(binary_tflite, inputs=str(tmp_path / "inputs"), samples=samples, operators=False)
        figures = answered(run(wanted.encode())).figures
        assert figures is not None
        (text,) = figures.outputs
        assert len(base64.b64decode(text, validate=True)) == samples * model.outputs[0].bytes
