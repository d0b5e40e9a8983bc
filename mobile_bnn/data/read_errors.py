"""TensorFlow's errors of reading a data set, in one line that a user can act on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf

_READING = "IteratorGetNext"  # the operator of every error that comes out of a tf.data pipeline
_DECORATION = re.compile(
    r"\{\{[^}]*\}\}\s*|Error in user-defined function passed to .*? with iterator: \S+: |\s*\[Op:.*$|\s*\[\[.*$"
)


def cause(error: BaseException) -> str:
    """What happened, without TensorFlow's names of operators and functions."""
    told, _, _ = str(error).partition("[[{{node")  # what follows is where it came through
    lines = [_DECORATION.sub("", line).strip() for line in told.splitlines()]
    return next(filter(None, reversed(lines)), type(error).__name__)


@contextmanager
def read_errors(origin: str) -> Iterator[None]:
    """Turns errors of a pipeline, of files that are gone or damaged since they were checked, into one of ours.

    Args:
        origin: where the data comes from, in words.

    Raises:
        MobileBnnError: the data cannot be read.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if _READING not in str(error) or isinstance(error, tf.errors.ResourceExhaustedError):
            raise
        raise MobileBnnError(
            f"cannot read the data set ({origin})", why=cause(error), cure="Restore what is missing or damaged"
        ) from error
