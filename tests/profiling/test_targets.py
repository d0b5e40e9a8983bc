"""Targets: by their URLs, the local one for real, and the protocol that every worker speaks."""

import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profiling.engines import ENGINES
from mobile_bnn.profiling.messages import Answer, Message, Question, Request, TargetInfo
from mobile_bnn.profiling.targets import EngineCrashError, Local, connect, local

WORKER = [sys.executable, "-W", "error", "-m", "mobile_bnn.profiling.worker"]


def request(path: Path | str, **changes: Any) -> Request:
    fields = {"engine": "lce", "kernel": "bgemm", "path": str(path), "threads": 1, "runs": 2, "warmup": 1}
    return Request.model_validate(fields | {"max_seconds": 5} | changes)


def answered(content: bytes) -> dict[str, Any]:
    """What a worker answers, which is JSON and nothing else."""
    ended = subprocess.run(WORKER, input=content, capture_output=True, check=True)
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("locl", "unknown target 'locl'. Did you mean local? Known: adb, local, ssh"),
        ("ftp://board", "unknown target 'ftp'. Known: adb, local, ssh"),
        ("local://board", "the target 'local://board' is malformed: local is this machine. Give local"),
    ],
)
def test_a_target_that_there_is_not(url: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(url)
    assert str(caught.value) == message


def test_this_machine_describes_itself() -> None:
    target = connect("local")
    info = target.describe()
    target.close()
    assert info.machine.architecture == platform.machine()
    told = [(each.name, each.version, each.kernels, each.unavailable) for each in info.engines]
    assert told == [(name, one.version(), one.kernels, one.unavailable()) for name, one in ENGINES.items()]


def test_files_of_this_machine_stay_where_they_are(
    float_tflite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.tflite").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert Local().stage(["m.tflite", float_tflite]) == {
        Path("m.tflite"): str(tmp_path / "m.tflite"),
        float_tflite: str(float_tflite),
    }
    with pytest.raises(UsageError, match="there is no file none"):
        Local().stage(["none"])


def test_a_worker_answers_with_figures(binary_tflite: Path) -> None:
    answer = answered(request(binary_tflite).encode())
    assert (answer["protocol"], answer["error"]) == (2, None)
    assert len(answer["figures"]["latencies_ms"]) == 2
    assert answer["figures"]["file_sha256"] == sha256(binary_tflite)
    assert (answer["kernel"], answer["machine"]["architecture"]) == ("bgemm", platform.machine())
    assert answer["engine_version"] == ENGINES["lce"].version()


UNREADABLE = "the host sent a message that cannot be read"
REFUSED: list[tuple[bytes, str]] = [
    (
        b'{"protocol": 3, "ask": "describe"}',
        "the host speaks protocol 3: this mobile_bnn speaks protocol 2. Install the same mobile_bnn on both sides",
    ),
    (
        b'{"ask": "measure"}',
        "the host speaks protocol None: this mobile_bnn speaks protocol 2. Install the same mobile_bnn on both sides",
    ),
    (b'{"protocol": 2, "ask": "measure"}', f"{UNREADABLE}: engine: Field required"),
    (b"{", f"{UNREADABLE}: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    (
        request("m.tflite", engine="lite").encode(),
        "unknown engine 'lite'. Did you mean litert? Known: delegate, lce, litert",
    ),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_a_worker_refuses_what_it_cannot_do(content: bytes, message: str) -> None:
    what, why, cure = answered(content)["error"]
    assert str(MobileBnnError(what, why=why, cure=cure)) == message


@pytest.mark.parametrize("kind", [Answer, Question, Request, TargetInfo])
def test_an_answer_of_another_protocol_is_refused(kind: type[Message]) -> None:
    with pytest.raises(MobileBnnError) as caught:
        kind.parse(b'{"protocol": 7, "all": "else"}', "the measuring process")
    assert str(caught.value) == (
        "the measuring process speaks protocol 7: this mobile_bnn speaks protocol 2. "
        "Install the same mobile_bnn on both sides"
    )


def test_an_interrupted_measurement_leaves_no_process(float_tflite: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    forever = request(float_tflite, engine="litert", kernel="xnnpack", min_seconds=600.0, max_seconds=600.0)
    workers: list[psutil.Process] = []

    def press() -> None:
        while not workers or workers[0].cpu_times().user < 0.5:  # it has read the request, or is about to
            workers[:] = set(psutil.Process().children(recursive=True)) - before
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    # In a background job, as under nohup, Python is told to ignore Ctrl-C.
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        presser.start()
        with pytest.raises(KeyboardInterrupt):
            Local().measure(forever)
    finally:
        signal.signal(signal.SIGINT, ignored)
    presser.join()
    ended, left = psutil.wait_procs(workers, timeout=30)
    assert (len(ended), left) == (len(workers), [])
    assert workers


def test_a_measurement_that_hangs_is_ended(float_tflite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "time_limit_s", lambda request: 3.0)
    before = set(psutil.Process().children(recursive=True))
    forever = request(float_tflite, engine="litert", kernel="xnnpack", min_seconds=600.0, max_seconds=600.0)
    with pytest.raises(EngineCrashError, match="the engine took too long: it was ended after 3 seconds"):
        Local().measure(forever)
    assert set(psutil.Process().children(recursive=True)) <= before
