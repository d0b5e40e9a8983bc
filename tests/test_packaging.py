"""The wheel: what it holds, that nothing named zoo or converters is installed, and that it works from elsewhere."""

import email
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.tools import ROOT, tool


@pytest.fixture(scope="module")
def wheel(once):
    def make(folder):
        command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder), str(ROOT)]
        subprocess.run(command, check=True)

    (path,) = once("wheel", make).glob("*.whl")
    return path


@pytest.mark.slow
def test_one_wheel_for_every_python_of_a_platform(wheel):
    assert re.fullmatch(r"mobile_bnn-[\d.]+-py3-none-\w+_(x86_64|aarch64|arm64)\.whl", wheel.name)


def test_zoo_and_converters_are_inside_mobile_bnn_only(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mobile_bnn"}
    for needed in (
        "mobile_bnn/zoo/resnet20.py",
        "mobile_bnn/zoo/recipes/resnet20.toml",
        "mobile_bnn/converters/conversion.py",
        "mobile_bnn/report/template.html.j2",
        "mobile_bnn/runtime/native/libmobile_bnn_delegate.so",
    ):
        assert needed in names


def test_the_installed_wheel_imports_from_another_folder(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__]
import mobile_bnn.zoo, mobile_bnn.converters
assert "site" in mobile_bnn.zoo.__file__, mobile_bnn.zoo.__file__
from mobile_bnn.runtime import library_path
assert "site" in str(library_path()), library_path()
from mobile_bnn.training import Recipe
print(Recipe.of_zoo("resnet20").epochs)
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "200\n"


def test_the_wheels_description_links_to_nothing_that_it_lacks(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        record = email.message_from_bytes(archive.read(metadata))
    text = record.get_payload(decode=True).decode()
    assert record["Description-Content-Type"] == "text/markdown"
    assert text.startswith("# mobile_bnn\n")
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert "https://docs.larq.dev" in targets, "links to other sites stay"
    assert [target for target in targets if not re.match(r"https?://", target) and target not in names] == []
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in text, "what was a link is named"


@pytest.mark.parametrize("name", ["zoo", "converters", "tests"])
def test_an_editable_install_adds_no_plain_name(name, tmp_path):
    result = subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, text=True, cwd=tmp_path)
    assert f"No module named '{name}'" in result.stderr


def test_the_editable_install_imports_from_another_folder(tmp_path):
    code = "import mobile_bnn.zoo, mobile_bnn.converters"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("module", "name"), [("mobile_bnn.report.html", "template.html.j2"), ("mobile_bnn.zoo", "recipes/resnet20.toml")]
)
def test_data_files_of_an_editable_install_are_live(module, name):
    import importlib

    path = Path(importlib.import_module(module).__file__).parent / name
    assert path.is_file()
    assert path.is_relative_to(ROOT)
    assert "site-packages" not in path.parts


@pytest.mark.parametrize(("python", "fits"), [(sys.executable, True), ("no-such-python", False)])
def test_find_python(python, fits):
    result = subprocess.run(["sh", str(ROOT / "tools/find_python.sh"), python], capture_output=True, text=True)
    assert (result.returncode == 0) == fits
    if not fits:
        assert "No usable Python found: mobile_bnn needs a 64-bit Python 3.10, 3.11 or 3.12" in result.stderr
        assert "Cure: " in result.stderr


def test_building_without_a_compiler_says_so(tmp_path):
    make = tool("make")
    assert make, "make runs the README's commands"
    generator = ("-G", "Unix Makefiles", f"-DCMAKE_MAKE_PROGRAM={make}")
    command = [tool("cmake"), *generator, "-S", str(ROOT / "native"), "-B", str(tmp_path)]
    environment = {"PATH": "/nonexistent", "HOME": str(tmp_path)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode != 0
    message = " ".join(result.stderr.split())
    assert "mobile_bnn needs a C++ compiler to build its native library, and found none." in message
    assert "Cure: on Debian or Ubuntu 'apt-get install g++'" in message
