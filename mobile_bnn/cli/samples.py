"""The inputs that a file is compared on, and calibrated with: real ones where there are any."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobile_bnn.cli.console import err
from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.runs import RunFolder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Inputs = list[npt.NDArray[np.float32]]

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


def of_file(path: Path) -> Samples:
    """The arrays of a .npy, or of a .npz for a model of several inputs.

    Raises:
        UsageError: it holds something else.
    """
    import numpy as np

    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = [loaded] if isinstance(loaded, np.ndarray) else list(loaded.values())
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{path} holds no samples that NumPy can read", why=first_line(error)) from error
    if not arrays or any(array.dtype != np.float32 or array.ndim < 2 or len(array) == 0 for array in arrays):
        raise UsageError(f"{path} is no array of float32 [N, ...]", cure="Give a .npy, or a .npz of one for each input")
    return Samples(arrays, arrays)


def of_run(run: RunFolder, data_dir: Path | None, *, needed: bool) -> Samples:
    """The first test images of a run, to compare on, and training images to calibrate with.

    Args:
        run: whose recipe names the data set.
        data_dir: where the user says that data sets are.
        needed: whether there must be some; else a run whose data is no longer there has none.

    Raises:
        MobileBnnError: the data set is needed, or asked for by its folder, and cannot be loaded.
    """
    import numpy as np

    from mobile_bnn import data
    from mobile_bnn.training import Recipe

    recipe = Recipe.read(run.recipe)
    try:
        dataset = data.load(recipe.dataset, data_dir=data_dir, image_size=recipe.image_size)
    except MobileBnnError as error:
        if needed or data_dir is not None:
            raise
        err.print(f"[yellow]compared on random inputs:[/] {error.what}", soft_wrap=True)
        return Samples()
    compared, _ = dataset.test_arrays(_COMPARED)
    if not needed:
        return Samples([compared])
    count = -(-_CALIBRATION // dataset.batch_size)
    batches = dataset.train().take(count).as_numpy_iterator()
    return Samples([compared], [np.concatenate([images for images, _ in batches])])
