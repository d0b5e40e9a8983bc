"""Whole-epoch checkpoints: a folder appears by one rename, with everything that the next epoch needs in it."""

import re
import shutil
import weakref
from contextlib import ExitStack
from pathlib import Path

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.files import atomic_folder
from mobile_bnn.legacy_keras import tf
from mobile_bnn.literal_path import literal_path
from mobile_bnn.records import History
from mobile_bnn.typing import KerasModel, KerasOptimizer

_NAME = re.compile(r"epoch-(\d+)")
_KEEP = 2


class Checkpoints:
    """The checkpoints of one run: weights, optimizer and schedule state (its step count), and the history so far.

    Args:
        folder: where they are kept.
        model: a Keras model.
        optimizer: that trains it.
        chief: whether this process writes them. In a multi-worker run the others must save along, because reading
            a distributed variable is a joint operation, but their copy is dropped.
    """

    def __init__(self, folder: Path, model: KerasModel, optimizer: KerasOptimizer, *, chief: bool = True) -> None:
        self._folder, self._chief, self._model = folder, chief, model
        self._state = tf.train.Checkpoint(model=model, optimizer=optimizer)

    @staticmethod
    def saved_epochs(folder: Path) -> list[int]:
        """The epochs that were saved, in order; epoch n is the state after n epochs."""
        if not folder.is_dir():
            return []
        found = (_NAME.fullmatch(path.name) for path in folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    @classmethod
    def newest_history(cls, folder: Path) -> History:
        """The history of the newest checkpoint; an empty one if there is none."""
        epochs = cls.saved_epochs(folder)
        return History.load(_path(folder, epochs[-1]) / "history.json") if epochs else History()

    def save(self, history: History) -> None:
        """Saves the state after the last epoch of `history`, then drops all but the newest two."""
        path = _path(self._folder, len(history.epochs))
        if path.exists():
            return
        with atomic_folder(path, keep=self._chief) as part:
            self._state.write(str(part / "state"))
            history.save(part / "history.json")
        if self._chief:
            for epoch in self.saved_epochs(self._folder)[:-_KEEP]:
                shutil.rmtree(_path(self._folder, epoch))

    def restore(self, *, optimizer: bool = True) -> History:
        """Restores the newest checkpoint into the model and its optimizer; an empty history if there is none.

        Args:
            optimizer: False, for a phase that begins, leaves the optimizer as it is, new, and what only this phase has,
                such as the variables of its quantizers.

        Raises:
            MobileBnnError: the checkpoint does not belong to this model.
        """
        epochs = self.saved_epochs(self._folder)
        if not epochs:
            return History()
        path = _path(self._folder, epochs[-1])
        state = self._state if optimizer else tf.train.Checkpoint(model=self._model)
        opened = ExitStack()
        weakref.finalize(self, opened.close)
        readable = opened.enter_context(literal_path(path))
        try:
            # Optimizer slots that do not exist yet are restored when they are made, in the first step.
            found = state.read(str(readable / "state")).expect_partial()
            if optimizer:
                found.assert_existing_objects_matched()
            else:
                found.assert_nontrivial_match()
        except (AssertionError, ValueError, tf.errors.OpError) as error:
            raise MobileBnnError(
                f"cannot resume from {path}", why=first_line(error), cure="Train into a new run folder"
            ) from error
        return History.load(path / "history.json")


def _path(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch:05d}"
