"""`compare` and `trend`: profiles beside each other, of several runs or of a folder that collects them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile_bnn.errors import UsageError
from mobile_bnn.pipeline.locate import run_or_file
from mobile_bnn.pipeline.results import Shown
from mobile_bnn.pipeline.watcher import Watcher
from mobile_bnn.profile_records import Profile

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobile_bnn.report.comparison import ProfileChange
    from mobile_bnn.report.trends import Trend


@dataclass(frozen=True)
class Compared(Shown):
    """Profiles against the first of them.

    Attributes:
        baseline: the path of the first one.
        found: for each further path what has changed.
    """

    baseline: str
    found: "list[tuple[str, ProfileChange]]"

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        from mobile_bnn.report.comparison import table
        from mobile_bnn.report.formats import printable
        from mobile_bnn.report.layout import Fitted

        parts: list[RenderableType] = []
        for path, change in self.found:
            caption = f"{printable(path)} (after) against {printable(self.baseline)} (before), with 95 % intervals"
            shown, styles = table(change, caption)
            parts += [Text(f"NOT COMPARABLE: {why}", style="bold red") for why in change.not_comparable]
            parts.append(Fitted(shown, row_styles=styles))
            parts += [Text(f"only before: {words}", style="dim") for words in change.only_before]
            parts += [Text(f"only after: {words}", style="dim") for words in change.only_after]
            parts += [Text(remark, style="yellow") for remark in change.remarks]
        return Group(*parts)

    def as_json(self) -> dict[str, Any]:
        """The figures as plain dicts and lists; docs/json.md lists them."""
        return {
            "baseline": self.baseline,
            "comparisons": [{"profile": path, **change.model_dump()} for path, change in self.found],
            "folder": None,
            "trends": [],
        }

    def slower_than(self, share: float) -> list[str]:
        """A line for each median that is more than a share slower (0.05 is 5 %), unless that may be chance.

        Raises:
            UsageError: the share is not above 0.
        """
        if not share > 0:
            raise UsageError(f"a limit of {share * 100:g} % cannot be kept", cure="Give a number above 0")
        lines = [(path, line) for path, change in self.found for line in change.slower_than(share)]
        return [f"{path}: {line}" if len(self.found) > 1 else line for path, line in lines]


def compare(before: Path | str, *after: Path | str, target: str | None = None) -> Compared:
    """What has changed from one profile to others.

    Args:
        before: a profile, a run folder, or a .tflite with its profiles beside it.
        after: the same, one or more.
        target: whose profile of a run; by default this machine's, or the only one that there is.

    Raises:
        UsageError: there is no such profile, or one has no measurement in common with the first.
        MobileBnnError: a profile is damaged or of another version.
    """
    from mobile_bnn.report.comparison import compare as compare_profiles

    if not after:
        raise UsageError("one profile cannot be compared", cure="Name two or more")
    first, found = load(before, target), []
    for path in after:
        change = compare_profiles(first, load(path, target))
        if not change.measurements:
            raise UsageError(
                f"{before} and {path} have no measurement in common",
                why="engine, threads, cores and kind of file must be the same",
                cure="Profile both with the same options",
            )
        found.append((str(path), change))
    return Compared(str(before), found)


def load(path: Path | str, target: str | None = None) -> Profile:
    """The profile that a path means.

    Args:
        path: a profile, a run folder, or a .tflite with its profiles beside it.
        target: whose of a run; by default this machine's, or the only one that there is.

    Raises:
        UsageError: there is none, or one of several targets must be named.
        MobileBnnError: it is damaged or of another version.
    """
    path = Path(path)
    if path.is_file() and path.suffix != ".tflite":
        return Profile.load(path)
    run = run_or_file(path)
    profiles = {profile.target: profile for profile in map(Profile.load, run.profiles())}
    if not profiles:
        raise UsageError(f"{path} has no profile", cure=f"mbnn profile {path} makes one")
    asked = target or "local"
    if asked not in profiles and target is None and len(profiles) == 1:
        (asked,) = profiles
    if asked not in profiles:
        raise UsageError(f"{path} has no profile of {asked}", cure=f"--target takes {' or '.join(profiles)}")
    return profiles[asked]


@dataclass(frozen=True)
class Trends(Shown):
    """The profiles of a folder over time.

    Attributes:
        folder: its path.
        profiles: how many profiles it holds.
        found: the trend of each measurement on each machine.
    """

    folder: str
    profiles: int
    found: "list[Trend]"

    def __rich__(self) -> "RenderableType":
        from rich.console import Group

        from mobile_bnn.report.layout import Fitted
        from mobile_bnn.report.trends import tables

        return Group(*map(Fitted, tables(self.found)))

    def as_json(self) -> dict[str, Any]:
        """The figures as plain dicts and lists; docs/json.md lists them."""
        trends = [each.model_dump() for each in self.found]
        return {"baseline": None, "comparisons": [], "folder": self.folder, "trends": trends}

    def write(self, path: Path | str) -> Path:
        """Writes one HTML page that opens without a network, and returns where.

        Raises:
            MobileBnnError: matplotlib is not installed.
            OSError: it cannot be written.
        """
        from mobile_bnn.report.trend_page import write_trend_page

        return write_trend_page(self.found, path, Path(self.folder).resolve().name, self.profiles)


def trend(folder: Path | str, *, target: str | None = None, watcher: Watcher | None = None) -> Trends:
    """The profiles in a folder that `mbnn profile --history` filled; damaged files are left out with a warning.

    Args:
        folder: which holds them.
        target: whose; by default of every target.
        watcher: is told of damaged files.

    Raises:
        UsageError: there is no such folder, or no profile of that target in it.
    """
    from mobile_bnn.profiling import history
    from mobile_bnn.report.trends import trends

    told = watcher or Watcher()
    found = [profile for _, profile in history.read(folder, lambda _, error: told.warn("left out", str(error)))]
    own: Sequence[Profile] = [profile for profile in found if target in (None, profile.target)]
    if not own:
        others = sorted({profile.target for profile in found})
        raise UsageError(f"{folder} holds no profile of {target}", cure=f"--target takes {' or '.join(others)}")
    return Trends(str(folder), len(own), trends(own))
