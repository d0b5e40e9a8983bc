"""The inputs that a file is compared on, and calibrated with: real ones where there are any."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.native_output import filtered_stderr
from mobile_bnn.pipeline.watcher import Watcher
from mobile_bnn.run_folder import RunFolder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Inputs = list[npt.NDArray[np.float32]]

_CURE = "Give a .npy of float32 [N, ...], or a .npz with one for each input"
_OBJECTS = "it holds Python objects or something that NumPy did not write"
_COMPARED = 64  # images, of which conversion takes the first; a batch of the file may be larger than one
_CALIBRATION = 256  # images


@dataclass(frozen=True)
class Samples:
    """Each float32 [N, ...] for each input of the model.

    Attributes:
        compared: None for random ones.
        calibration: None if there are none.
    """

    compared: "Inputs | None" = None
    calibration: "Inputs | None" = None


def of_file(path: Path | str) -> Samples:
    """The arrays of a .npy, or of a .npz for a model of several inputs.

    Raises:
        UsageError: it holds something else.
    """
    import numpy as np

    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no file of samples {path}")
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = [loaded] if isinstance(loaded, np.ndarray) else list(loaded.values())
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        why = _OBJECTS if "allow_pickle" in str(error) else first_line(error)
        raise UsageError(f"{path} is no .npy or .npz of samples", why=why, cure=_CURE) from error
    if not arrays:
        raise UsageError(f"{path} holds no array", cure=_CURE)
    for array in arrays:
        if array.dtype != np.float32 or array.ndim < 2 or len(array) == 0:
            raise UsageError(f"{path} holds {array.dtype} {list(array.shape)}, not float32 [N, ...]", cure=_CURE)
        if not np.isfinite(array).all():
            raise UsageError(f"{path} holds numbers that are infinite or NaN")
    if len({len(array) for array in arrays}) > 1:
        counts = " and ".join(str(len(array)) for array in arrays)
        raise UsageError(f"{path} holds {counts} samples, not as many for each input")
    return Samples(arrays, arrays)


def of_run(run: RunFolder, data_dir: Path | str | None, watcher: Watcher, *, needed: bool) -> Samples:
    """The first test images of a run, to compare on, and training images to calibrate with.

    Args:
        run: whose recipe names the data set.
        data_dir: where the user says that data sets are.
        watcher: is told what loads, and why there are none.
        needed: whether there must be some; else a run whose data is no longer there has none.

    Raises:
        MobileBnnError: the data set is needed, or asked for by its folder, and cannot be loaded.
    """
    try:
        with filtered_stderr(), watcher.status(f"loading the images of {run}"):
            return _images(run, data_dir, calibration=needed)
    except MobileBnnError as error:
        if data_dir is not None:
            raise
        if needed:
            cure = "Give --samples, a .npy of float32 [N, ...]"
            raise MobileBnnError("--int8 has no images to calibrate on", why=error.what, cure=cure) from error
        watcher.warn("compared on random inputs", error.what)
        return Samples()


def _images(run: RunFolder, data_dir: Path | str | None, *, calibration: bool) -> Samples:
    import numpy as np

    from mobile_bnn import data
    from mobile_bnn.training import Recipe

    recipe = Recipe.read(run.recipe)
    chosen, changes = recipe.data, recipe.task.training().augment
    dataset = data.load(chosen.name, data_dir=data_dir, image_size=chosen.image_size, changes=changes, near=run.path)
    compared, _ = dataset.test_arrays(_COMPARED)
    if not calibration:
        return Samples([compared])
    count = -(-_CALIBRATION // dataset.batch_size)
    with dataset.reading():
        batches = list(dataset.train().take(count).as_numpy_iterator())
    return Samples([compared], [np.concatenate([images for images, _ in batches])])
