"""The profiles of a history folder over time: tables, JSON and the page."""

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling import history
from mobile_bnn.report.trend_page import write_trend_page
from mobile_bnn.report.trends import sparkline, trends
from tests.report.test_compared_profiles import measurement, profile, run


def at(month: int) -> str:
    return f"2026-{month:02}-01T00:00:00+00:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three profiles of this machine, the newest the fastest; one of a board; a damaged file."""
    for month, speed in ((1, 1.0), (2, 2.0), (3, 0.5)):
        history.add(profile(measurement(speed=speed, seed=month), measured_at=at(month)), tmp_path / "all")
    slow = measurement(speed=9.0, throttled=True)
    history.add(profile(slow, target="ssh://pi@board", board="Pi", measured_at=at(4)), tmp_path / "all")
    (tmp_path / "all" / "damaged.json").write_text("{")
    return tmp_path / "all"


def test_a_sparkline() -> None:
    assert sparkline([1, 2, 3, 8]) == "▁▂▃█"
    assert sparkline([5, 5]) == "▁▁"
    assert len(sparkline(list(range(100)))) == 24


def test_against_the_last_and_the_best() -> None:
    profiles = [profile(measurement(speed=speed), measured_at=at(n)) for n, speed in enumerate((1, 0.8, 1.2), 1)]
    (found,) = trends(profiles)
    assert found.against_last == pytest.approx(1.5)
    assert found.against_last_significant is True
    assert found.against_best == pytest.approx(1.5)
    assert [point.measured_at for point in found.points] == [at(1), at(2), at(3)]


def test_a_throttled_one_is_not_the_best_and_a_first_one_has_no_last() -> None:
    fast = measurement(speed=0.1, throttled=True)
    (found,) = trends([profile(fast, measured_at=at(1)), profile(measurement(), measured_at=at(2))])
    assert found.against_best == 1.0
    (first,) = trends([profile(fast)])
    assert (first.against_last, first.against_last_significant, first.against_best) == (None, None, None)


def test_each_file_of_a_history_has_a_trend_of_its_own() -> None:
    one, other = measurement(file="runs/a/model.tflite"), measurement(file="runs/b/model.tflite", speed=3.0)
    found = trends([profile(one), profile(other), profile(one)])
    assert [(each.file, len(each.points)) for each in found] == [("a/model.tflite", 2), ("b/model.tflite", 1)]
    assert found[0].against_last == 1.0


def test_other_machines_have_trends_of_their_own() -> None:
    found = trends([profile(measurement()), profile(measurement(), cpu="B"), profile(measurement(), emulated=True)])
    assert [(each.cpu, each.emulated, len(each.points)) for each in found] == [
        ("A", False, 1),
        ("B", False, 1),
        ("A", True, 1),
    ]


def test_the_command(folder: Path) -> None:
    code, text = run("compare", "--history", folder)
    assert code == 0
    assert re.search("[▃▄]█▁", text)
    assert f"left out: {folder / 'damaged.json'} is not a profile file" in text
    assert "faster" in text
    assert "the first (throttled)" in text
    assert "Trend on ssh://pi@board, Pi" in text
    code, text = run("compare", "--history", folder, "--target", "local", "--json")
    (found,) = json.loads(text[text.index("{\n") :])["trends"]
    assert [round(point["median_ms"]) for point in found["points"]] == [2, 4, 1]
    code, text = run("compare", "--history", folder, "--target", "adb://X")
    assert code == 2
    assert "holds no profile of adb://X. --target takes local or ssh://pi@board" in text


def test_a_folder_without_profiles(tmp_path: Path) -> None:
    code, text = run("compare", "--history", tmp_path)
    assert (code, "holds no profile. mbnn profile --history adds one" in text) == (2, True)
    code, text = run("compare", "--history", tmp_path / "none")
    assert (code, f"there is no folder {tmp_path / 'none'}" in text) == (2, True)


def test_the_page(folder: Path, tmp_path: Path) -> None:
    code, text = run("compare", "--history", folder, "--output", tmp_path / "trend.html")
    assert code == 0
    assert f"trend {tmp_path / 'trend.html'}" in text
    page = (tmp_path / "trend.html").read_text(encoding="utf-8")
    assert len(page) < 300_000
    assert "<script" not in page
    assert not re.search("(?:src|href)=[\"'](?!#)", page)
    charts = re.findall("<svg.*?</svg>", page, re.DOTALL)
    assert len(charts) == 2
    identifiers = []
    for chart in charts:
        tree = ElementTree.fromstring(chart)  # well-formed
        identifiers += [each.attrib["id"] for each in tree.iter() if "id" in each.attrib]
    assert len(identifiers) == len(set(identifiers))
    assert "median (ms)" in charts[0]
    assert "#010203" not in page


def test_a_long_history_stays_small(tmp_path: Path) -> None:
    names = [f"m{number}.tflite" for number in range(14)]
    many = []
    for day in range(250):
        moment = f"2026-01-01T{day // 60:02}:{day % 60:02}:00+00:00"
        own = measurement(latencies_ms=[1.0, 1.1], rounds=[], median_low_ms=1.0, median_high_ms=1.0 + day / 100)
        every = [own.model_copy(update={"file": name, "threads": count}) for name in names for count in (1, 2)]
        many.append(profile(*every, measured_at=moment))
    found = trends(many)
    page = write_trend_page(found, tmp_path / "long.html", "<b>history", 250).read_text(encoding="utf-8")
    assert len(page) < 300_000
    assert page.count("<svg") == 12
    assert "2 charts left out; the tables have all." in page
    assert "<b>history" not in page


def test_without_matplotlib(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    found = trends([profile(measurement())])
    with pytest.raises(MobileBnnError, match=r"matplotlib is not installed. pip install 'mobile-bnn\[report\]'"):
        write_trend_page(found, tmp_path / "trend.html", "history", 1)
    assert not (tmp_path / "trend.html").exists()
