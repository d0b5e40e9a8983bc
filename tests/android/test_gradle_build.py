"""The Gradle build, which cannot be run here: its syntax as far as it can be read; all that it names is there."""

import re
from pathlib import Path

import pytest
import tomlkit

from tests.support.tools import ROOT

DEMO = ROOT / "android_demo"
SCRIPTS = [DEMO / name for name in ("settings.gradle", "build.gradle", "app/build.gradle", "library/build.gradle")]
CLOSES = {")": "(", "]": "[", "}": "{"}


def without_texts_and_comments(script: str) -> str:
    return re.sub(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"', "", script)


def unbalanced(script: str) -> str | None:
    """The first bracket that has no partner."""
    opened: list[str] = []
    for character in without_texts_and_comments(script):
        if character in CLOSES.values():
            opened.append(character)
        elif character in CLOSES and (not opened or opened.pop() != CLOSES[character]):
            return character
    return opened[-1] if opened else None


def catalogue() -> dict[str, dict[str, object]]:
    return tomlkit.parse((DEMO / "gradle" / "libs.versions.toml").read_text()).unwrap()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(DEMO)))
def test_brackets_and_quotes_are_closed(script: Path) -> None:
    text = script.read_text()
    assert unbalanced(text) is None
    assert all(line.count('"') % 2 == 0 for line in text.splitlines())


def test_the_check_of_brackets_notices_a_missing_one() -> None:
    assert unbalanced('android {\n  x = "}"\n') == "{"
    assert unbalanced("a(b]") == "]"


def test_the_catalogue_has_every_version_once() -> None:
    found = catalogue()
    for section in ("libraries", "plugins"):
        for entry in found[section].values():
            assert isinstance(entry, dict)
            assert set(entry) <= {"module", "id", "version"}
            assert entry["version"]["ref"] in found["versions"]
    for script in SCRIPTS:
        assert not re.search(r'version\s+"', script.read_text()), f"{script} has a version of its own"


def test_scripts_name_only_what_the_catalogue_has() -> None:
    found = catalogue()
    known = {f"libs.{name.replace('-', '.')}" for name in found["libraries"]}
    known |= {f"libs.plugins.{name.replace('-', '.')}" for name in found["plugins"]}
    known |= {f"libs.versions.{name}" for name in found["versions"]}
    for script in SCRIPTS:
        named = set(re.findall(r"\blibs\.[\w.]+?(?=\.get\(\)|\)|\s|$)", script.read_text()))
        assert named <= known, named - known


def test_the_source_folders_and_files_exist() -> None:
    modules = re.findall(r'":(\w+)"', (DEMO / "settings.gradle").read_text())
    assert set(modules) == {"library", "app"}
    for module in modules:
        assert (DEMO / module / "build.gradle").is_file()
        assert (DEMO / module / "src" / "main" / "AndroidManifest.xml").is_file()
        assert list((DEMO / module / "src" / "main" / "java").rglob("*.java"))
    assert (DEMO / "library" / "src" / "main" / "cpp" / "CMakeLists.txt").is_file()
    assert (DEMO / "library" / "proguard.txt").is_file()
    assert (DEMO / "app" / "src" / "main" / "res").is_dir()


def test_both_builds_agree() -> None:
    versions = catalogue()["versions"]
    resources = (ROOT / "tools" / "android" / "resources.py").read_text()
    assert f"MIN_SDK, TARGET_SDK = {versions['minSdk']}, {versions['targetSdk']}" in resources
    project = tomlkit.parse((ROOT / "pyproject.toml").read_text()).unwrap()["project"]["version"]
    assert f'versionName = "{project}"' in (DEMO / "app" / "build.gradle").read_text()


def test_the_wrapper_fetches_gradle_from_gradle() -> None:
    wrapper = (DEMO / "gradle" / "wrapper" / "gradle-wrapper.properties").read_text()
    assert re.search(
        r"^distributionUrl=https\\://services\.gradle\.org/distributions/gradle-[\d.]+-bin\.zip$", wrapper, re.M
    )
