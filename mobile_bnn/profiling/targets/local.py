"""Target `local`: this machine. Each measurement is a process of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mobile_bnn.child_process import complaint, end_of, run_module
from mobile_bnn.errors import UsageError
from mobile_bnn.profiling.messages import Answer, Message, Question, Request, TargetInfo
from mobile_bnn.profiling.targets.target import EngineCrashError, Target, time_limit_s

_WORKER = "mobile_bnn.profiling.worker"
_SENDER = "the measuring process"


class Local(Target):
    """This machine, which needs no connection: files stay where they lie."""

    url = "local"

    @classmethod
    def at(cls, url: str) -> "Local":
        """The target of the URL `local`.

        Raises:
            UsageError: it names a place.
        """
        if url != cls.url:
            raise UsageError(f"the target {url!r} is malformed", why="local is this machine", cure="Give local")
        return cls()

    def describe(self) -> TargetInfo:
        """This machine, now, and its engines."""
        return TargetInfo.parse(_ask(Question(ask="describe"))[0], _SENDER)

    def stage(self, files: Sequence[Path | str]) -> Mapping[Path, str]:
        """The files' own absolute names: the worker runs in another folder."""
        for path in files:
            if not Path(path).is_file():
                raise UsageError(f"there is no file {path}")
        return {Path(path): str(Path(path).resolve()) for path in files}

    def measure(self, request: Request) -> Answer:
        """Measures in a process of its own; an interruption kills its process group."""
        content, told = _ask(request, time_limit_s(request))
        answer = Answer.parse(content, _SENDER)
        if answer.error is None or not told:
            return answer
        what, why, cure = answer.error
        return answer.model_copy(update={"error": (what, f"{why} ({told})", cure)})

    def close(self) -> None:
        """Nothing is held."""


def _ask(question: Message, limit_s: float | None = None) -> tuple[bytes, str]:
    """The worker's answer, and what its native code complained about."""
    try:
        process = run_module(_WORKER, question.encode(), limit_s)
    except TimeoutError as error:
        why = f"it was ended after {limit_s:.0f} seconds"
        raise EngineCrashError("the engine took too long", why=why, cure="Try another engine or kernel") from error
    told = complaint(process)
    if process.returncode != 0:
        why = f"its process {end_of(process.returncode)}" + (f" ({told})" if told else "")
        raise EngineCrashError("the engine crashed", why=why, cure="Try another engine or kernel")
    return process.stdout, told
