"""The demo's resources: both languages say the same things, and nothing is on the left or the right by name."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.tools import ROOT

RESOURCES = ROOT / "android_demo/app/src/main/res"
SIDES = re.compile(r"(Left|Right)=|\"(left|right)(\||\")|\|(left|right)\b")  # start and end follow the language
PLACEHOLDER = re.compile(r"%\d\$[ds]|%%")


def texts(language: str) -> dict[str, list[str]]:
    """The texts by name; of a plural all of its forms."""
    root = ElementTree.parse(RESOURCES / language / "strings.xml").getroot()
    return {each.attrib["name"]: [text or "" for text in (each.text, *(item.text for item in each))] for each in root}


def test_german_says_what_english_says() -> None:
    english, german = texts("values"), texts("values-de")
    assert list(german) == list(english)
    assert len(english) > 100
    for name, forms in english.items():
        placeholders = [sorted(PLACEHOLDER.findall(form)) for form in forms]
        assert [sorted(PLACEHOLDER.findall(form)) for form in german[name]] == placeholders, name


def test_every_text_is_used() -> None:
    sources = [*ROOT.glob("android_demo/app/src/main/java/**/*.java"), *RESOURCES.glob("**/*.xml")]
    sources.append(ROOT / "android_demo/app/src/main/AndroidManifest.xml")
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    unused = [name for name in texts("values") if not re.search(rf"(string/|string\.|plurals\.){name}\b", code)]
    assert unused == []


@pytest.mark.parametrize("path", sorted(RESOURCES.glob("**/*.xml")), ids=lambda path: str(path.relative_to(RESOURCES)))
def test_layouts_follow_the_direction_of_reading(path: Path) -> None:
    assert SIDES.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [('android:paddingLeft="4dp"', True), ('android:gravity="top|right"', True), ('android:gravity="end"', False)],
)
def test_the_search_for_sides_finds_them(line: str, wrong: bool) -> None:
    assert bool(SIDES.search(line)) == wrong
