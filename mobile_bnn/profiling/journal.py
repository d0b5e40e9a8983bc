"""What a session has measured so far, on disk: a lost connection or Ctrl-C costs one measurement, not all.

A line of JSON for each answer. The last one may be cut off by a kill -9; it is then measured anew.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import write_text
from mobile_bnn.profiling.messages import Answer, Request


class Journal:
    """The answers of a session by what was asked for; without a path it keeps nothing on disk."""

    def __init__(self, path: Path | None = None, *, resume: bool = False) -> None:
        self._path = path
        self._answers = _read(path) if path and resume else {}
        if path and path.exists():  # without a line that was cut off, to which the next one would be appended
            self._write(lambda: write_text(path, "".join(_line(*each) for each in self._answers.items())))

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, key: str) -> Answer | None:
        """The answer to a question, from this session or from the one that it goes on with."""
        return self._answers.get(key)

    def add(self, key: str, answer: Answer) -> None:
        """Keeps an answer; it is on disk before this returns, unless nothing can be written there."""
        self._answers[key] = answer
        self._write(lambda: self._append(_line(key, answer)))

    def _append(self, line: str) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _write(self, write: Callable[[], None]) -> None:
        """Gives the disk up where it is full or may not be written: what was measured is worth more than its copy."""
        try:
            write()
        except OSError:
            path, self._path = self._path, None
            with suppress(OSError):  # what a full disk has room for: a name without content
                if path is not None and path.stat().st_size == 0:
                    path.unlink()

    def close(self) -> None:
        """Removes it from disk: the session has ended, and its record is kept elsewhere."""
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def question_key(request: Request, contents: Sequence[str], number: int, url: str) -> str:
    """What identifies a measurement: what was asked for, of which bytes (SHA-256), in which round, of which target."""
    asked = request.model_dump(mode="json", exclude={"path", "inputs"})
    text = json.dumps([asked, list(contents), number, url], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _line(key: str, answer: Answer) -> str:
    return json.dumps({"key": key, "answer": answer.model_dump(mode="json")}) + "\n"


def _read(path: Path) -> dict[str, Answer]:
    try:
        lines: Sequence[str] = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    return dict(filter(None, map(_entry, lines)))


def _entry(line: str) -> tuple[str, Answer] | None:
    """A line's key and answer; None if it was cut off or is of another version: that is measured anew."""
    try:
        entry = json.loads(line)
        return str(entry["key"]), Answer.parse(json.dumps(entry["answer"]).encode("utf-8"), "the journal")
    except (ValueError, KeyError, TypeError, MobileBnnError):
        return None
