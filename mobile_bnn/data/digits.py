"""The embedded set: scikit-learn's 1,797 handwritten digits of 8 × 8 pixels."""

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from mobile_bnn.data.in_memory import InMemory
from mobile_bnn.data.info import SPECS
from mobile_bnn.data.pipeline import Source
from mobile_bnn.errors import UsageError

Indices = npt.NDArray[np.int64]

TEST_SIZE = 360
VALIDATION_SIZE = 180
_TEST_SEED = 0  # not the caller's: accuracies of different seeds are on the same test images


def read(seed: int, validation_fraction: float | None) -> Source:
    """The digits as uint8 images [N, 8, 8, 1] in 0 to 255, split by class: train, validation, test.

    Args:
        seed: chooses the validation images; the test images are always the same.
        validation_fraction: of the 1,437 images that are not for testing; None holds out 180.
    """
    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    labels = bunch.target.astype(np.int64)
    spec = SPECS["digits"]

    def split(indices: Indices, count: int, seed: int) -> tuple[Indices, Indices]:
        rest, chosen = train_test_split(indices, test_size=count, random_state=seed, stratify=labels[indices])
        return rest, chosen

    def part(indices: Indices) -> InMemory:
        return InMemory(images[indices], labels[indices], spec.augmentation)

    train, test = split(np.arange(len(labels)), TEST_SIZE, _TEST_SEED)
    count = VALIDATION_SIZE if validation_fraction is None else round(validation_fraction * len(train))
    rest = len(train) - count
    if 0 < count < len(spec.labels) or rest < len(spec.labels):
        raise UsageError(
            f"validation_fraction {validation_fraction} splits {len(train)} digits into {rest} and {count}",
            why="each part needs one image of each of the ten classes",
        )
    if count == 0:
        return Source(part(train), None, part(test), spec.labels, "scikit-learn")
    train, held_out = split(train, count, seed)
    return Source(part(train), part(held_out), part(test), spec.labels, "scikit-learn")
