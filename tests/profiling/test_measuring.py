"""Profiles for real, on this machine: every measurement is a process, whatever that process does."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profile_records import Profile
from mobile_bnn.profiling import Job, jobs_for, planning, profile
from mobile_bnn.profiling.messages import Answer, Request
from mobile_bnn.profiling.summary import KEPT, sample
from mobile_bnn.profiling.targets import Local
from mobile_bnn.runtime import default_isa, kernel_name, operator_name, pack, read_model


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
        assert each.warmup_runs == 9  # 3 in each of 3 rounds
        assert [one.runs for one in each.rounds] == [7, 7, 6]
        assert each.median_low_ms is not None
        assert each.median_high_ms is not None
        assert each.median_low_ms <= each.median_ms <= each.median_high_ms
        assert each.first_ms is not None
        assert each.first_ms > 0
        assert each.min_ms == min(each.latencies_ms)
        assert each.median_ms == pytest.approx(np.median(each.latencies_ms))
        assert 0 < each.min_ms <= each.median_ms <= each.p90_ms <= each.p99_ms <= max(each.latencies_ms)
        assert each.load_ms > each.min_ms
    first = result.measurements[0]
    assert (first.file, first.file_bytes) == (str(binary_tflite), binary_tflite.stat().st_size)
    assert first.file_sha256 == sha256(binary_tflite)
    assert [step[:2] for step in seen] == [(done, 18) for done in range(19)]
    assert seen[1][2] == "model.tflite with lce (bgemm), 2 threads"
    names = [step[2] for step in seen]
    assert names[6:12] == names[:6][::-1]  # they take turns, and every other round goes backwards
    assert names[12:18] == names[:6]
    result.save(tmp_path / "profile.json")
    assert Profile.load(tmp_path / "profile.json") == result


def test_by_default_a_small_network_is_timed_for_half_a_second(float_tflite: Path, tmp_path: Path) -> None:
    result = profile(jobs_for(float_tflite, ["litert"]), threads=[1])
    (measured,) = result.measurements
    assert measured.runs == measured.timed_runs >= 100
    assert measured.runs * np.mean(measured.latencies_ms) > 400  # of 500 ms, as far as the sample tells
    assert len(measured.latencies_ms) == min(measured.runs, KEPT)
    result.save(tmp_path / "profile.json")
    assert (tmp_path / "profile.json").stat().st_size < 50_000


def test_a_slow_network_is_timed_a_hundred_times(monkeypatch: pytest.MonkeyPatch, float_tflite: Path) -> None:
    monkeypatch.setattr(planning, "LEAST_SECONDS", 1e-6)  # against which every network is slow
    (measured,) = profile(jobs_for(float_tflite, ["litert"]), threads=[1]).measurements
    assert measured.runs == len(measured.latencies_ms) == 100


def test_a_number_of_runs_is_exact_and_all_are_kept(float_tflite: Path) -> None:
    (measured,) = profile(jobs_for(float_tflite, ["litert"]), runs=2 * KEPT, threads=[1]).measurements
    assert measured.runs == len(measured.latencies_ms) == 2 * KEPT


def test_a_sample_has_the_quantiles_and_the_order_of_all() -> None:
    latencies = np.random.default_rng(0).lognormal(size=123_457)
    taken = np.array(sample(latencies, KEPT))
    assert len(taken) == KEPT
    assert (taken.min(), taken.max()) == (latencies.min(), latencies.max())
    for percentile in (1, 10, 50, 90, 99):
        assert np.percentile(taken, percentile) == pytest.approx(np.percentile(latencies, percentile), rel=0.02)
    places = np.searchsorted(np.sort(latencies), taken)
    in_time = np.argsort(latencies, kind="stable")[places]
    assert (np.diff(in_time) > 0).all()


def test_a_measurement_says_which_kernel_ran(binary_tflite: Path) -> None:
    assert jobs_for(binary_tflite, ["delegate"]) == [Job("delegate", "auto", binary_tflite)]
    result = profile(jobs_for(binary_tflite, ["delegate", "delegate:portable"]), runs=5, threads=[1])
    assert [each.kernel for each in result.measurements] == [kernel_name(default_isa()), kernel_name("portable")]


def test_the_binary_operators_are_timed_where_the_engine_tells_them(binary_tflite: Path, float_tflite: Path) -> None:
    jobs = [*jobs_for(binary_tflite, ["delegate", "lce:indirect_bgemm"]), *jobs_for(float_tflite, ["delegate"])]
    told, silent, floats = profile(jobs, runs=5, threads=[1]).measurements
    parts = [part for each in told.operator_times for part in each.name.split("+") if part.startswith("Lce")]
    assert parts == ["LceQuantize", "LceBconv2d", "LceBconv2d"]
    assert all(each.median_ms > 0 for each in told.operator_times)
    assert (silent.operator_times, silent.delegated_operators) == ([], None)
    assert {each.runs_in for each in floats.operator_times} <= {"litert", "xnnpack"}
    assert floats.delegated_operators == 0
    assert floats.operators == len(floats.operator_times_plain)
    assert told.peak_gmacs is not None
    assert told.peak_gmacs > 1


def test_an_instruction_set_that_is_not_there_is_refused_with_the_reason(binary_tflite: Path) -> None:
    foreign = "neon" if platform.machine() == "x86_64" else "avx2"
    with pytest.raises(MobileBnnError, match=f'option isa: unknown value "{foreign}", known are .*portable'):
        profile(jobs_for(binary_tflite, [f"delegate:{foreign}"]), runs=5, threads=[1])


class Board(Local):
    """As if the process that measures ran on a board elsewhere, which has its own names for files."""

    url = "local://board"

    def stage(self, files: Sequence[Path | str]) -> Mapping[Path, str]:
        self.staged = {f"/board/{number}": str(path) for number, path in enumerate(files)}
        return {Path(path): name for name, path in self.staged.items()}

    def measure(self, request: Request) -> Answer:
        answer = super().measure(request.model_copy(update={"path": self.staged[request.path]}))
        machine = answer.machine.model_copy(update={"cpu": "Cortex-A76", "architecture": "aarch64"})
        return answer.model_copy(update={"machine": machine, "engine_version": "9.9", "kernel": "neon_dot-2x64"})


def test_the_machine_and_the_versions_are_those_of_the_target(binary_tflite: Path) -> None:
    """Its answer counts, not what this machine is."""
    result = profile(jobs_for(binary_tflite, ["delegate"]), target=Board(), runs=5, threads=[1])
    assert (result.target, result.machine.cpu, result.machine.architecture) == (Board.url, "Cortex-A76", "aarch64")
    assert [(each.engine_version, each.kernel) for each in result.measurements] == [("9.9", "neon_dot-2x64")]
    assert result.measurements[0].file == str(binary_tflite)


def test_a_file_that_is_replaced_meanwhile_gives_no_figures(
    binary_tflite: Path, float_tflite: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(float_tflite.read_bytes())

    def replace(done: int, total: int, what: str) -> None:
        if done == 1:
            path.write_bytes(pack(read_model(float_tflite)) + b"\0")

    with pytest.raises(MobileBnnError, match=r"model\.tflite was replaced while it was measured\. Profile it again"):
        profile(jobs_for(path, ["litert"]), runs=5, threads=[1, 2], on_progress=replace)


def test_peak_memory_is_the_worker_s_own(float_tflite: Path) -> None:
    ballast = np.ones(50_000_000)  # 400 MB in this process, which a child's getrusage would report as its own
    measured = profile(jobs_for(float_tflite, ["litert"]), runs=1, warmup=0, threads=[1]).measurements[0]
    assert ballast.nbytes == 400_000_000
    assert 20e6 < measured.peak_memory_bytes < 200e6


def test_a_cap_on_the_seconds_leaves_at_least_five_runs(float_tflite: Path) -> None:
    jobs = jobs_for(float_tflite, ["litert"])
    shortest = profile(jobs, runs=100, threads=[1], max_seconds=1e-9).measurements[0]
    assert (len(shortest.latencies_ms), shortest.warmup_runs) == (15, 0)  # 5 in each of 3 rounds
    (short,) = profile(jobs, runs=10_000_000, warmup=10_000_000, threads=[1], rounds=1, max_seconds=0.2).measurements
    assert short.warmup_runs > 5
    assert 50 < sum(short.latencies_ms) < 150
    few = profile(jobs, runs=2, threads=[1]).measurements[0]
    assert len(few.latencies_ms) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"runs": 0}, "0 runs cannot be measured. Ask for 1 run or more"),
        ({"warmup": -1}, "-1 warm-up runs cannot be measured. Ask for 1 run or more, after 0 or more"),
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
