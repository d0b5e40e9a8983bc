"""Measures jobs on a target in rounds that take turns, and keeps what is measured as it goes."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profile_records import Machine, Measurement, Profile
from mobile_bnn.profiling.jobs import Job
from mobile_bnn.profiling.journal import Journal, question_key
from mobile_bnn.profiling.messages import Answer, Request
from mobile_bnn.profiling.named_operators import with_operators
from mobile_bnn.profiling.parity_plan import ParityPlan
from mobile_bnn.profiling.planning import ROUNDS, Amount, Setting, in_turns, settings
from mobile_bnn.profiling.summary import Content, mean_mhz, summarize
from mobile_bnn.profiling.targets import EngineCrashError, Target, TargetLostError, connect
from mobile_bnn.runtime import graph_sha256, read_model
from mobile_bnn.runtime.subgraphs import reached_subgraphs
from mobile_bnn.typing import Array

Progress = Callable[[int, int, str], None]
Refused = Callable[[str, MobileBnnError], None]

_COOLING_S = 600  # the longest wait for a device to cool down
_LOOK_S = 5  # between two looks at its temperature


def profile(
    jobs: Sequence[Job],
    *,
    target: Target | str = "local",
    runs: int | None = None,
    warmup: int | None = None,
    threads: Sequence[int] = (1, 2),
    cores: Sequence[str] = (),
    rounds: int = ROUNDS,
    max_seconds: float = 30.0,
    cool_to: float | None = None,
    references: Iterable[tuple[Path | str, Path | str]] = (),
    samples: Sequence[Array] | None = None,
    journal: Path | str | None = None,
    resume: bool = False,
    on_progress: Progress | None = None,
    on_refusal: Refused | None = None,
) -> Profile:
    """Measures every job at every thread count, batch 1, on seeded random input.

    Each measurement is made in rounds, a process each, and the rounds of all measurements take turns, so that a clock
    that falls while a session lasts falls for all of them.

    Args:
        jobs: what to measure, see `jobs_for`.
        target: where: a URL, as `connect` takes it, or a target, which stays open.
        runs: inferences to time, exactly so many, and every latency is kept. By default at least LEAST_RUNS, and at
            least LEAST_SECONDS of them; of more than KEPT latencies a sample of the same distribution is kept.
        warmup: inferences before that in each round, not counted; by default until their times are stable.
        threads: thread counts for the engine.
        cores: kinds of cores to be pinned to: all, big, middle, little; by default to none.
        rounds: processes for each measurement, as many as there are runs at most.
        max_seconds: a cap on each measurement; past it there are fewer runs, but at least 5 in each round.
        cool_to: degrees Celsius that the target is let cool down to before each round.
        references: pairs of a file and the float file that its outputs are compared with, on the same inputs.
        samples: these inputs, [N, ...] for each input; by default random ones.
        journal: a file that keeps what is measured until the session has ended.
        resume: go on with what the journal holds.
        on_progress: called with (done, total, what is measured now), and once more at the end.
        on_refusal: called with (what, why) for a measurement that an engine refuses or crashes in, which is left out.
            By default, or if there is no other, it is an error.

    Raises:
        UsageError: there is no such file, no job, no such target, or a number is out of range.
        TargetLostError: the target cannot be reached any more; the journal keeps what was measured.
        MobileBnnError: a file is malformed or is replaced meanwhile, or an engine is missing, refuses a file, or
            crashes.
    """
    amount = Amount(runs, warmup, rounds, max_seconds)
    kept = Journal(None if journal is None else Path(journal), resume=resume)
    contents = {path: _content(path) for path in dict.fromkeys(job.path for job in jobs)}
    with _opened(target) as opened:
        plan = settings(jobs, threads, cores, opened.describe().machine)
        compared = {Path(file): Path(other) for file, other in references}
        with ParityPlan(contents, compared, samples) as parity:
            names = opened.stage([*contents, *parity.files])
            session = _Session(opened, amount, contents, parity, names, kept)
            session.run(in_turns(plan, amount.rounds), cool_to, on_progress, on_refusal)
            measurements = session.measurements(plan)
        result = Profile(
            target=opened.url,
            machine=session.machine,
            measured_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            measurements=measurements,
        )
    session.journal.close()
    return result


class _Session:
    """The answers of a session, by setting."""

    def __init__(
        self,
        target: Target,
        amount: Amount,
        contents: Mapping[Path, Content],
        parity: ParityPlan,
        names: Mapping[Path, str],
        journal: Journal,
    ) -> None:
        self._target, self._amount, self._contents = target, amount, contents
        self._parity, self._names, self.journal = parity, names, journal
        self._answers: dict[Setting, list[Answer]] = defaultdict(list)
        self._refused: set[Setting] = set()

    @property
    def machine(self) -> Machine:
        """As it was before the first measurement."""
        return next(iter(self._answers.values()))[0].machine

    def run(
        self,
        turns: Sequence[tuple[int, Setting]],
        cool_to: float | None,
        on_progress: Progress | None,
        on_refusal: Refused | None,
    ) -> None:
        """Measures turn by turn; a setting that was refused once is left out from there."""
        for done, (number, setting) in enumerate(turns):
            if setting in self._refused:
                continue
            if on_progress:
                on_progress(done, len(turns), str(setting))
            try:
                self._answers[setting].append(self._measured(number, setting, cool_to))
            except TargetLostError as error:
                kept = f"{error.what}, after {done} of {len(turns)} measurements"
                raise TargetLostError(kept, why=error.why, cure=error.cure) from error
            except MobileBnnError as error:
                others = any(other not in self._refused and other != setting for _, other in turns)
                if on_refusal is None or not others:
                    raise
                self._refused.add(setting)
                self._answers.pop(setting, None)
                on_refusal(str(setting), error)
        if on_progress:
            on_progress(len(turns), len(turns), "done")

    def _measured(self, number: int, setting: Setting, cool_to: float | None) -> Answer:
        content, first = self._contents[setting.job.path], number == 0
        inputs = self._parity.inputs_for(setting.job) if first else None
        request = Request(
            engine=setting.job.engine,
            kernel=setting.job.kernel,
            path=self._names[setting.job.path],
            threads=setting.threads,
            runs=self._amount.runs_in(number),
            warmup=self._amount.warmup,
            min_seconds=self._amount.seconds_in_round,
            max_seconds=self._amount.max_seconds / self._amount.rounds,
            cpus=list(setting.cpus),
            operators=first,
            peak=first,
            inputs=self._names[inputs.path] if inputs else "",
            samples=inputs.samples if inputs else 0,
        )
        key = question_key(request, [content.sha256, inputs.sha256 if inputs else ""], number, self._target.url)
        answer = self.journal.find(key)
        if answer is None:
            if cool_to is not None:
                _cool_down(self._target, cool_to)
            answer = _ask(self._target, setting, request, content)
            self.journal.add(key, answer)
        return answer

    def measurements(self, plan: Sequence[Setting]) -> list[Measurement]:
        """In the order of the plan."""
        outputs = {
            setting: answers[0].figures.outputs for setting, answers in self._answers.items() if answers[0].figures
        }
        self._parity.collect({setting.job: each for setting, each in outputs.items()})
        return [
            summarize(
                setting,
                self._contents[setting.job.path],
                self._answers[setting],
                keep_all=self._amount.runs is not None,
                highest_mhz=self._highest_mhz(setting),
                parity=self._parity.compared(setting.job, outputs.get(setting, [])),
            )
            for setting in plan
            if setting in self._answers
        ]

    def _highest_mhz(self, setting: Setting) -> float | None:
        clocks = [
            mean_mhz(answer.figures.after)
            for other, answers in self._answers.items()
            for answer in answers
            if other.cpus == setting.cpus and answer.figures
        ]
        return max((clock for clock in clocks if clock), default=None)


def _ask(target: Target, setting: Setting, request: Request, content: Content) -> Answer:
    try:
        answer = target.measure(request)
    except EngineCrashError as error:
        raise MobileBnnError(f"{error.what} on {setting}", why=error.why, cure=error.cure) from error
    if answer.figures is None:
        what, why, cure = answer.error or ("the measuring process gave no figures", "", "")
        raise MobileBnnError(f"cannot profile {content.path}: {what}", why=why, cure=cure)
    if answer.figures.file_sha256 != content.sha256 or sha256(content.path) != content.sha256:
        raise MobileBnnError(f"{content.path} was replaced while it was measured", cure="Profile it again")
    figures = with_operators(answer.figures, content.path, with_library=setting.job.engine == "delegate")
    return answer.model_copy(update={"figures": figures})


def _cool_down(target: Target, cool_to: float) -> None:
    """Waits until the target is cool enough.

    Raises:
        MobileBnnError: it does not tell its temperature, or does not get so cool.
    """
    began = time.monotonic()
    while True:
        now = target.describe().condition.temperature_c
        if now is None:
            raise UsageError(f"{target.url} does not tell its temperature", cure="Leave --cool-to out")
        if now <= cool_to:
            return
        if time.monotonic() - began > _COOLING_S:
            what = f"{target.url} is at {now:.0f} °C after {_COOLING_S // 60} minutes of rest, not at {cool_to:g} °C"
            raise MobileBnnError(what, cure="Ask for a higher temperature")
        time.sleep(_LOOK_S)


@contextmanager
def _opened(target: Target | str) -> Iterator[Target]:
    """The target; one that was given by its URL is closed in the end."""
    if isinstance(target, str):
        with closing(connect(target)) as opened:
            yield opened
    else:
        yield target


def _content(path: Path) -> Content:
    model = read_model(path)
    operators = sum(len(model.subgraphs[number].operators) for number in reached_subgraphs(model))
    return Content(path, path.stat().st_size, sha256(path), graph_sha256(model), operators)
