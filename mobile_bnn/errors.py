"""The errors a user can cause or meet: each says what happened, why, and how to cure it."""

from functools import partial
from typing import Any


class MobileBnnError(Exception):
    """A job failed for a reason that the user can understand.

    Args:
        what: what happened, in one clause without a final full stop.
        why: the cause, if it is known and not already said.
        cure: what the user can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, why: str = "", cure: str = "") -> None:
        super().__init__(what, why, cure)
        self.what, self.why, self.cure = what, why, cure

    def __reduce__(self) -> Any:  # as it comes, args would be three positional arguments: a process pool would hang
        return partial(type(self), why=self.why, cure=self.cure), (self.what,)

    def __str__(self) -> str:
        text = f"{self.what}: {self.why}" if self.why else self.what
        return f"{text}. {self.cure}" if self.cure else text


class UsageError(MobileBnnError):
    """Invalid usage: an unknown name, a missing file, an option out of range."""

    exit_code = 2


def first_line(error: BaseException) -> str:
    """The first non-empty line of an exception's text, or its type's name: what fits into one line of ours."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
