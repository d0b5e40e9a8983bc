"""make bench-conversion: one real run of a small model, the table against figures by hand, the page's markers."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CONVERSION = ROOT / "benchmarks" / "conversion"
sys.path.extend(str(ROOT / "benchmarks" / folder) for folder in ("bench", "conversion"))

import conversion_page  # noqa: E402
from conversion_record import ConversionResult, Figure  # noqa: E402
from one_conversion import CONVERTERS, FLOAT, LCE, OURS, VERIFIED, measure  # noqa: E402
from records import read_all  # noqa: E402

from mobile_bnn.errors import MobileBnnError, UsageError  # noqa: E402
from mobile_bnn.profiling import local_machine  # noqa: E402

MODEL = "binary_lenet"


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(CONVERSION), *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def result() -> ConversionResult:
    figures = {LCE: (6.0, 8.0, 500_000_000, 170_000_000), OURS: (0.5, 0.4, 50_000_000, 23_870_000)}
    return ConversionResult(
        cpu="AMD EPYC, family 26, model 2",
        machine=local_machine(),
        versions={"larq-compute-engine": "0.16.0"},
        rounds=3,
        figures=[
            Figure(model="xnornet", converter=name, **dict(zip(list(Figure.model_fields)[2:], values, strict=True)))
            for name, values in figures.items()
        ],
    )


def file_bytes() -> dict[str, int]:
    """What the converters make of the model, in this process; a verified file has its record besides."""
    from mobile_bnn import zoo
    from mobile_bnn.converters.keras.lce_converter import to_binary, to_float
    from mobile_bnn.converters.lowering import lower
    from mobile_bnn.converters.source import Source
    from mobile_bnn.legacy_keras import tf
    from mobile_bnn.training import Recipe

    tf.keras.backend.clear_session()  # names are in the file, and count the layers that other tests have built
    model = zoo.build(MODEL, Recipe.of_zoo(MODEL).method)
    source = Source.of_keras(model)
    lower(source.model.graphs[0], source.quantized)
    return {OURS: len(source.model.write()), LCE: len(to_binary(model)), FLOAT: len(to_float(model))}


@pytest.mark.slow
def test_a_real_run_measures_every_converter(tmp_path: Path) -> None:
    page = conversion_page.PAGE.read_bytes()
    kept = tmp_path / "result.json"
    done = bench("--models", MODEL, "--rounds", 1, "--output", kept)
    assert done.returncode == 0, done.stderr
    found = ConversionResult.load(kept)
    assert [(figure.model, figure.converter) for figure in found.figures] == [(MODEL, name) for name in CONVERTERS]
    size = {figure.converter: figure.file_bytes for figure in found.figures}
    assert 0 < size.pop(VERIFIED) - size[OURS] < 2000
    assert size == file_bytes()
    assert all(figure.seconds > 0 and figure.cpu_seconds > 0 for figure in found.figures)
    assert all(0 < figure.memory_bytes < 2_000_000_000 for figure in found.figures)
    rows = conversion_page.table(found).rows
    shown = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith(MODEL)]
    assert [line.split()[-7:] for line in shown] == [" ".join(row).split()[-7:] for row in rows]
    assert conversion_page.PAGE.read_bytes() == page


def test_ratios_are_those_of_the_figures(result: ConversionResult) -> None:
    table = conversion_page.table(result)
    assert table.rows == [
        ["xnornet: LCE", "6.00", "8.00", "500", "170.00", "1.0×", "1.0×"],
        ["xnornet: ours", "0.50", "0.40", "50", "23.87", "12.0×", "10.0×"],
    ]
    assert table.head[-2:] == ["LCE's seconds", "LCE's memory"]
    assert len(table.head) == len(table.rows[0])


def test_only_what_stands_between_its_own_markers_is_replaced(result: ConversionResult, tmp_path: Path) -> None:
    page = conversion_page.PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(conversion_page.BEGIN)
    after = rest.partition(conversion_page.END)[2]
    path = tmp_path / "page.md"
    path.write_text(page, encoding="utf-8")
    conversion_page.update(path, [result])
    text = path.read_text(encoding="utf-8")
    assert text.startswith(before + conversion_page.BEGIN)
    assert text.endswith(conversion_page.END + after)
    shown = text.removeprefix(before).removesuffix(after)
    assert [line for line in shown.splitlines() if line.startswith("| ")][2:] == [
        "| xnornet: LCE | 6.00 | 8.00 | 500 | 170.00 | 1.0× | 1.0× |",
        "| xnornet: ours | 0.50 | 0.40 | 50 | 23.87 | 12.0× | 10.0× |",
    ]


def test_a_page_without_its_markers_is_left_alone(result: ConversionResult, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("<!-- make bench: begin --><!-- make bench: end -->")
    with pytest.raises(MobileBnnError, match="cannot be updated: it needs one <!-- make bench-conversion: begin -->"):
        conversion_page.update(path, [result])
    assert path.read_text() == "<!-- make bench: begin --><!-- make bench: end -->"


def test_the_page_shows_the_results_that_are_kept(tmp_path: Path) -> None:
    shown = tmp_path / "performance.md"
    shown.write_bytes(conversion_page.PAGE.read_bytes())
    conversion_page.update(shown, read_all(ROOT / "benchmarks" / "results" / "conversion", ConversionResult))
    assert shown.read_bytes() == conversion_page.PAGE.read_bytes()


def one_line(done: subprocess.CompletedProcess[str], error: Any) -> str:
    assert done.returncode == error.exit_code
    (line,) = done.stderr.strip().splitlines()
    return line


def test_what_cannot_be_measured_is_refused_in_one_line() -> None:
    line = one_line(bench("--models", "binary_lenet,quicknet_smal"), UsageError)
    assert line.startswith("error: unknown zoo model 'quicknet_smal'. Did you mean quicknet_small")


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(MobileBnnError, match=r"ours on nothing failed in a process of its own: .*unknown zoo"):
        measure(OURS, "nothing")
