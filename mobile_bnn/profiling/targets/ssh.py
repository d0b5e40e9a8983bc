"""Target `ssh://user@host`: a board, such as a Raspberry Pi, on which `mbnn deploy` has laid mobile_bnn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from mobile_bnn.child_process import end_of
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profiling.messages import Answer, Message, Question, Request, TargetInfo
from mobile_bnn.profiling.targets.ssh_connection import SshConnection
from mobile_bnn.profiling.targets.ssh_keeper import Ended, Keeper, MissingInterpreterError, TookTooLongError, Uploading
from mobile_bnn.profiling.targets.target import EngineCrashError, Target, time_limit_s

CURRENT = "~/.local/share/mobile_bnn/current"
_DESCRIBE_S = 300.0  # imports everything, perhaps from a slow card
_KILLED = -9

M = TypeVar("M", bound=Message)


class Ssh(Target):
    """A board over ssh. Each measurement is a process of its own there, which ends with this session.

    Attributes:
        url: as it was given.
        watch: is called while a file is sent, with its name, the bytes that have gone, and all of them.

    Raises:
        UsageError: the URL is malformed.
        TargetLostError: the board cannot be reached.
        MobileBnnError: the host key is not known or has changed, no key is taken, or mobile_bnn is not deployed there.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.watch: Uploading | None = None
        self._connection = SshConnection(url)
        try:
            self._keeper = Keeper(self._connection, f'"$HOME/{CURRENT[2:]}/bin/python"')
        except MissingInterpreterError as error:
            self._connection.close()
            cure = f"Run: mbnn deploy {url}"
            raise MobileBnnError(f"mobile_bnn is not deployed on {url}", why=error.why, cure=cure) from error
        except BaseException:
            self._connection.close()
            raise

    def describe(self) -> TargetInfo:
        """The board, now, and its engines."""
        return self._ask(Question(ask="describe"), TargetInfo, _DESCRIBE_S)

    def stage(self, files: Sequence[Path | str]) -> Mapping[Path, str]:
        """Sends each content once, under its SHA-256."""
        for path in files:
            if not Path(path).is_file():
                raise UsageError(f"there is no file {path}")
        self._keeper.take_lock()
        return {Path(path): self._keeper.put(Path(path), watch=self.watch) for path in files}

    def measure(self, request: Request) -> Answer:
        """Measures in a process of its own on the board; an interruption ends it and all that it started."""
        self._keeper.take_lock()
        return self._ask(request, Answer, time_limit_s(request))

    def remove(self, staged: Sequence[str]) -> int:
        """Removes files that `stage` has laid, by the names that it returned; tells how many were there."""
        self._keeper.take_lock()
        return self._keeper.remove(staged)

    def close(self) -> None:
        """Ends the connection, and with it all that runs on the board for this session."""
        try:
            self._keeper.close()
        finally:
            self._connection.close()

    def _ask(self, question: Message, kind: type[M], limit_s: float) -> M:
        argv = [f"{CURRENT}/bin/python", "-I", "-m", "mobile_bnn.profiling.worker"]
        try:
            ended = self._keeper.run(argv, question.encode(), limit_s)
        except TookTooLongError as error:
            why = f"its process on {self.url} took longer than {limit_s:.0f} s and was ended"
            raise EngineCrashError("the engine hangs", why=why, cure="Try another engine or kernel") from error
        if ended.returncode != 0:
            raise crash(self.url, ended)
        answer = kind.parse(ended.stdout, f"the worker on {self.url}")
        told = _complaint(ended.stderr)
        if isinstance(answer, Answer) and answer.error is not None and told:
            what, why, cure = answer.error
            return answer.model_copy(update={"error": (what, f"{why} ({told})", cure)})
        return answer


def crash(url: str, ended: Ended) -> EngineCrashError:
    """What ended a process there that gave no answer: a signal by its name, memory that ran out, or its last words."""
    how = f"its process on {url} {end_of(ended.returncode)}"
    if ended.returncode == _KILLED and (ended.memory_kills or ended.memory_available < ended.memory_total / 20):
        free, all_of_it = (round(each / 2**20) for each in (ended.memory_available, ended.memory_total))
        return EngineCrashError(
            "the engine ran out of memory",
            why=f"{how}, as the system does when memory runs out; now {free} of {all_of_it} MB are free",
            cure="Close other programs there, or take a smaller model",
        )
    lines = [line.strip() for line in ended.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    told = _complaint(ended.stderr) or (lines[-1] if lines and ended.returncode > 0 else "")
    cure = "Try another engine or kernel" if ended.returncode < 0 else f"Try: mbnn deploy {url}"
    return EngineCrashError("the engine crashed", why=how + (f" ({told})" if told else ""), cure=cure)


def _complaint(told: bytes) -> str:
    """The first thing that native code complained about."""
    lines = [line.strip() for line in told.decode("utf-8", "replace").splitlines()]
    return next((line for line in lines if "ERROR" in line), "")
