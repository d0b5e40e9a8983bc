"""Target `adb://SERIAL`: an Android phone, through the adb server. The program native/runner measures there."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from mobile_bnn import __version__
from mobile_bnn.child_process import end_of
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profiling.android.device import Device, find_device
from mobile_bnn.profiling.android.guarded_run import run_guarded
from mobile_bnn.profiling.android.layout import FILES, PROGRAMS, RUNNER
from mobile_bnn.profiling.android.lock import Lock
from mobile_bnn.profiling.android.properties import Facts, check, read_facts, with_facts
from mobile_bnn.profiling.android.push import present, push
from mobile_bnn.profiling.messages import Answer, Message, Question, Request, TargetInfo
from mobile_bnn.profiling.targets.target import EngineCrashError, Target, time_limit_s

_PREFIX = "adb://"
_SENDER = "the program on the phone"
_DESCRIBING_S = 60.0


class Adb(Target):
    """A phone. `mbnn deploy` has laid the program and its libraries on it before."""

    def __init__(self, device: Device) -> None:
        self.url = f"{_PREFIX}{device.serial}"
        self._device, self._lock = device, Lock(device)

    @classmethod
    def at(cls, url: str) -> "Adb":
        """The target of the URL `adb://SERIAL`, or `adb://` for the only phone.

        Raises:
            UsageError: the URL is malformed, or there are several phones.
            MobileBnnError: adb is missing, there is no such phone, or it does not let this computer in.
        """
        return cls(find_device(serial_of(url)))

    @cached_property
    def facts(self) -> Facts:
        """What the phone tells of itself; one that cannot run our programs is refused.

        Raises:
            MobileBnnError: its ABI or its Android does not do, or it has gone.
        """
        facts = read_facts(self._device)
        check(facts, self._device.serial)
        return facts

    def describe(self) -> TargetInfo:
        """The phone, now, and the engines of the program on it."""
        info = TargetInfo.parse(self._ask(Question(ask="describe"), _DESCRIBING_S), _SENDER)
        return info.model_copy(update={"machine": with_facts(info.machine, self.facts)})

    def stage(self, files: Sequence[Path | str]) -> Mapping[Path, str]:
        """Pushes the contents that the phone has not yet."""
        paths = [Path(path) for path in files]
        for path in paths:
            if not path.is_file():
                raise UsageError(f"there is no file {path}")
        names = {path: f"{FILES}/{sha256(path)}" for path in paths}
        self._prepare()
        there = present(self._device, list(names.values())) if names else set()
        for path, name in names.items():
            if name not in there:
                push(self._device, path, name)
                there.add(name)
        return names

    def measure(self, request: Request) -> Answer:
        """Measures in a process of its own on the phone, which ends it when it hangs or when this process goes."""
        self._prepare()
        answer = Answer.parse(self._ask(request, time_limit_s(request)), _SENDER)
        return answer.model_copy(update={"machine": with_facts(answer.machine, self.facts)})

    def close(self) -> None:
        """Frees the phone for others."""
        self._lock.release()

    def _prepare(self) -> None:
        """Refuses a phone that does not do, and takes it for this session."""
        self.facts  # noqa: B018
        self._lock.take()

    def _ask(self, question: Message, limit_s: float) -> bytes:
        """What the program answers.

        Raises:
            EngineCrashError: it ended without an answer.
            TargetLostError: the phone has gone.
            MobileBnnError: the program is not on the phone.
        """
        program = f"{PROGRAMS}/{RUNNER}"
        self.facts  # noqa: B018
        if not present(self._device, [program]):
            raise MobileBnnError(
                f"mobile_bnn {__version__} is not on the phone {self._device.serial}",
                cure=f"Run: mbnn deploy {self.url}",
            )
        result = run_guarded(self._device, [program], question.encode(), limit_s)
        if result.code:
            why = f"its process {end_of(result.code)}" + (f" ({result.complaint})" if result.complaint else "")
            raise EngineCrashError("the engine crashed", why=why, cure="Try another engine or kernel")
        return result.stdout


def serial_of(url: str) -> str:
    """The serial number in the URL of a phone; empty if it names none.

    Raises:
        UsageError: it is malformed.
    """
    kind, separator, serial = url.partition("://")
    if kind != "adb" or not separator or any(letter.isspace() or letter == "/" for letter in serial):
        raise UsageError(
            f"the target {url!r} is malformed", why="a phone is adb://SERIAL", cure="Give adb:// for the only phone"
        )
    return serial
