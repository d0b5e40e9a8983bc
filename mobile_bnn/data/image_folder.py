"""Reads a folder of images, one sub-folder a class: PATH/<class>/*.png, or PATH/train|val|test/<class>/*.png."""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mobile_bnn.data.image_checks import Examined, examine
from mobile_bnn.data.image_decoding import reader
from mobile_bnn.data.image_files import LeftOut, images, named, sub_folders
from mobile_bnn.data.pipeline import Source
from mobile_bnn.data.stream import Stream
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.wording import plural

SPLITS = {"train": ("train", "training"), "validation": ("validation", "valid", "val"), "test": ("test", "testing")}
DEFAULT_SIZE = 96
TEST_FRACTION = 0.1  # of each class, where there are no folders of splits
_TEST_SEED = 0  # not the caller's: accuracies of different seeds are on the same test images

Listing = list[tuple[Path, int]]


@dataclass(frozen=True)
class _Layout:
    """The image files of each split with their labels, and what a user should know of how they were told apart."""

    classes: list[str]
    train: Listing
    test: Listing
    validation: Listing = field(default_factory=list)
    note: str = ""


def read(folder: Path, image_size: int | None, seed: int) -> Source:
    """Reads the class folders of `folder`; every image is decoded once to check it.

    Folders of splits are called train or training, val, valid or validation, test or testing, in any case. Without a
    test folder the validation images are the test split, as they are in TensorFlow Datasets. Without any such folder
    a tenth of every class is for testing, always the same images. Standard error tells what was left out.

    Args:
        folder: the folder.
        image_size: height and width of what is delivered, in pixels; 96 if None.
        seed: of the order in which a validation split is held out.

    Raises:
        UsageError: there is no such folder, or its layout is not one of the two.
        MobileBnnError: images cannot be decoded, or a folder cannot be listed.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no image folder {folder}")
    left_out = LeftOut()
    layout = _layout(folder, left_out)
    listed = (*layout.train, *layout.validation, *layout.test)
    examined = examine(sorted(path for path, _ in listed), folder)
    for line in filter(None, (left_out.line(folder), _told(examined, folder), layout.note)):
        with suppress(AttributeError, OSError, ValueError):  # standard error is missing, full or closed
            sys.stderr.write(f"{line}\n")
    size = image_size or DEFAULT_SIZE
    order = np.random.default_rng(seed).permutation(len(layout.train))
    return Source(
        _stream([layout.train[i] for i in order], examined.ways, size),
        _stream(layout.validation, examined.ways, size) if layout.validation else None,
        _stream(layout.test, examined.ways, size),
        tuple(layout.classes),
        f"images in {folder}",
    )


def _told(examined: Examined, folder: Path) -> str:
    count = len(examined.repaired)
    names = named((str(path.relative_to(folder)) for path in examined.repaired), count)
    return f"read in spite of damaged data in {folder}: {plural(count, 'image')} ({names})" if count else ""


def _layout(folder: Path, left_out: LeftOut) -> _Layout:
    inside = sub_folders(folder, left_out)
    splits = _splits(folder, inside)
    if not splits:
        classes = _classes(folder, inside)
        return _Layout(classes, *_split_off_test(folder, classes, left_out))
    left_out.folders.extend(path for path in inside if path not in splits.values())
    classes = _classes(splits["train"], sub_folders(splits["train"], LeftOut()))
    listings = {name: _listing(path, classes, left_out) for name, path in splits.items()}
    if "test" in listings:
        return _Layout(classes, listings["train"], listings["test"], listings.get("validation", []))
    note = f"{folder} has no test folder: the images in {splits['validation'].name} are the test split"
    return _Layout(classes, listings["train"], listings["validation"], note=note)


def _splits(folder: Path, inside: list[Path]) -> dict[str, Path]:
    """The folder of each split; none if the sub-folders are classes, of which one may well be called train."""
    named_so = {split: [path for path in inside if path.name.lower() in names] for split, names in SPLITS.items()}
    only_splits = bool(inside) and sum(map(len, named_so.values())) == len(inside)
    if not only_splits and not any(sub_folders(path, LeftOut()) for path in named_so["train"]):
        return {}
    for paths in named_so.values():
        if len(paths) > 1:
            both = " and ".join(path.name for path in paths)
            raise UsageError(f"{folder} holds {both}, two names of one split", cure="Move one of them away")
    found = {split: path for split, paths in named_so.items() for path in paths}
    if "train" not in found or len(found) == 1:
        has, lacks = ("train", "test") if "train" in found else (" and ".join(p.name for p in found.values()), "train")
        what = f"{folder} has a {has} folder but no {lacks} folder"
        raise UsageError(what, cure=f"Add {lacks}/<class>/ beside {has}/")
    return found


def _classes(folder: Path, inside: list[Path]) -> list[str]:
    names = [path.name for path in inside]
    if len(names) < 2:
        found, cure = f"only one, {names[0]}" if names else "none", "Add them"
        if names and len(sub_folders(inside[0], LeftOut())) > 1:
            cure = f"Did you mean {inside[0]}?"
        raise UsageError(
            f"{folder} needs at least two sub-folders, one for each class", why=f"there is {found}", cure=cure
        )
    for name in names:
        if not name.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise UsageError(f"the name of the class folder {os.fsencode(name)!r} is not UTF-8", cure="Rename it")
    return names


def _images(folder: Path, left_out: LeftOut) -> list[Path]:
    before = len(left_out.others)
    if found := images(folder, left_out):
        return found
    others = [str(path.relative_to(folder)) for path in left_out.others[before:]]
    raise UsageError(
        f"the class folder {folder} holds no images",
        why=f"it cannot read {named(others, len(others))} as images" if others else "",
        cure="Put .png, .jpg, .jpeg files or other usual images into it, or remove it",
    )


def _listing(folder: Path, classes: list[str], left_out: LeftOut) -> Listing:
    if (found := _classes(folder, sub_folders(folder, left_out))) != classes:
        odd = sorted(set(found) ^ set(classes))
        raise UsageError(
            f"{folder} and the training images have different classes",
            why=f"only one of them has {', '.join(odd)}",
            cure="Give both the same sub-folders",
        )
    return [(path, label) for label, name in enumerate(classes) for path in _images(folder / name, left_out)]


def _split_off_test(folder: Path, classes: list[str], left_out: LeftOut) -> tuple[Listing, Listing]:
    """Training and test images of a folder that has no test folder: the same test images in every run."""
    train: Listing = []
    test: Listing = []
    generator = np.random.default_rng(_TEST_SEED)
    for label, name in enumerate(classes):
        paths = _images(folder / name, left_out)
        if len(paths) < 2:
            raise UsageError(f"the class folder {folder / name} holds one image", cure="It needs one to test with too")
        shuffled = [(paths[i], label) for i in generator.permutation(len(paths))]
        count = max(1, round(len(paths) * TEST_FRACTION))
        train += shuffled[count:]
        test += shuffled[:count]
    return train, test


def _stream(listing: Listing, ways: dict[Path, int], image_size: int) -> Stream:
    paths = [os.fsencode(path) for path, _ in listing]
    labels = np.array([label for _, label in listing], np.int64)
    how = np.array([ways[path] for path, _ in listing], np.int32)
    dataset = tf.data.Dataset.from_tensor_slices(((paths, how), labels))
    # Only paths are shuffled, so the whole split fits into the buffer.
    return Stream(dataset, len(listing), reader(how), (image_size, image_size, 3), shuffle_buffer=len(listing))
