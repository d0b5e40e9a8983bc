"""The description in the package's metadata: README.md without links to files of the repository.

A wheel has no docs/, and where it is installed from has no such pages beside it. scikit-build-core calls
`dynamic_metadata` when it builds, as pyproject.toml says; the links to other sites stay.
"""

import re
from collections.abc import Mapping
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
_ELSEWHERE = r"(?!\w+:|#)"  # https://, mailto:, and headings of this very page stay
_IMAGE = re.compile(rf"!\[([^\]]*)\]\({_ELSEWHERE}([^)]+)\)")
_LINK = re.compile(rf"\[([^\]]+)\]\({_ELSEWHERE}([^)]+)\)")


def package_text(markdown: str) -> str:
    """Markdown whose links to files are plain text that names the file."""
    return _LINK.sub(_named, _IMAGE.sub(r"\1: \2", markdown)) + "\nThe files of docs/ are in the source distribution.\n"


def _named(link: re.Match[str]) -> str:
    text, target = link.groups()
    return text if text == target else f"{text} ({target})"


def dynamic_metadata(settings: Mapping[str, object], project: Mapping[str, object]) -> dict[str, object]:
    """The fields of [project] that are made when the package is built."""
    del settings, project
    text = package_text(README.read_text(encoding="utf-8"))
    return {"readme": {"content-type": "text/markdown", "text": text}}
