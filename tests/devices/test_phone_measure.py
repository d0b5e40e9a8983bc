"""Deploying to a phone and measuring there, for real: our program for Android, TensorFlow Lite's own library."""

import base64
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profile_records import Profile
from mobile_bnn.profiling import Job, profile
from mobile_bnn.profiling.android.layout import BASE, DELEGATE, PROGRAMS, RUNNER, TFLITE
from mobile_bnn.profiling.deploy_adb import deploy, remove
from mobile_bnn.profiling.messages import Request
from mobile_bnn.profiling.targets import EngineCrashError, TargetLostError, connect
from mobile_bnn.profiling.targets.adb import Adb
from mobile_bnn.runtime import Interpreter
from tests.devices.phone.phone import AdbServer, Phone, StartPhone, wait_until
from tests.devices.phone.root import compile_for_phone
from tests.support.lce_files import lce_file

pytest_plugins = ["tests.devices.phone.fixtures"]
pytestmark = pytest.mark.devices


@pytest.fixture
def target(deployed: Phone) -> Adb:
    found = connect(f"adb://{deployed.serial}")
    assert isinstance(found, Adb)
    return found


def ask(path: str, **fields: object) -> Request:
    asked = {"engine": "delegate", "kernel": "auto", "path": path, "threads": 1, "runs": 5, "max_seconds": 2.0}
    return Request.model_validate({**asked, "operators": False, **fields})


def inside(phone: Phone, name: str) -> Path:
    return phone.system.root / name.lstrip("/")


def test_it_is_deployed_once_and_removed(deployed: Phone, tflite_archive: Path) -> None:
    assert {each.name for each in inside(deployed, PROGRAMS).iterdir()} == {RUNNER, DELEGATE, TFLITE}
    done = deploy("adb://", tflite=tflite_archive)
    assert (done.url, done.already_there) == (f"adb://{deployed.serial}", True)
    assert done.about["ABI"] == "arm64-v8a"
    assert done.about["litert"] == "2.16.1"
    assert remove("adb://") == 1
    assert not inside(deployed, BASE).exists()
    assert remove("adb://") == 0
    with pytest.raises(MobileBnnError, match=rf"is not on the phone {deployed.serial}\. Run: mbnn deploy adb://127"):
        connect("adb://").describe()


def test_what_does_not_run_replaces_nothing(
    deployed: Phone, android_files: Path, tflite_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "arm64-v8a"
    broken.mkdir()
    (broken / DELEGATE).write_bytes((android_files / "arm64-v8a" / DELEGATE).read_bytes())
    content = bytearray((android_files / "arm64-v8a" / RUNNER).read_bytes())
    content[2000:] = bytes(len(content) - 2000)
    (broken / RUNNER).write_bytes(content)
    monkeypatch.setenv("MBNN_ANDROID_DIR", str(tmp_path))
    with pytest.raises(
        MobileBnnError, match=f"mobile_bnn does not run on the phone {deployed.serial}, so that nothing"
    ):
        deploy("adb://", tflite=tflite_archive)
    assert [each.name for each in inside(deployed, BASE).iterdir() if each.is_dir()] == [Path(PROGRAMS).name]
    monkeypatch.setenv("MBNN_ANDROID_DIR", str(android_files))
    assert deploy("adb://", tflite=tflite_archive).already_there


def test_what_was_not_built_and_what_is_for_another_processor(
    phone: Phone, android_files: Path, tflite_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MBNN_ANDROID_DIR", str(tmp_path))
    with pytest.raises(MobileBnnError, match=rf"there is no {RUNNER} for arm64-v8a: .* has none\. Run `make android`"):
        deploy("adb://", tflite=tflite_archive)
    monkeypatch.setenv("MBNN_ANDROID_DIR", str(android_files))
    wrong = android_files / "x86_64" / DELEGATE
    with pytest.raises(UsageError, match="cannot run on a phone with arm64-v8a: it is for x86_64"):
        deploy("adb://", tflite=wrong)
    with pytest.raises(UsageError, match="cannot run on a phone with arm64-v8a: it is not a program or library"):
        deploy("adb://", tflite=Path(__file__))
    with pytest.raises(UsageError, match="there is no file /nowhere"):
        deploy("adb://", tflite=Path("/nowhere"))
    with pytest.raises(UsageError, match=r"x\.whl cannot be laid on a phone: it has no Python\. Leave --wheel away"):
        deploy("adb://", wheel=Path("x.whl"))


def test_a_full_phone(
    start_phone: StartPhone, android_files: Path, tflite_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = start_phone(disk="2m")
    monkeypatch.setenv("MBNN_ANDROID_DIR", str(android_files))
    with pytest.raises(
        TargetLostError, match=f"the phone {phone.serial} has no room for {TFLITE}: .*No space left on device"
    ):
        deploy("adb://", tflite=tflite_archive)
    assert not inside(phone, PROGRAMS).exists()


def test_a_phone_with_larger_pages_than_the_library_was_linked_for(
    phone: Phone, android_files: Path, tflite_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MBNN_ANDROID_DIR", str(android_files))
    getconf = inside(phone, "/system/bin/getconf")
    getconf.unlink()
    getconf.write_text("#!/system/bin/sh\necho 16384\n")
    getconf.chmod(0o755)
    with pytest.raises(MobileBnnError) as error:
        deploy("adb://", tflite=tflite_archive)
    assert str(error.value) == (
        f"{TFLITE} cannot be loaded on the phone {phone.serial}: the phone has pages of 16 KB, and it was linked for "
        "4 KB. Name one that fits with --tflite FILE, such as the .aar of LiteRT 2"
    )


def test_it_tells_what_it_is(target: Adb) -> None:
    info = target.describe()
    machine = info.machine
    assert (machine.board, machine.distribution, machine.libc) == ("Virtual Phone 1", "Android 14", "bionic API 34")
    assert (machine.android_api, machine.bits, machine.architecture) == (34, 64, "aarch64")
    assert machine.emulated  # its times say nothing of a real phone
    assert machine.cores[0].name in ("big", "all")
    assert info.condition.temperature_c == 41.5
    assert {engine.name: engine.unavailable for engine in info.engines} == {"delegate": "", "litert": ""}


@pytest.fixture(scope="session")
def binary_layers(tiny_model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of binary layers only, whose outputs are the same on every processor."""
    from mobile_bnn.legacy_keras import tf

    model = tf.keras.Model(tiny_model.input, tiny_model.get_layer("conv_2").output)
    path = tmp_path_factory.mktemp("layers") / "layers.tflite"
    path.write_bytes(lce_file(model))
    return path


@pytest.mark.parametrize("whole", [False, True], ids=["binary layers", "with float layers"])
def test_outputs_equal_those_of_this_machine(
    target: Adb, binary_tflite: Path, binary_layers: Path, tmp_path: Path, whole: bool
) -> None:
    file = binary_tflite if whole else binary_layers
    samples = np.random.default_rng(3).normal(size=(4, 1, 8, 8, 32)).astype(np.float32)
    (tmp_path / "inputs").write_bytes(samples.tobytes())
    names = target.stage([file, tmp_path / "inputs"])
    request = ask(names[file], inputs=names[tmp_path / "inputs"], samples=len(samples))
    answer = target.measure(request)
    target.close()
    assert answer.error is None
    assert answer.figures is not None
    assert answer.kernel.startswith("neon_dot")
    assert answer.machine.board == "Virtual Phone 1"
    assert len(answer.figures.latencies_ms) == 5
    assert min(answer.figures.latencies_ms) > 0
    there = np.frombuffer(base64.b64decode(answer.figures.outputs[0]), np.float32)
    interpreter = Interpreter(file.read_bytes())
    here = np.concatenate([interpreter.predict(sample) for sample in samples]).ravel()
    if whole:  # XNNPACK's float layers round differently on another processor
        np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-6)
    else:
        np.testing.assert_array_equal(there, here)


def test_a_file_is_pushed_once(target: Adb, deployed: Phone, binary_tflite: Path) -> None:
    name = target.stage([binary_tflite])[binary_tflite]
    before = inside(deployed, name).stat()
    assert target.stage([binary_tflite, binary_tflite])[binary_tflite] == name
    assert inside(deployed, name).stat() == before
    with pytest.raises(UsageError, match="there is no file /nowhere"):
        target.stage(["/nowhere"])


def test_pinned_to_a_core_of_a_kind(target: Adb, binary_tflite: Path) -> None:
    name = target.stage([binary_tflite])[binary_tflite]
    big = target.describe().machine.cores[0]
    answer = target.measure(ask(name, cpus=big.cpus[:1]))
    assert answer.figures is not None
    assert answer.figures.before.mhz == [big.max_mhz]


def test_an_error_of_the_engine_is_told(target: Adb, tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"not a model")
    name = target.stage([tmp_path / "bad.tflite"])[tmp_path / "bad.tflite"]
    answer = target.measure(ask(name))
    assert answer.figures is None
    assert answer.error is not None
    assert answer.error[0]


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (signal.SIGSEGV, "the engine crashed: its process was ended by SIGSEGV"),
        (signal.SIGKILL, "ended by SIGKILL, as Android does when memory runs out"),
    ],
)
def test_a_crash_while_it_measures(
    target: Adb, deployed: Phone, binary_tflite: Path, number: signal.Signals, message: str
) -> None:
    name = target.stage([binary_tflite])[binary_tflite]
    killer = threading.Thread(target=wait_until, args=(lambda: deployed.system.kill(RUNNER, number), 20))
    killer.start()
    with pytest.raises(EngineCrashError, match=message):
        target.measure(ask(name, min_seconds=20.0, max_seconds=30.0))
    killer.join()
    target.close()
    wait_until(lambda: not deployed.system.processes(), 5)


def test_two_sessions_at_once(target: Adb, deployed: Phone, binary_tflite: Path) -> None:
    target.stage([binary_tflite])
    second = connect(target.url)
    assert second.describe().machine.board == "Virtual Phone 1"
    with pytest.raises(
        TargetLostError, match=f"the phone {deployed.serial} is busy: another mobile_bnn measures on it"
    ):
        second.stage([binary_tflite])
    with pytest.raises(TargetLostError, match="is busy"):
        remove(target.url)
    target.close()
    assert second.stage([binary_tflite])
    second.close()


def test_a_session_that_is_cut_off_is_resumed(
    deployed: Phone, adb_server: AdbServer, binary_tflite: Path, tmp_path: Path
) -> None:
    jobs = [Job("delegate", "auto", binary_tflite), Job("delegate", "portable", binary_tflite)]
    url = f"adb://{deployed.serial}"

    def measured(**options: Any) -> Profile:
        return profile(
            jobs, target=url, runs=4, warmup=1, threads=(1,), rounds=2, journal=tmp_path / "journal", **options
        )

    def unplug(done: int, total: int, what: str) -> None:
        if done == 2:
            deployed.adbd.unplug()

    with pytest.raises(TargetLostError) as error:
        measured(on_progress=unplug)
    assert error.value.what == f"the connection to the phone {deployed.serial} is lost, after 2 of 4 measurements"
    wait_until(lambda: not deployed.system.processes(), 5)
    deployed.adbd.plug_in()
    adb_server.plug_in(deployed)
    found = measured(resume=True)
    assert [each.kernel.partition("-")[0] for each in found.measurements] == ["neon_dot", "portable"]
    assert [each.runs for each in found.measurements] == [4, 4]
    assert (found.target, found.machine.emulated) == (url, True)


def test_two_phones_at_once(
    start_phone: StartPhone, android_files: Path, tflite_archive: Path, binary_tflite: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("MBNN_ANDROID_DIR", str(android_files))
    phones = [start_phone(properties={"ro.product.model": "New"}), start_phone(processor="cortex-a53")]
    kernels = []
    for phone in phones:
        deploy(f"adb://{phone.serial}", tflite=tflite_archive)
        target = connect(f"adb://{phone.serial}")
        answer = target.measure(ask(target.stage([binary_tflite])[binary_tflite]))
        kernels.append((answer.machine.board, answer.kernel.partition("-")[0]))
        target.close()
    assert kernels == [("Virtual New", "neon_dot"), ("Virtual Phone 1", "neon")]


_TOOL = r"""
#include <stdio.h>
#include <string.h>
int main(int count, char** words) {  // in the format of TFLite's benchmark_model
  const char* graph = "";
  for (int i = 1; i < count; ++i) if (strncmp(words[i], "--graph=", 8) == 0) graph = words[i] + 8;
  FILE* file = fopen(graph, "rb");
  if (file == NULL) { fprintf(stderr, "ERROR: Could not open '%s'.\n", graph); return 1; }
  puts("INFO: Initialized session in 6.279ms.");
  puts("INFO: count=1 curr=18072");
  puts("INFO: count=50 first=1200 curr=1100 min=1000 max=1300 avg=1120.5 std=60 p5=1010 median=1110 p95=1290");
  puts("INFO: Inference timings in us: Init: 6279, First inference: 18072, Warmup (avg): 18072, "
       "Inference (avg): 1120.5");
  return 0;
}
"""


def test_a_benchmark_program_of_the_users(
    deployed: Phone, binary_tflite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tool.c").write_text(_TOOL)
    compile_for_phone(tmp_path / "tool.c", tmp_path / "tool")
    monkeypatch.setenv("MBNN_BENCHMARK_MODEL", str(tmp_path / "tool"))
    target = connect("adb://")
    engine = target.describe().engines[-1]
    assert (engine.name, engine.kernels, engine.further_kernels) == (
        "benchmark_model", ("delegate",), ("xnnpack", "plain"),
    )  # fmt: skip
    request = ask(target.stage([binary_tflite])[binary_tflite], engine="benchmark_model", kernel="delegate")
    answer = target.measure(request)
    assert answer.figures is not None
    assert answer.figures.statistics is not None
    assert (answer.figures.latencies_ms, answer.figures.statistics.median_ms) == ([], 1.11)
    assert (answer.figures.load_ms, answer.engine_version) == (6.279, engine.version)
    assert answer.machine.emulated
    found = profile([Job("benchmark_model", "delegate", binary_tflite)], target=target, threads=(1,), rounds=2)
    (measured,) = found.measurements
    assert (measured.stated, measured.runs, measured.latencies_ms) == (True, 100, [])
    assert (measured.median_ms, measured.p90_ms, measured.p99_ms, measured.min_ms) == (1.11, 1.29, 1.3, 1.0)
    inside(deployed, request.path).unlink()
    with pytest.raises(
        MobileBnnError, match="the program benchmark_model cannot measure: it ended with exit code 1: E"
    ):
        target.measure(request)
    target.close()
