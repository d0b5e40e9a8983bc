"""Reads a folder of images, one sub-folder a class: PATH/<class>/*.png, or PATH/train|validation|test/<class>/*.png."""

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from mobile_bnn.data.pipeline import Source
from mobile_bnn.data.stream import Stream, decode
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import tf

SUFFIXES = (".png", ".jpg", ".jpeg")
DEFAULT_SIZE = 96
TEST_FRACTION = 0.1  # of each class, where there is no test folder
_TEST_SEED = 0  # not the caller's: accuracies of different seeds are on the same test images

Listing = list[tuple[Path, int]]


def _sub_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    images = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not images:
        raise UsageError(
            f"the class folder {folder} holds no images",
            cure=f"Put {', '.join(SUFFIXES)} files into it, or remove it",
        )
    return images


def _classes(folder: Path) -> list[str]:
    names = [path.name for path in _sub_folders(folder)]
    if len(names) < 2:
        found = f"only one, {names[0]}" if names else "none"
        raise UsageError(
            f"{folder} needs at least two sub-folders, one for each class", why=f"there is {found}", cure="Add them"
        )
    return names


def _listing(folder: Path, classes: list[str]) -> Listing:
    if (found := _classes(folder)) != classes:
        odd = sorted(set(found) ^ set(classes))
        raise UsageError(
            f"{folder} and the training images have different classes",
            why=f"only one of them has {', '.join(odd)}",
            cure="Give both the same sub-folders",
        )
    return [(path, label) for label, name in enumerate(classes) for path in _images(folder / name)]


def _split_off_test(folder: Path, classes: list[str]) -> tuple[Listing, Listing]:
    """Training and test images of a folder that has no test folder: the same test images in every run."""
    train: Listing = []
    test: Listing = []
    generator = np.random.default_rng(_TEST_SEED)
    for label, name in enumerate(classes):
        images = _images(folder / name)
        if len(images) < 2:
            raise UsageError(f"the class folder {folder / name} holds one image", cure="It needs one to test with too")
        shuffled = [(images[i], label) for i in generator.permutation(len(images))]
        count = max(1, round(len(images) * TEST_FRACTION))
        train += shuffled[count:]
        test += shuffled[:count]
    return train, test


def _read_image(path: object) -> object:
    return decode(tf.io.read_file(path), channels=3)


def _check(listing: Listing) -> None:
    """Decodes every image once, so that a damaged one is named now and does not end a training hours later."""
    paths = [str(path) for path, _ in listing]
    images = tf.data.Dataset.from_tensor_slices(paths).map(
        lambda path: tf.size(_read_image(path)), num_parallel_calls=tf.data.AUTOTUNE
    )
    console, checked = Console(stderr=True), 0
    try:
        for _ in track(
            images, "checking images", len(paths), console=console, transient=True, disable=not console.is_terminal
        ):
            checked += 1
    except tf.errors.OpError as error:
        path = listing[checked][0]
        raise MobileBnnError(
            f"cannot read the image {path}",
            why=f"its {path.stat().st_size:,} bytes are no whole PNG or JPEG",
            cure="Replace or remove it",
        ) from error


def _stream(listing: Listing, image_size: int) -> Stream:
    dataset = tf.data.Dataset.from_tensor_slices(
        ([str(path) for path, _ in listing], np.array([label for _, label in listing], np.int64))
    )
    shape = (image_size, image_size, 3)
    # Only paths are shuffled, so the whole split fits into the buffer.
    return Stream(dataset, len(listing), _read_image, shape, shuffle_buffer=len(listing))


def read(folder: Path, image_size: int | None, seed: int) -> Source:
    """Reads the class folders of `folder`; every image is decoded once to check it.

    Without train and test folders, a tenth of every class is for testing, always the same images.

    Args:
        folder: the folder.
        image_size: height and width of what is delivered, in pixels; 96 if None.
        seed: of the order in which a validation split is held out.

    Raises:
        UsageError: there is no such folder, or its layout is not one of the two.
        MobileBnnError: an image cannot be decoded.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no image folder {folder}")
    size = image_size or DEFAULT_SIZE
    validation = None
    if (folder / "train").is_dir():
        classes = _classes(folder / "train")
        if not (folder / "test").is_dir():
            raise UsageError(f"{folder} has a train folder but no test folder", cure="Add test/<class>/ beside train/")
        train, test = _listing(folder / "train", classes), _listing(folder / "test", classes)
        if (folder / "validation").is_dir():
            validation = _listing(folder / "validation", classes)
    else:
        classes = _classes(folder)
        train, test = _split_off_test(folder, classes)
    _check([*train, *(validation or []), *test])
    order = np.random.default_rng(seed).permutation(len(train))
    return Source(
        _stream([train[i] for i in order], size),
        _stream(validation, size) if validation else None,
        _stream(test, size),
        tuple(classes),
        f"images in {folder}",
    )
