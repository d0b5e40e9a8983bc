"""Whole-epoch checkpoints: a folder appears by one rename, with everything that the next epoch needs in it."""

import re
import shutil
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.files import atomic_folder
from mobile_bnn.legacy_keras import tf
from mobile_bnn.literal_path import literal_path
from mobile_bnn.records import History

_NAME = re.compile(r"epoch-(\d+)")
_KEEP = 2


class Checkpoints:
    """The checkpoints of one run: weights, optimizer and schedule state (its step count), and the history so far.

    Args:
        folder: where they are kept.
        model: a compiled Keras model.
        chief: whether this process writes them. In a multi-worker run the others must save along, because reading
            a distributed variable is a joint operation, but their copy is dropped.
    """

    def __init__(self, folder: Path, model: Any, *, chief: bool = True) -> None:
        self._folder, self._chief = folder, chief
        self._state = tf.train.Checkpoint(model=model, optimizer=model.optimizer)

    def epochs(self) -> list[int]:
        """The epochs that were saved, in order; epoch n is the state after n epochs."""
        if not self._folder.is_dir():
            return []
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def _path(self, epoch: int) -> Path:
        return self._folder / f"epoch-{epoch:05d}"

    def save(self, history: History) -> None:
        """Saves the state after the last epoch of `history`, then drops all but the newest two."""
        path = self._path(len(history.epochs))
        if path.exists():
            return
        with atomic_folder(path, keep=self._chief) as part:
            self._state.write(str(part / "state"))
            history.save(part / "history.json")
        if self._chief:
            for epoch in self.epochs()[:-_KEEP]:
                shutil.rmtree(self._path(epoch))

    def restore(self) -> History:
        """Restores the newest checkpoint into the model and its optimizer; an empty history if there is none.

        Raises:
            MobileBnnError: the checkpoint does not belong to this model.
        """
        epochs = self.epochs()
        if not epochs:
            return History()
        path = self._path(epochs[-1])
        opened = ExitStack()
        weakref.finalize(self, opened.close)
        readable = opened.enter_context(literal_path(path))
        try:
            # Optimizer slots that do not exist yet are restored when they are made, in the first step.
            self._state.read(str(readable / "state")).assert_existing_objects_matched().expect_partial()
        except (AssertionError, ValueError, tf.errors.OpError) as error:
            raise MobileBnnError(
                f"cannot resume from {path}", why=first_line(error), cure="Train into a new run folder"
            ) from error
        return History.load(path / "history.json")
