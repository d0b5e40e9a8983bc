"""Measuring on a virtual Raspberry Pi over ssh: bits that agree, and everything that ends a measurement early."""

import base64
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import numpy as np
import psutil
import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.deployment.check import signs_model
from mobile_bnn.profiling.messages import Request
from mobile_bnn.profiling.targets import EngineCrashError, Local, TargetLostError, ssh
from mobile_bnn.profiling.targets.ssh import Ssh
from tests.devices.pi.fixtures import DeployedPi

pytest_plugins = ["tests.devices.pi.fixtures"]
pytestmark = pytest.mark.devices

FILES = ".cache/mobile_bnn/files"
WORKER = "mobile_bnn.profiling.worker"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two binary convolutions with a batch norm between them, and no float operator."""
    import larq

    from mobile_bnn.legacy_keras import tf
    from tests.support.lce_files import lce_file

    quantized = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "padding": "same", "pad_values": 1.0}
    tf.keras.utils.set_random_seed(0)
    net = tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 32)),
            larq.layers.QuantConv2D(64, 3, use_bias=False, **quantized),
            tf.keras.layers.BatchNormalization(),
            larq.layers.QuantConv2D(32, 3, **quantized),
        ]
    )
    path = tmp_path_factory.mktemp("model") / "model.tflite"
    path.write_bytes(lce_file(net))
    return path


@pytest.fixture
def target(pi: DeployedPi) -> Iterator[Ssh]:
    target = Ssh(pi.url)
    yield target
    target.close()


def request(path: str, **changes: object) -> Request:
    fields = {"engine": "delegate", "kernel": "auto", "path": path, "threads": 1, "runs": 5, "warmup": 1}
    return Request.model_validate(fields | {"max_seconds": 5, "operators": False} | changes)


def endless(path: str) -> Request:
    """A measurement of ten minutes."""
    return request(path, runs=10**9, max_seconds=600)


def worker_of(pi: DeployedPi) -> psutil.Process:
    """What measures on the board, once it does."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := pi.board.running(WORKER):
            time.sleep(3)  # so that it is in the midst of it
            return next(each for each in found if "-c" not in each.cmdline())
        time.sleep(0.1)
    raise TimeoutError("nothing measures")


def test_figures_and_the_very_same_bits(pi: DeployedPi, target: Ssh, model: Path, tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    inputs.write_bytes(np.random.default_rng(1).standard_normal((3, 8, 8, 32)).astype(np.float32).tobytes())
    told = target.describe()
    assert (told.machine.architecture, told.machine.python) == ("aarch64", "3.11.2")
    assert (told.machine.libc, told.machine.emulated) == ("glibc 2.36", True)
    assert [each.name for each in told.engines if not each.unavailable] == ["delegate", "litert"]
    there = target.stage([model, inputs])
    assert there[model].startswith(f"/home/pi/{FILES}/")
    answer = target.measure(request(there[model], inputs=there[inputs], samples=3))
    assert answer.error is None
    assert answer.figures is not None
    assert answer.kernel.startswith("neon_dot")
    assert len(answer.figures.latencies_ms) >= 5
    here = Local().measure(request(str(model), inputs=str(inputs), samples=3))
    assert here.figures is not None
    outputs = [np.frombuffer(base64.b64decode(each), np.float32) for each in answer.figures.outputs]
    assert [each.size for each in outputs] == [3 * 8 * 8 * 32]
    assert len(np.unique(outputs[0])) > 50, "outputs that could not differ prove nothing"
    assert answer.figures.outputs == here.figures.outputs


def test_a_content_is_sent_once(pi: DeployedPi, target: Ssh, model: Path, tmp_path: Path) -> None:
    sent: list[str] = []
    target.watch = lambda name, done, size: sent.append(f"{name} {done} of {size}")
    (tmp_path / "a.bin").write_bytes(bytes(150_000) + model.read_bytes()[:1])
    there = target.stage([tmp_path / "a.bin"])
    size = 150_001
    assert sent == [f"a.bin {done} of {size}" for done in (65536, 131072, size)]
    (tmp_path / "b.bin").write_bytes((tmp_path / "a.bin").read_bytes())
    again = target.stage([tmp_path / "b.bin"])
    assert len(sent) == 3
    assert set(again.values()) == set(there.values())
    assert target.remove(list(there.values())) == 1
    assert not (pi.board.home / Path(there[tmp_path / "a.bin"]).relative_to("/home/pi")).exists()


def test_a_cable_that_is_pulled_leaves_nothing_running(pi: DeployedPi, model: Path) -> None:
    target = Ssh(pi.url)
    there = target.stage([model])
    puller = Timer(0, lambda: (worker_of(pi), pi.relay.cut()))
    puller.start()
    with pytest.raises(TargetLostError) as caught:
        target.measure(endless(there[model]))
    puller.join()
    assert str(caught.value) == (
        f"the connection to {pi.url} is lost: the board does not answer any more. "
        "Look after the board and its network, and run the command again"
    )
    pi.board.wait_until_nothing_runs(WORKER, 5)
    pi.board.wait_until_nothing_runs("keeper", 5)
    with pytest.raises(TargetLostError):
        target.measure(request(there[model]))
    target.close()
    resumed = Ssh(pi.url)  # the lock is free
    try:
        resumed.watch = lambda *_: pytest.fail("the file was sent again")
        assert resumed.measure(request(resumed.stage([model])[model])).figures is not None
    finally:
        resumed.close()


def test_a_network_that_is_gone_is_noticed_on_both_sides(pi: DeployedPi, model: Path) -> None:
    target = Ssh(pi.url)
    there = target.stage([model])
    frozen: list[float] = []
    freezer = Timer(0, lambda: (worker_of(pi), pi.relay.freeze(), frozen.append(time.monotonic())))
    freezer.start()
    try:
        with pytest.raises(TargetLostError):
            target.measure(endless(there[model]))
        assert time.monotonic() - frozen[0] < 15
        target.close()
        pi.board.wait_until_nothing_runs(WORKER, 45)
    finally:
        pi.relay.thaw()
        pi.relay.cut()


def test_a_measurement_that_hangs_is_ended(
    pi: DeployedPi, target: Ssh, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "time_limit_s", lambda request: 8.0)
    there = target.stage([model])
    with pytest.raises(EngineCrashError) as caught:
        target.measure(endless(there[model]))
    assert str(caught.value) == (
        f"the engine hangs: its process on {pi.url} took longer than 8 s and was ended. Try another engine or kernel"
    )
    pi.board.wait_until_nothing_runs(WORKER, 2)
    assert target.measure(request(there[model])).figures is not None, "the session goes on"


def test_a_crash_names_its_signal(pi: DeployedPi, target: Ssh, model: Path) -> None:
    there = target.stage([model])
    killer = Timer(0, lambda: worker_of(pi).send_signal(signal.SIGSEGV))
    killer.start()
    with pytest.raises(EngineCrashError) as caught:
        target.measure(endless(there[model]))
    message = f"the engine crashed: its process on {pi.url} was ended by SIGSEGV"
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("Try another engine or kernel")
    assert target.measure(request(there[model])).figures is not None, "the session goes on"


def test_a_second_session_at_the_same_time(pi: DeployedPi, target: Ssh, model: Path) -> None:
    target.stage([model])
    second = Ssh(pi.url)
    try:
        assert second.describe().machine.architecture == "aarch64", "looking disturbs nobody"
        with pytest.raises(MobileBnnError) as caught:
            second.stage([model])
    finally:
        second.close()
    message = str(caught.value)
    assert message.startswith(f"another session uses {pi.url}: ")
    assert message.endswith(". Wait until it ends, or end it where it runs")
    assert "process " in message


def test_a_full_disk_says_how_much_is_missing(pi: DeployedPi, target: Ssh, tmp_path: Path) -> None:
    large = tmp_path / "large.tflite"
    large.write_bytes(bytes(3_000_000))
    with pi.board.disk_of("1m", FILES), pytest.raises(TargetLostError) as caught:
        target.stage([large])
    assert str(caught.value) == (
        f"the disk of {pi.url} is full: large.tflite needs 3.0 MB, and 1.0 MB are free. "
        "Make room there; `mbnn deploy URL --remove` removes all that mobile_bnn laid there"
    )


def test_a_disk_that_fills_up_while_a_file_arrives(pi: DeployedPi, target: Ssh, tmp_path: Path) -> None:
    """Another program takes the room after the board said that there is enough."""
    large = tmp_path / "large.tflite"
    large.write_bytes(bytes(700_000) + b"1")
    with pi.board.disk_of("1m", FILES):
        other = pi.board.root / "home/pi" / FILES / "other"

        def take_room(name: str, done: int, size: int) -> None:
            if done == 65536:
                pi.board.enter("fallocate", "--length", "700000", str(other))

        target.watch = take_room
        with pytest.raises(TargetLostError, match=r"is full: large\.tflite needs 0\.8 MB, and 0\.0 MB are free"):
            target.stage([large])
        assert pi.board.run("ls", f"/home/pi/{FILES}") == "other\n"
    target.watch = None
    (tmp_path / "small").write_bytes(signs_model())
    assert target.stage([tmp_path / "small"]), "the session goes on"
