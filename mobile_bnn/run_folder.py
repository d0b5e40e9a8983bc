"""What a run leaves on disk: the layout of its folder.

A run folder holds

    recipe.toml            what was asked for
    dataset.json           labels and normalization of the data
    checkpoints/           whole epochs, for --resume
    history.json  .csv     what training measured, epoch by epoch
    logs/                  TensorBoard
    teacher/               the run of the float twin that taught it
    model.keras            the trained Keras model, with its latent weights
    model.tflite           the binary file, with its metadata record
    model_float.tflite     the same network for stock LiteRT: the speed baseline
    verification.json  operators.json
    predictions.json       of a classifier: what the file predicts of each class
    profiles/<target>.json what was measured on each target; runs of before have profile.json
    report.html
    .lock                  who writes here now, if anyone does
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from mobile_bnn.files import remove_leftovers
from mobile_bnn.records import R
from mobile_bnn.writer_lock import one_writer


class RunFolder:
    """The paths of a run folder. Nothing is created or read by naming them."""

    _model, _prefix = "model", ""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    recipe = property(lambda self: self._of("recipe.toml"))
    dataset = property(lambda self: self._of("dataset.json"))
    checkpoints = property(lambda self: self._of("checkpoints"))
    history = property(lambda self: self._of("history.json"))
    history_csv = property(lambda self: self._of("history.csv"))
    logs = property(lambda self: self._of("logs"))
    model = property(lambda self: self.path / f"{self._model}.keras")
    tflite = property(lambda self: self.path / f"{self._model}.tflite")
    float_tflite = property(lambda self: self.path / f"{self._model}_float.tflite")
    verification = property(lambda self: self._of("verification.json"))
    predictions = property(lambda self: self._of("predictions.json"))
    operators = property(lambda self: self._of("operators.json"))
    old_profile = property(lambda self: self._of("profile.json"))  # of this machine, by versions without targets
    report = property(lambda self: self._of("report.html"))
    weights = property(lambda self: self._of("weights.npz"))
    teacher = property(lambda self: self._of("teacher"))
    lock = property(lambda self: self._of(".lock"))

    def profile(self, target: str = "local") -> Path:
        """Where a target's profile is kept, by its URL: profiles/local.json, profiles/ssh-pi@host.json."""
        kind, _, address = target.partition("://")
        name = f"{kind}-{address}" if address else kind
        return self._of("profiles") / f"{quote(name, safe='@')}.json"

    def profiles(self) -> list[Path]:
        """The profiles that there are, this machine's first; a profile.json of before where there is none of it."""
        own = self.profile() if self.profile().is_file() else self.old_profile
        others = sorted(path for path in self._of("profiles").glob("[!.]*.json") if path != own)
        return [own, *others] if own.is_file() else others

    def _of(self, name: str) -> Path:
        return self.path / f"{self._prefix}{name}"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keeps every other process from writing here while the block runs; readers are never blocked.

        What killed writers left half done is removed first.

        Raises:
            MobileBnnError: on entering, another process writes here; its number is named.
        """
        with one_writer(self.lock):
            remove_leftovers(self.path, not_of=[self.report.name, self.weights.name])
            remove_leftovers(self._of("profiles"))
            yield

    def clear(self) -> None:
        """Removes all that the stages of a run leave here, and nothing else."""
        for folder in (self.checkpoints, self.logs, self.teacher, self._of("profiles")):
            shutil.rmtree(folder, ignore_errors=True)
        results = (self.history, self.history_csv, self.model, self.tflite, self.float_tflite)
        records = (self.verification, self.predictions, self.operators, self.old_profile, self.report, self.weights)
        for path in (*results, *records, self.dataset, self.recipe):
            path.unlink(missing_ok=True)

    def optional(self, record: type[R], path: Path | str) -> R | None:
        """The record at `path`, or None where that stage has not run."""
        return record.load(path) if Path(path).is_file() else None


class ModelFile(RunFolder):
    """The same for a .tflite outside of run folders: what belongs to my.tflite lies beside it, as my_report.html."""

    def __init__(self, tflite: Path | str) -> None:
        super().__init__(Path(tflite).parent)
        self._file = Path(tflite)
        self._model = self._file.stem
        self._prefix = f"{self._model}_"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Needs no lock: each command writes one whole file here."""
        yield

    def __fspath__(self) -> str:
        return str(self._file)

    def __str__(self) -> str:
        return str(self._file)


def run_at(path: RunFolder | Path | str) -> RunFolder:
    """The run that a path means: its folder, its model.tflite, or another .tflite with what lies beside it."""
    if isinstance(path, RunFolder):
        return path
    path = Path(path)
    if path.suffix != ".tflite":
        return RunFolder(path)
    run = RunFolder(path.parent)
    return run if run.recipe.is_file() and path.name == run.tflite.name else ModelFile(path)
