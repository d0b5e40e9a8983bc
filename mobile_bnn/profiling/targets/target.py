"""What a target is: a machine that measures, on which files can be laid and questions of messages.py asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.messages import Answer, Request, TargetInfo


class EngineCrashError(MobileBnnError):
    """The process that measured ended without an answer."""


class TargetLostError(MobileBnnError):
    """The target can no longer be reached, or has no room or memory left: further measurements make no sense."""


def time_limit_s(request: Request) -> float:
    """After how many seconds a measurement is taken to hang: loading, operators and peak have no limit of their own."""
    return 2 * request.max_seconds + 600  # an emulator runs hundreds of times slower


class Target(Protocol):
    """A machine to measure on.

    Attributes:
        url: what `connect` made it from; it names the target in records: local, ssh://pi@host, adb://SERIAL.
    """

    url: str

    def describe(self) -> TargetInfo:
        """The machine, and its engines with their versions, kernels and the reasons why they cannot run there.

        Raises:
            MobileBnnError: the target cannot be reached, or speaks another protocol.
        """

    def stage(self, files: Sequence[Path | str]) -> Mapping[Path, str]:
        """Lays files on the target: a content, by its SHA-256, once only, also after a connection that was cut.

        Returns:
            For each file its name on the target, for `Request.path`.

        Raises:
            UsageError: there is no such file.
            MobileBnnError: the target cannot be reached, or has no room.
        """

    def measure(self, request: Request) -> Answer:
        """Measures in a process of its own on the target, one at a time.

        Whatever interrupts it, Ctrl-C above all, ends that process and all that it started.

        Raises:
            EngineCrashError: the process ended without an answer, or took longer than `time_limit_s` and was ended.
            TargetLostError: the target cannot be reached any more, or its disk is full.
            MobileBnnError: the target speaks another protocol.
        """

    def close(self) -> None:
        """Gives back what the target holds, such as a connection; it is not used afterwards."""
