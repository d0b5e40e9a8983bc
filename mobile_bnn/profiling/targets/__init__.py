"""The targets that measurements can be made on, by the kind that their URL begins with: `connect("local")`.

A new kind is one file here and one entry below.
"""

from collections.abc import Callable

from mobile_bnn.names import look_up
from mobile_bnn.profiling.targets.local import Local
from mobile_bnn.profiling.targets.ssh import Ssh
from mobile_bnn.profiling.targets.target import EngineCrashError, Target, TargetLostError


def _adb(url: str) -> Target:
    from mobile_bnn.profiling.targets.adb import Adb

    return Adb.at(url)


KINDS: dict[str, Callable[[str], Target]] = {"local": Local.at, "adb": _adb, "ssh": Ssh}

__all__ = ["KINDS", "EngineCrashError", "Local", "Ssh", "Target", "TargetLostError", "connect"]


def connect(url: str) -> Target:
    """The target at `url`: local, ssh://user@host, adb://SERIAL. Its `close` is the caller's to call.

    Raises:
        UsageError: there is no such kind of target, and the nearest name is suggested, or the URL is malformed.
        MobileBnnError: the target cannot be reached.
    """
    kind = url.partition("://")[0]
    return look_up("target", kind, KINDS)(url)
