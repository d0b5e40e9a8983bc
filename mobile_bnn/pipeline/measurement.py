"""`profile`: latency and memory of a run's file, or of another .tflite, on a target."""

from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobile_bnn.pipeline.locate import binary_file, run_or_file
from mobile_bnn.pipeline.results import Kept, Shown, keep
from mobile_bnn.pipeline.watcher import Watcher
from mobile_bnn.profile_records import Profile
from mobile_bnn.run_folder import ModelFile, RunFolder

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobile_bnn.profiling import Job, Target
    from mobile_bnn.profiling.messages import EngineInfo


@dataclass(frozen=True)
class Profiled(Shown):
    """A profile, and where its record is kept."""

    record: Profile
    kept: Kept

    def __rich__(self) -> "RenderableType":
        from mobile_bnn.report import profile_table

        return profile_table(self.record)


def profile(
    file: RunFolder | Path | str,
    *,
    target: "Target | str" = "local",
    engines: Sequence[str] = (),
    against: Sequence[Path | str] = (),
    threads: Sequence[int] = (1, 2),
    cores: Sequence[str] = (),
    runs: int | None = None,
    warmup: int | None = None,
    rounds: int | None = None,
    cool_to: float | None = None,
    samples: Path | str | None = None,
    resume: bool = False,
    watcher: Watcher | None = None,
) -> Profiled:
    """Measures latency and peak memory, each engine and thread count in processes of its own, which take turns.

    The record is kept in the run, or beside a .tflite, one for each target. What a session measured before it was
    interrupted, or lost the target, lies beside it for `resume`.

    Args:
        file: a run folder or its model.tflite, or another .tflite; its float twin is measured with stock LiteRT too.
        target: where: a URL, as `profiling.connect` takes it, or a target, which stays open.
        engines: see `profiling.jobs_for`; by default those of the target that can run the file, and one that refuses it
            is left out with a warning.
        against: other .tflite files to be measured in the same session: binary ones with the library, others with stock
            LiteRT.
        threads: thread counts.
        cores: kinds of cores to be pinned to: all, big, middle, little; by default to none.
        runs: inferences to time, exactly so many; by default 100, or more in half a second.
        warmup: inferences before that in each round, not counted; by default until their times are stable.
        rounds: processes for each measurement, by default 3.
        cool_to: degrees Celsius that the target is let cool down to before each round.
        samples: a .npy or .npz of float32 [N, ...], on which the file is compared with its float twin; by default
            random inputs.
        resume: go on with what an interrupted session measured.
        watcher: is told what goes on.

    Raises:
        UsageError: there is no such file, engine or target, or a number is out of range.
        MobileBnnError: nothing could be measured, or the target was lost.
    """
    from mobile_bnn import profiling
    from mobile_bnn.pipeline import samples as sample_files

    watcher, named = watcher or Watcher(), Path(file).is_file()
    run = run_or_file(Path(file))
    given = sample_files.of_file(samples).compared if samples is not None else None
    opened = closing(profiling.connect(target)) if isinstance(target, str) else nullcontext(target)
    with run.writing(), opened as there, watcher.status(f"asking {_url(target)} what it is") as update:
        installed = there.describe().engines
        jobs = _jobs(run, engines, installed, named=named)
        jobs += [job for path in against for job in _jobs_of(Path(path), installed)]
        journal = run.profile(there.url).with_suffix(".partial")
        try:
            found = profiling.profile(
                list(dict.fromkeys(jobs)),
                target=there,
                runs=runs,
                warmup=warmup,
                threads=threads,
                cores=cores,
                rounds=rounds or profiling.ROUNDS,
                cool_to=cool_to,
                references=_references(jobs),
                samples=given,
                journal=journal,
                resume=resume,
                on_progress=lambda done, total, what: update(f"profiling {min(done + 1, total)} of {total}: {what}"),
                # An engine that the user did not ask for does not end the measurements of the others.
                on_refusal=None if engines else lambda what, why: watcher.warn("left out", f"{what}: {why}"),
            )
        except (profiling.TargetLostError, KeyboardInterrupt):
            if journal.is_file():
                watcher.warn("kept", "what was measured; the same command with --resume goes on from there")
            raise
        return Profiled(found, keep(found.save, run.profile(found.target)))


def _url(target: "Target | str") -> str:
    return target if isinstance(target, str) else target.url


def _references(jobs: "Sequence[Job]") -> list[tuple[Path, Path]]:
    """Each file that has a float twin beside it, with that one."""
    twins = {job.path: job.path.with_name(f"{job.path.stem}_float.tflite") for job in jobs}
    return [(path, twin) for path, twin in twins.items() if twin.is_file()]


def _jobs_of(path: Path, there: "Sequence[EngineInfo]") -> "list[Job]":
    """A file beside the one that is asked for."""
    from mobile_bnn.profiling import jobs_for

    return jobs_for(path, ["delegate" if _is_binary(path) else "litert"], there)


def _jobs(file: RunFolder, asked: Sequence[str], there: "Sequence[EngineInfo]", *, named: bool) -> "list[Job]":
    """A file with its engines, and its float twin with stock LiteRT, which has no binary operators, as the baseline.

    Engines that are asked for run the very file if it was `named`, not its run.
    """
    from mobile_bnn.profiling import jobs_for

    alone, twin = isinstance(file, ModelFile), file.float_tflite
    path = file.tflite if alone else binary_file(file)
    if (named and asked) or (alone and not _is_binary(path)):
        return jobs_for(path, asked or ["litert"], there)
    binary = [name for name in asked or _installed(there) if not name.startswith("litert")]
    floats = [name for name in asked or ["litert"] if name.startswith("litert")]
    return jobs_for(path, binary, there) + (jobs_for(twin, floats, there) if twin.is_file() else [])


def _is_binary(path: Path) -> bool:
    from mobile_bnn.runtime import operator_table

    return any(operator.binary for operator in operator_table(path).operators)


def _installed(there: "Sequence[EngineInfo]") -> list[str]:
    """The target's engines for binary files: LCE has no package for a Raspberry Pi."""
    able = [engine.name for engine in there if not engine.unavailable]
    return [name for name in ("delegate", "lce") if name in able] or ["delegate"]
