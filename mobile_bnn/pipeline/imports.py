"""Python files of one's own that a run needs before its recipe is read."""

from collections.abc import Sequence
from pathlib import Path

from mobile_bnn.pipeline.watcher import Watcher


def import_first(paths: Sequence[Path | str], watcher: Watcher) -> None:
    """Runs the files, whose methods, networks and tasks a recipe may name; their layers are known to Keras then.

    Raises:
        UsageError: one of them does not exist.
        MobileBnnError: one cannot be run, or defines nothing.
    """
    if not paths:
        return
    with watcher.status("loading TensorFlow"):
        from mobile_bnn.converters.keras.custom_objects import import_files

        import_files(paths)
