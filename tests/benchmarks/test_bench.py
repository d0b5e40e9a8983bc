"""make bench: one real run over a convolution, the tables against figures by hand, and what cannot be measured."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "benchmarks" / "bench"
sys.path.insert(0, str(BENCH))

import page  # noqa: E402
from cases import CASES  # noqa: E402
from records import BenchResult, Footprint, Latency, cpu_name, read_all  # noqa: E402

from mobile_bnn.errors import MobileBnnError, UsageError  # noqa: E402
from mobile_bnn.profiling import local_machine  # noqa: E402

CPUINFO = "processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\nstepping\t: 1\n"
ENGINES = ("LCE default", "LCE indirect_bgemm", "LCE reference", "LiteRT float", "mobile_bnn avx2")


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(BENCH), *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def result() -> BenchResult:
    times = {1: (40.0, 10.0, 20.0, 12.0, 1.0), 2: (20.0, 10.0, 20.0, 6.0, 0.5)}
    return BenchResult(
        cpu="AMD EPYC, family 26, model 2",
        machine=local_machine(),
        versions={"lce": "0.16.0"},
        rounds=3,
        threads=[1, 2],
        binary_macs={"quicknet": 1_850_000_000, "bconv_7x7x512": 100_000_000},
        latencies=[
            Latency(case=case, engine=engine, threads=threads, median_ms=value)
            for case in ("quicknet", "bconv_7x7x512")
            for threads in (1, 2)
            for engine, value in zip(ENGINES, times[threads], strict=True)
        ],
        footprints=[Footprint(engine="LCE default", start_up_ms=12.34, memory_bytes=23_400_000)],
    )


def test_a_real_run_measures_every_engine(tmp_path: Path) -> None:
    kept = tmp_path / "result.json"
    done = bench("--models", "bconv_7x7x512", "--rounds", 2, "--threads", "1,2", "--output", kept)
    assert done.returncode == 0, done.stderr
    result = BenchResult.load(kept)
    engines = result.engines()
    assert engines[:4] == ["LCE default", "LCE indirect_bgemm", "LCE reference", "LiteRT float"]
    assert engines[-1] == "mobile_bnn portable"
    assert [(item.engine, item.threads) for item in result.latencies] == [(e, t) for t in (1, 2) for e in engines]
    assert all(item.median_ms > 0 for item in result.latencies)
    assert result.binary_macs == {"bconv_7x7x512": 7 * 7 * 512 * 512 * 9}
    assert "Two threads against one" in done.stdout
    assert f"{result.latencies[0].median_ms:.3f}" in done.stdout


def test_start_up_and_memory_of_a_fresh_process(binary_tflite: Path) -> None:
    from fresh_process import start_up_and_memory

    from mobile_bnn.runtime import library_path

    start_up_ms, memory_bytes = start_up_and_memory(library_path(), "mobile_bnn portable", binary_tflite, threads=2)
    assert 0 < start_up_ms < 60_000
    assert 0 < memory_bytes < 100_000_000
    with pytest.raises(MobileBnnError, match=r"LiteRT float failed in a process of its own: .*LceQuantize"):
        start_up_and_memory(library_path(), "LiteRT float", binary_tflite, threads=1)


def test_threads_get_cores_of_their_own_and_the_main_thread_its_freedom_back() -> None:
    import os
    import threading

    from pinning import load_pinned, main_thread_pinned

    cores, seen, done = os.sched_getaffinity(0), [], threading.Event()

    def load():
        thread = threading.Thread(target=done.wait)
        thread.start()
        seen.append(thread)
        return lambda: None

    with main_thread_pinned() as others:
        load_pinned(load, others)
        assert os.sched_getaffinity(0) == {min(cores)}
        assert os.sched_getaffinity(seen[0].native_id) == {others[0]}
        done.set()
    assert os.sched_getaffinity(0) == cores


def test_ratios_scaling_and_throughput_are_those_of_the_figures(result: BenchResult) -> None:
    rows = {(table.title, row[0]): row[1:] for table in page.tables(result) for row in table.rows}
    ratios = "Times faster than LCE default / LCE indirect_bgemm / LiteRT float, "
    assert rows[f"{ratios}1 thread", "QuickNet"] == ["40.0× / 10.0× / 12.0×"]
    assert rows[f"{ratios}2 threads", "QuickNet"] == ["40.0× / 20.0× / 12.0×"]
    layer = "bconv 3×3, 7×7×512"
    assert rows["Gbit-MAC per second, 1 thread", layer] == ["100"]
    assert rows["Two threads against one", layer] == ["2.00×", "1.00×", "2.00×", "2.00×"]
    assert rows["Milliseconds per inference, 2 threads", layer] == ["20.000", "10.000", "20.000", "6.000", "0.500"]
    assert rows["QuickNetSmall in a fresh process, 1 thread", "LCE default"] == ["12.3", "23.4"]


def test_the_page_keeps_what_stands_around_the_results(result: BenchResult, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    for _ in range(2):
        page.update(path, [result])
        text = path.read_text()
        assert text.startswith(f"before\n{page.BEGIN}\n\n### AMD EPYC, family 26, model 2\n")
        assert text.endswith(f"\n{page.END}\nafter\n")
        assert text.count("40.0× / 10.0× / 12.0×") == 2
        assert "old" not in text


@pytest.mark.parametrize("text", ["", page.BEGIN, page.END + page.BEGIN, page.BEGIN + page.END + page.END])
def test_a_page_without_its_markers_is_left_alone(result: BenchResult, tmp_path: Path, text: str) -> None:
    path = tmp_path / "page.md"
    path.write_text(text)
    with pytest.raises(MobileBnnError, match="cannot be updated: it needs one <!-- make bench: begin -->"):
        page.update(path, [result])
    assert path.read_text() == text


def test_the_page_shows_the_results_that_are_kept(tmp_path: Path) -> None:
    shown = tmp_path / "performance.md"
    shown.write_bytes((ROOT / "docs" / "performance.md").read_bytes())
    page.update(shown, read_all(ROOT / "benchmarks" / "results", BenchResult))
    assert shown.read_text() == (ROOT / "docs" / "performance.md").read_text()


def test_a_cpu_is_told_from_others_of_its_brand(result: BenchResult) -> None:
    machine = result.machine.model_copy(update={"cpu": "AMD EPYC"})
    assert cpu_name(machine, CPUINFO) == "AMD EPYC, family 26, model 2"
    assert cpu_name(machine.model_copy(update={"cpu": "Raspberry Pi 4"}), "processor\t: 0\n") == "Raspberry Pi 4"
    assert result.file_name == "amd-epyc-family-26-model-2.json"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "quicknet_smal"], "unknown model 'quicknet_smal'. Did you mean quicknet_small"),
        (["--models", "quicknet,quicknet"], "--models 'quicknet,quicknet' names a model twice"),
        (["--threads", "0"], "--threads 0: 0 is out of range. Give counts of 1 to 256"),
        (["--library", "/nowhere.so"], "there is no library /nowhere.so"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(arguments: list[str], message: str) -> None:
    done = bench(*arguments)
    assert done.returncode == UsageError.exit_code
    assert done.stderr.startswith(f"error: {message}")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_file_that_is_no_library_is_refused_in_one_line() -> None:
    done = bench("--library", __file__)
    assert done.returncode == MobileBnnError.exit_code
    assert done.stderr.startswith(f"error: {__file__} cannot be loaded: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_help_tells_the_models() -> None:
    text = " ".join(bench("--help").stdout.replace("│", " ").split())
    assert all(name in text for name in CASES)
