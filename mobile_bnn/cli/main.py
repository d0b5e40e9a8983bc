"""The `mbnn` command: what happens before its sub-commands are loaded and after one has ended.

It imports next to nothing, so that Ctrl-C finds it ready as soon as Python is.
"""

import sys

from mobile_bnn.cli import interrupts

TYPE_CHECKING = False  # as in typing, which takes a third of the time until here to import
if TYPE_CHECKING:
    from typing import Any

    from mobile_bnn.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """The console script."""
    interrupts.end_at_once()
    from mobile_bnn.cli import streams

    streams.prepare()
    from mobile_bnn.cli.app import run

    try:
        interrupts.raise_in_job()
        code = run()
        interrupts.end_at_once()
    except KeyboardInterrupt:  # between two lines of these
        code = interrupts.INTERRUPTED
    if code == interrupts.INTERRUPTED:
        interrupts.leave()
    sys.exit(code)


def __getattr__(name: str) -> "Any":
    if name == "app":
        from mobile_bnn.cli.app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    main()
