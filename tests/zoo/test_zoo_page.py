"""docs/zoo.md and its plot are what the sources and records say."""

import re
import sys
from pathlib import Path

import pytest

from mobile_bnn import zoo
from mobile_bnn.zoo.figures import figures

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools" / "zoo_docs"))
sys.path.append(str(ROOT / "tools" / "zoo_figures"))

import latency_plot  # noqa: E402
import measure  # noqa: E402
import zoo_page  # noqa: E402

OWN = [name for name in zoo.names() if zoo.get(name).backbone.__module__.startswith("mobile_bnn.")]


def test_the_page_is_what_the_sources_say():
    """Else run tools/zoo_docs/zoo_page.py."""
    assert zoo_page.PAGE.read_text(encoding="utf-8") == zoo_page.page()


def test_the_plot_shows_what_was_measured():
    """Else run tools/zoo_docs/zoo_page.py."""
    text = zoo_page.PLOT.read_text(encoding="utf-8")
    assert latency_plot.digest() in text
    names = set(re.findall(r">([a-z0-9_]+)</text>", text))
    assert {point.name for point in latency_plot.points()} <= names


def test_nothing_on_the_front_is_beaten():
    every = latency_plot.points()
    best = latency_plot.front(every)
    for point in every:
        beaten = any(one.latency_ms <= point.latency_ms and one.top1 > point.top1 for one in every)
        assert (point in best) != beaten or any(one.top1 == point.top1 for one in best)


@pytest.mark.parametrize("name", OWN)
def test_every_network_is_measured_as_it_is_today(name):
    """Else run make zoo-figures."""
    assert figures()[name].source == measure.digest(name)


def test_every_network_converts_within_a_minute():
    assert max(each.convert_s for each in figures().values()) < 60


def test_the_zoo_has_what_was_asked_for():
    assert len(OWN) >= 40
