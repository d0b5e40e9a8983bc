"""The local target for real: every measurement is a process, whatever that process does."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profiling import Job, jobs_for, profile
from mobile_bnn.runs import Profile
from mobile_bnn.runtime import operator_name, pack, read_model


def test_an_engine_means_all_its_kernels_or_the_one_named() -> None:
    path = Path("m.tflite")
    assert jobs_for(path, ["lce"]) == [Job("lce", "bgemm", path), Job("lce", "indirect_bgemm", path)]
    assert jobs_for(path, ["lce:indirect_bgemm", "litert"]) == [
        Job("lce", "indirect_bgemm", path),
        Job("litert", "xnnpack", path),
    ]
    assert len(jobs_for(path, ["lce", "lce:bgemm"])) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lite", "unknown engine 'lite'. Did you mean litert"),
        ("lce:indirect_gemm", "unknown kernel of engine lce 'indirect_gemm'. Did you mean indirect_bgemm"),
        ("lce:", "unknown kernel of engine lce ''. Known: bgemm, indirect_bgemm"),
    ],
)
def test_unknown_names_suggest_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        jobs_for("m.tflite", [name])
    assert str(caught.value).startswith(message)


def test_a_profile_has_every_job_at_every_thread_count(binary_tflite: Path, float_tflite: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    jobs = jobs_for(binary_tflite, ["lce"]) + jobs_for(float_tflite, ["litert"])
    result = profile(jobs, runs=20, warmup=3, threads=(1, 2), on_progress=lambda *step: seen.append(step))
    assert [(each.engine, each.kernel, each.threads) for each in result.measurements] == [
        ("lce", "bgemm", 1),
        ("lce", "bgemm", 2),
        ("lce", "indirect_bgemm", 1),
        ("lce", "indirect_bgemm", 2),
        ("litert", "xnnpack", 1),
        ("litert", "xnnpack", 2),
    ]
    for each in result.measurements:
        assert len(each.latencies_ms) == 20
        assert each.warmup_runs == 3
        assert each.min_ms == min(each.latencies_ms)
        assert each.median_ms == pytest.approx(np.median(each.latencies_ms))
        assert 0 < each.min_ms <= each.median_ms <= each.p90_ms <= each.p99_ms <= max(each.latencies_ms)
        assert each.load_ms > each.min_ms
    first = result.measurements[0]
    assert (first.file, first.file_bytes) == (str(binary_tflite), binary_tflite.stat().st_size)
    assert first.file_sha256 == sha256(binary_tflite)
    assert [step[:2] for step in seen] == [(done, 6) for done in range(7)]
    assert seen[1][2] == "model.tflite with lce (bgemm), 2 threads"
    result.save(tmp_path / "profile.json")
    assert Profile.load(tmp_path / "profile.json") == result


def test_peak_memory_is_the_worker_s_own(float_tflite: Path) -> None:
    ballast = np.ones(50_000_000)  # 400 MB in this process, which a child's getrusage would report as its own
    measured = profile(jobs_for(float_tflite, ["litert"]), runs=1, warmup=0, threads=[1]).measurements[0]
    assert ballast.nbytes == 400_000_000
    assert 20e6 < measured.peak_memory_bytes < 200e6


def test_a_cap_on_the_seconds_leaves_at_least_five_runs(float_tflite: Path) -> None:
    jobs = jobs_for(float_tflite, ["litert"])
    shortest = profile(jobs, runs=100, threads=[1], max_seconds=1e-9).measurements[0]
    assert (len(shortest.latencies_ms), shortest.warmup_runs) == (5, 0)
    short = profile(jobs, runs=10_000_000, warmup=10_000_000, threads=[1], max_seconds=0.2).measurements[0]
    assert short.warmup_runs > 5
    assert 50 < sum(short.latencies_ms) < 150
    few = profile(jobs, runs=2, threads=[1]).measurements[0]
    assert len(few.latencies_ms) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"runs": 0}, "0 runs after 10 warm-up runs cannot be measured. Ask for 1 run or more"),
        ({"warmup": -1}, "100 runs after -1 warm-up runs cannot be measured"),
        ({"threads": (1, 0)}, "thread counts [1, 0] cannot be used. Give counts of 1 or more"),
        ({"threads": ()}, "thread counts [] cannot be used"),
        ({"max_seconds": float("nan")}, "a cap of nan seconds cannot be kept. Give a number above 0"),
    ],
)
def test_numbers_out_of_range_are_usage_errors(float_tflite: Path, arguments: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        profile(jobs_for(float_tflite, ["litert"]), **arguments)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


def test_nothing_to_profile_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"there is nothing to profile\. Name at least one engine"):
        profile([])


def test_a_missing_or_truncated_file_is_seen_before_any_measurement(float_tflite: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no \.tflite file"):
        profile(jobs_for(tmp_path / "none.tflite", ["lce"]))
    half = tmp_path / "half.tflite"
    half.write_bytes(float_tflite.read_bytes()[:50_000])
    with pytest.raises(MobileBnnError, match=r"half\.tflite is truncated or malformed"):
        profile(jobs_for(half, ["lce"]))


def test_what_the_engine_refuses_is_told_from_outside_its_process(binary_tflite: Path) -> None:
    with pytest.raises(MobileBnnError) as caught:
        profile(jobs_for(binary_tflite, ["litert"]), runs=1, threads=[1])
    assert str(caught.value).startswith(f"cannot profile {binary_tflite}: the engine litert cannot run this file: ")
    assert caught.value.cure.startswith("Use the engine lce for binary files")


def test_grouped_convolutions_get_the_cure_for_lce(tmp_path: Path) -> None:
    import larq_compute_engine as lce

    from mobile_bnn.legacy_keras import larq, tf

    layer = larq.layers.QuantConv2D(64, 3, groups=2, input_quantizer="ste_sign", kernel_quantizer="ste_sign")
    path = tmp_path / "grouped.tflite"
    path.write_bytes(lce.convert_keras_model(tf.keras.Sequential([tf.keras.layers.Input((6, 6, 64)), layer])))
    with pytest.raises(MobileBnnError, match=r"the engine lce refuses the file: .*Try lce:indirect_bgemm") as caught:
        profile(jobs_for(path, ["lce:bgemm"]), runs=1, threads=[1])
    assert "\n" not in str(caught.value)
    assert len(profile(jobs_for(path, ["lce:indirect_bgemm"]), runs=1, threads=[1]).measurements) == 1


def test_a_crash_of_the_engine_names_the_signal(binary_tflite: Path, tmp_path: Path) -> None:
    model = read_model(binary_tflite)
    for operator in model.subgraphs[0].operators:
        if operator_name(model, operator) == "LceBconv2d":
            operator.customOptions = None  # LCE reads them without looking
    path = tmp_path / "deadly.tflite"
    path.write_bytes(pack(model))
    with pytest.raises(MobileBnnError) as caught:
        profile(jobs_for(path, ["lce:bgemm"]), runs=1, threads=[1])
    assert str(caught.value) == (
        "the engine crashed on deadly.tflite with lce (bgemm), 1 thread: its process was ended by SIGSEGV. "
        "Try another engine or kernel"
    )


def test_the_worker_answers_json_and_nothing_else_on_stdout(binary_tflite: Path) -> None:
    request = {"engine": "lce", "kernel": "bgemm", "path": str(binary_tflite), "threads": 1}
    limits = {"runs": 2, "warmup": 1, "max_seconds": 5}
    command = [sys.executable, "-W", "error", "-m", "mobile_bnn.profiling.worker"]
    ended = subprocess.run(command, input=json.dumps(request | limits), capture_output=True, text=True, check=True)
    answer = json.loads(ended.stdout)
    assert answer["error"] is None
    assert len(answer["figures"]["latencies_ms"]) == 2
