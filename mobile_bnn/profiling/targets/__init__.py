"""The targets that measurements can be made on, by the kind that their URL begins with: `connect("local")`.

A new kind is one file here and one entry below.
"""

from collections.abc import Callable

from mobile_bnn.names import look_up
from mobile_bnn.profiling.targets.local import Local
from mobile_bnn.profiling.targets.target import EngineCrashError, Target, TargetLostError

KINDS: dict[str, Callable[[str], Target]] = {"local": Local.at}

__all__ = ["KINDS", "EngineCrashError", "Local", "Target", "TargetLostError", "connect"]


def connect(url: str) -> Target:
    """The target at `url`: local. Its `close` is the caller's to call.

    Raises:
        UsageError: there is no such kind of target, and the nearest name is suggested, or the URL is malformed.
        MobileBnnError: the target cannot be reached.
    """
    kind = url.partition("://")[0]
    return look_up("target", kind, KINDS)(url)
