"""Which targets there are to measure on: this machine, phones that adb knows, boards that were reached before."""

import json
import os
import shlex
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import write_text
from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.profiling.messages import TargetInfo
from mobile_bnn.profiling.targets import connect

_MOST_REMEMBERED = 50


@dataclass(frozen=True)
class Candidate:
    """A target that may be asked.

    Attributes:
        url: what `connect` takes.
        state: what is known of it without asking: ready, or why not.
    """

    url: str
    state: str


@dataclass(frozen=True)
class Found:
    """All that is known without asking any.

    Attributes:
        candidates: the targets.
        notes: where none could be looked for, and why: adb is not installed.
    """

    candidates: list[Candidate]
    notes: list[str]


def find_targets(home: Path | None = None) -> Found:
    """The targets that are known here; nothing is asked over a network.

    Args:
        home: whose .ssh/config is read; by default the user's.
    """
    local = Candidate("local", f"this machine, {local_machine().cpu}")
    notes: list[str] = []
    try:
        phones = _phones()
    except MobileBnnError as error:
        phones, notes = [], [str(error)]
    boards = [Candidate(url, "reached before") for url in remembered()]
    known = {each.url for each in boards}
    named = [f"ssh://{name}" for name in ssh_names(home or Path.home())]
    boards += [Candidate(url, "named in ~/.ssh/config, never reached") for url in named if url not in known]
    return Found([local, *phones, *boards], notes)


def describe(url: str) -> TargetInfo:
    """Asks one target what it is, and remembers that it can be reached.

    Raises:
        UsageError: there is no such kind of target, or the URL is malformed.
        MobileBnnError: it cannot be reached, or lacks what answers there.
    """
    with closing(connect(url)) as target:
        info = target.describe()
    remember(url)
    return info


def remember(url: str) -> None:
    """Keeps the URL of a board for `find_targets`; where that cannot be written, nothing is kept."""
    if not url.startswith("ssh://"):
        return  # adb tells its phones itself
    urls = [url, *(other for other in remembered() if other != url)][:_MOST_REMEMBERED]
    try:
        write_text(_memory(), json.dumps(urls, indent=1) + "\n")
    except OSError:
        return


def remembered() -> list[str]:
    """The boards that were reached before, the last one first."""
    try:
        urls = json.loads(_memory().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []


def _memory() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "mobile_bnn" / "targets.json"


def ssh_names(home: Path) -> list[str]:
    """The hosts that .ssh/config names, without patterns; files that it includes are not read."""
    try:
        text = (home / ".ssh" / "config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    names = [name for line in text.splitlines() for name in _names(line)]
    return list(dict.fromkeys(name for name in names if not set("*?!") & set(name)))


def _names(line: str) -> Iterable[str]:
    keyword, _, rest = line.strip().replace("=", " ", 1).partition(" ")
    if keyword.lower() != "host":
        return []
    try:
        return shlex.split(rest)
    except ValueError:  # a quote that never ends
        return []


def _phones() -> list[Candidate]:
    from mobile_bnn.profiling.android.device import known_devices

    return [
        Candidate(f"adb://{serial}", "ready" if state == "device" else state)
        for serial, state in known_devices().items()
    ]
