"""`compare` and `trend`: profiles beside each other, of two runs or of a folder that collects them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile_bnn.errors import UsageError
from mobile_bnn.pipeline.locate import run_or_file
from mobile_bnn.pipeline.results import Shown
from mobile_bnn.pipeline.watcher import Watcher
from mobile_bnn.profile_records import Profile
from mobile_bnn.wording import plural

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobile_bnn.report.comparison import Compared as _Compared


@dataclass(frozen=True)
class Compared(Shown):
    """Two profiles beside each other."""

    found: "_Compared"

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        from mobile_bnn.report.comparison import table
        from mobile_bnn.report.layout import Fitted

        remarks = [Text(remark, style="yellow") for remark in self.found.remarks]
        only = [Text(line, style="dim") for line in self.found.only]
        return Group(Fitted(table(self.found)), *only, *remarks)

    def as_json(self) -> dict[str, Any]:
        """The figures as plain dicts and lists; docs/json.md lists them."""
        rows = [row.model_dump() for row in self.found.rows]
        return {"measurements": rows, "only": self.found.only, "remarks": self.found.remarks}

    def slower_than(self, share: float) -> list[str]:
        """A line for each measurement that is significantly slower by more than a share, 0 to 1."""
        return [
            f"{row.file} with {row.engine} {row.kernel}, {plural(row.threads, 'thread')}, "
            f"is {row.median_ratio - 1:.1%} slower"
            for row in self.found.slower_than(share)
        ]


def compare(before: Path | str, after: Path | str, *, target: str = "local") -> Compared:
    """What has changed from one profile to another.

    Args:
        before: a profile, a run folder, or a .tflite with its profiles beside it.
        after: the same.
        target: whose profile of a run.

    Raises:
        UsageError: there is no such profile, or they have no measurement in common.
        MobileBnnError: a profile is damaged or of another version.
    """
    from mobile_bnn.report.comparison import compare as compare_profiles

    found = compare_profiles(load(before, target), load(after, target))
    if not found.rows:
        raise UsageError(
            f"{before} and {after} have no measurement in common",
            why="engine, threads, cores and kind of file must be the same",
            cure="Profile both with the same options",
        )
    return Compared(found)


def load(path: Path | str, target: str = "local") -> Profile:
    """The profile that a path means.

    Raises:
        UsageError: there is none.
        MobileBnnError: it is damaged or of another version.
    """
    path = Path(path)
    if path.is_file() and path.suffix != ".tflite":
        return Profile.load(path)
    run = run_or_file(path)
    profiles = {profile.target: profile for profile in map(Profile.load, run.profiles())}
    if target in profiles:
        return profiles[target]
    if profiles:
        raise UsageError(f"{path} has no profile of {target}", cure=f"--target takes {' or '.join(profiles)}")
    raise UsageError(f"{path} has no profile", cure=f"mbnn profile {path} makes one")


@dataclass(frozen=True)
class Trend(Shown):
    """The profiles of a folder, in the order of time."""

    profiles: list[Profile]

    def __rich__(self) -> "RenderableType":
        from mobile_bnn.report.comparison import trend as trend_table
        from mobile_bnn.report.layout import Fitted

        return Fitted(trend_table(self.profiles))

    def as_json(self) -> dict[str, Any]:
        """The medians of each profile, oldest first."""
        return {
            "target": self.profiles[-1].target,
            "profiles": [
                {
                    "measured_at": profile.measured_at,
                    "measurements": [
                        {
                            "engine": each.engine,
                            "kernel": each.kernel,
                            "threads": each.threads,
                            "cores": each.cores,
                            "file": Path(each.file).name,
                            "median_ms": each.median_ms,
                            "throttled": each.throttled,
                        }
                        for each in profile.measurements
                    ],
                }
                for profile in self.profiles
            ],
        }


def trend(folder: Path | str, target: str = "local", *, watcher: Watcher | None = None) -> Trend:
    """The profiles of one target in a folder that `mbnn profile --history` filled.

    Raises:
        UsageError: there is no such folder, or no profile of that target in it.
    """
    from mobile_bnn.profiling import history

    told = watcher or Watcher()
    found = [profile for _, profile in history.read(folder, lambda _, error: told.warn("left out", str(error)))]
    own = [profile for profile in found if profile.target == target]
    if not own:
        others = sorted({profile.target for profile in found})
        raise UsageError(f"{folder} holds no profile of {target}", cure=f"--target takes {' or '.join(others)}")
    return Trend(own)
