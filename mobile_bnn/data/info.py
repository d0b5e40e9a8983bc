"""What is known of a data set without reading it: names, labels, normalization and the usual augmentation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Augmentation:
    """Random changes to a training image of fixed size: a crop from the zero-padded image, and a mirrored copy.

    Args:
        pad: pixels of zeros added on every side before the crop back to the old size; 0 to 2·pad is the shift.
        flip: mirror every second image, left to right.
    """

    pad: int
    flip: bool

    def __str__(self) -> str:
        return f"zero-pad {self.pad} and crop" + (", horizontal flip" if self.flip else "")


@dataclass(frozen=True)
class SetSpec:
    """A data set's conventions. `mean` and `std` are on pixels of 0 to 255: one a channel, or one for all."""

    labels: tuple[str, ...] = ()
    mean: tuple[float, ...] = (127.5,)
    std: tuple[float, ...] = (127.5,)
    augmentation: Augmentation | None = None


@dataclass(frozen=True)
class DatasetInfo:
    """What a model and a report need to know of a data set.

    Attributes:
        name: the name it was loaded by.
        input_shape: (height, width, channels).
        labels: the class names, in the order of the label numbers.
        mean, std: one value per channel; an input is (pixel − mean) / std with pixels of 0 to 255.
        train_size, validation_size, test_size: samples in each split.
        augmentation: what training images go through, in words.
        origin: where the data came from, in words.
    """

    name: str
    input_shape: tuple[int, int, int]
    labels: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train_size: int
    validation_size: int
    test_size: int
    augmentation: str
    origin: str

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.labels)


_DIGITS = tuple("0123456789")
_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

SPECS = {
    # One pixel is an eighth of an 8×8 image: shifted by as much, digits cost a small network 3 points of accuracy.
    "digits": SetSpec(_DIGITS),
    # A mirrored digit is another sign, so digits are only shifted.
    "mnist": SetSpec(_DIGITS, augmentation=Augmentation(pad=1, flip=False)),
    # Every item is centred and every shoe points to the left, in the test split too: larger shifts and mirrored
    # shoes would spend a small network's capacity on images that never come.
    "fashion_mnist": SetSpec(_FASHION, augmentation=Augmentation(pad=1, flip=False)),
    "cifar10": SetSpec(
        _CIFAR10,
        mean=(125.307, 122.950, 113.865),
        std=(62.993, 62.089, 66.705),
        augmentation=Augmentation(pad=4, flip=True),
    ),
    "cifar100": SetSpec(augmentation=Augmentation(pad=4, flip=True)),
    "synthetic_scenes": SetSpec(),
}


def base_name(name: str) -> str:
    """The set's own name in TensorFlow Datasets' "name/config:version"."""
    return name.split("/")[0].split(":")[0]


FOLDER_PREFIX, VOC_PREFIX, COCO_PREFIX = FOLDER_PREFIXES = ("image_folder:", "voc_folder:", "coco_folder:")
NAMES = (
    *("digits", "mnist", "fashion_mnist", "cifar10", "synthetic_scenes"),
    *(f"{prefix}PATH" for prefix in FOLDER_PREFIXES),
)
OTHERS = "or any set of TensorFlow Datasets for image classification or, with --task detection, with boxes"
