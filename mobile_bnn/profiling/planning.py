"""What a session measures and in which order: every job at every setting, in rounds that take turns."""

from collections.abc import Sequence
from dataclasses import dataclass

from mobile_bnn.errors import UsageError
from mobile_bnn.names import unknown
from mobile_bnn.profile_records import Machine
from mobile_bnn.profiling.jobs import Job
from mobile_bnn.wording import plural

# Unless a number of runs is asked for. A network of 5 microseconds would else be judged by half a millisecond.
LEAST_RUNS = 100
LEAST_SECONDS = 0.5
ROUNDS = 3


@dataclass(frozen=True)
class Setting:
    """A job with the threads and the cores that it is measured with.

    Attributes:
        cores: all, big, middle or little; empty: pinned to none.
        cpus: their numbers; empty: pinned to none.
    """

    job: Job
    threads: int
    cores: str = ""
    cpus: tuple[int, ...] = ()

    def __str__(self) -> str:
        where = f" on {self.cores} cores" if self.cores else ""
        return (
            f"{self.job.path.name} with {self.job.engine} ({self.job.kernel}), {plural(self.threads, 'thread')}{where}"
        )


@dataclass(frozen=True)
class Amount:
    """How much is measured of each setting.

    Attributes:
        runs: inferences to time, exactly so many; None: at least LEAST_RUNS, and LEAST_SECONDS of them.
        warmup: inferences before that in each round; None: until their times are stable.
        rounds: processes, each of which times its part.
        max_seconds: a cap on all of it; past it there are fewer runs, but at least 5 in each round.
    """

    runs: int | None = None
    warmup: int | None = None
    rounds: int = ROUNDS
    max_seconds: float = 30.0

    def __post_init__(self) -> None:
        runs = LEAST_RUNS if self.runs is None else self.runs
        if runs < 1 or (self.warmup or 0) < 0:
            what = plural(runs, "run") if runs < 1 else plural(self.warmup or 0, "warm-up run")
            raise UsageError(f"{what} cannot be measured", cure="Ask for 1 run or more, after 0 or more")
        if self.rounds < 1:
            raise UsageError(f"{plural(self.rounds, 'round')} cannot be measured", cure="Ask for 1 round or more")
        if not self.max_seconds > 0:
            raise UsageError(f"a cap of {self.max_seconds} seconds cannot be kept", cure="Give a number above 0")
        object.__setattr__(self, "rounds", min(self.rounds, runs))

    def runs_in(self, number: int) -> int:
        """How many runs a round times, at least; rounds are counted from 0."""
        share, rest = divmod(LEAST_RUNS if self.runs is None else self.runs, self.rounds)
        return share + (number < rest)

    @property
    def seconds_in_round(self) -> float:
        """How long a round times, at least."""
        return LEAST_SECONDS / self.rounds if self.runs is None else 0.0


def settings(jobs: Sequence[Job], threads: Sequence[int], cores: Sequence[str], machine: Machine) -> list[Setting]:
    """Every job at every thread count and on every kind of cores.

    Raises:
        UsageError: there is no job, a thread count is below 1, or the machine has no such kind of cores.
    """
    if not jobs:
        raise UsageError("there is nothing to profile", cure="Name at least one engine")
    if not threads or min(threads) < 1:
        raise UsageError(f"thread counts {list(threads)} cannot be used", cure="Give counts of 1 or more")
    places = [(name, _cpus(name, machine)) for name in dict.fromkeys(cores)] or [("", ())]
    counts = dict.fromkeys(threads)
    return [Setting(job, count, name, cpus) for job in jobs for name, cpus in places for count in counts]


def _cpus(name: str, machine: Machine) -> tuple[int, ...]:
    if name == "all":
        return tuple(range(machine.logical_cores))
    kinds = {kind.name: kind for kind in machine.cores if kind.name != "all"}
    if not kinds:
        raise UsageError(
            f"there are no {name} cores", why="the target does not tell cores of several kinds", cure="Use --cores all"
        )
    if name not in kinds:
        raise unknown("kind of cores", name, ["all", *kinds])
    return tuple(kinds[name].cpus)


def in_turns(plan: Sequence[Setting], rounds: int) -> list[tuple[int, Setting]]:
    """Each setting once in each round; every other round backwards, so that a steady drift hits all alike."""
    return [
        (number, setting) for number in range(rounds) for setting in (plan if number % 2 == 0 else list(plan)[::-1])
    ]
