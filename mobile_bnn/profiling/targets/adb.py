"""Target `adb://SERIAL`: an Android phone, through the adb server. The program native/runner measures there."""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

from mobile_bnn.child_process import end_of
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profiling.android.asking import ask
from mobile_bnn.profiling.android.device import Device, find_device
from mobile_bnn.profiling.android.guarded_run import run_guarded
from mobile_bnn.profiling.android.layout import DELEGATE, FILES, PROGRAMS
from mobile_bnn.profiling.android.libraries import check_binary
from mobile_bnn.profiling.android.lock import Lock
from mobile_bnn.profiling.android.properties import Facts, check, read_facts, with_facts
from mobile_bnn.profiling.android.push import present, push
from mobile_bnn.profiling.benchmark_model import engine_info, measure, tools_from_environment
from mobile_bnn.profiling.messages import Answer, Question, Request, TargetInfo
from mobile_bnn.profiling.targets.target import Target, time_limit_s

_PREFIX = "adb://"
_SENDER = "the program on the phone"


class Adb(Target):
    """A phone. `mbnn deploy` has laid the program and its libraries on it before.

    Args:
        device: the phone.
        tools: programs of the user's that measure too, by engine: benchmark_model, lce_benchmark_model.
    """

    def __init__(self, device: Device, tools: Mapping[str, Path] | None = None) -> None:
        self.url = f"{_PREFIX}{device.serial}"
        self._device, self._lock = device, Lock(device)
        self._tools = dict(tools or {})
        self._staged: dict[str, str] = {}  # the SHA-256 of what lies under a name

    @classmethod
    def at(cls, url: str) -> "Adb":
        """The target of the URL `adb://SERIAL`, or `adb://` for the only phone.

        The environment names programs of the user's: see `benchmark_model.TOOLS`.

        Raises:
            UsageError: the URL is malformed, there are several phones, or there is no such program.
            MobileBnnError: adb is missing, there is no such phone, or it does not let this computer in.
        """
        serial, tools = serial_of(url), tools_from_environment()
        return cls(find_device(serial), tools)

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
        facts = self.facts
        info = TargetInfo.parse(ask(self._device, PROGRAMS, Question(ask="describe")), _SENDER)
        engines = [*info.engines, *(engine_info(engine, path) for engine, path in self._tools.items())]
        return info.model_copy(update={"machine": with_facts(info.machine, facts), "engines": engines})

    def stage(self, files: Sequence[Path | str]) -> Mapping[Path, str]:
        """Pushes the contents that the phone has not yet."""
        paths = [Path(path) for path in files]
        for path in paths:
            if not path.is_file():
                raise UsageError(f"there is no file {path}")
        self._prepare()
        return self._pushed(paths)

    def _pushed(self, paths: Sequence[Path], *, executable: bool = False) -> dict[Path, str]:
        digests = {path: sha256(path) for path in paths}
        names = {path: f"{FILES}/{digest}" for path, digest in digests.items()}
        there = present(self._device, list(names.values())) if names else set()
        for path, name in names.items():
            if name not in there:
                push(self._device, path, name, executable=executable)
                there.add(name)
        self._staged |= {name: digests[path] for path, name in names.items()}
        return names

    def measure(self, request: Request) -> Answer:
        """Measures in a process of its own on the phone, which ends it when it hangs or when this process goes."""
        self._prepare()
        if request.engine in self._tools:
            return self._measure_with_tool(request, self._tools[request.engine])
        answer = Answer.parse(ask(self._device, PROGRAMS, request, time_limit_s(request)), _SENDER)
        return answer.model_copy(update={"machine": with_facts(answer.machine, self.facts)})

    def _measure_with_tool(self, request: Request, path: Path) -> Answer:
        """Measures with a program of the user's; ours tells of the machine, before and after."""
        check_binary(path, self.facts.abi)
        program = self._pushed([path], executable=True)[path]
        before = self.describe()
        figures = measure(
            program,
            request,
            f"{PROGRAMS}/{DELEGATE}",
            self._staged[request.path],
            time_limit_s(request),
            partial(self._execute, request.engine),
        )
        conditions = {"before": before.condition, "after": self.describe().condition}
        return Answer(
            machine=before.machine,
            engine_version=engine_info(request.engine, path).version,
            kernel=request.kernel,
            figures=figures.model_copy(update=conditions),
        )

    def _execute(self, engine: str, command: Sequence[str], limit_s: float) -> str:
        result = run_guarded(self._device, command, b"", limit_s)
        printed = (result.stdout + b"\n" + result.stderr).decode("utf-8", "replace")
        if result.code:
            why = f"it {end_of(result.code)}" + (f": {result.complaint}" if result.complaint else "")
            raise MobileBnnError(f"the program {engine} cannot measure", why=why)
        return printed

    def close(self) -> None:
        """Frees the phone for others."""
        self._lock.release()

    def _prepare(self) -> None:
        """Refuses a phone that does not do, and takes it for this session."""
        self.facts  # noqa: B018
        self._lock.take()


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
