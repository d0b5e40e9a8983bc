"""Which sets have which kind of targets: a class for an image, boxes in it, or a map of labels ("masks")."""

from pathlib import Path

from mobile_bnn.data import coco_folder, voc_folder
from mobile_bnn.data.info import COCO_PREFIX, FOLDER_PREFIX, VOC_PREFIX, base_name
from mobile_bnn.data.memory import check_batch
from mobile_bnn.data.pipeline import Source
from mobile_bnn.errors import UsageError

_ANNOTATED = {VOC_PREFIX: voc_folder.read, COCO_PREFIX: coco_folder.read}
_OF_CLASSES = ("digits", "mnist", "fashion_mnist", "cifar10")


def is_annotated_folder(name: str) -> bool:
    """Whether it is the name of a folder with boxes or masks."""
    return name.startswith(tuple(_ANNOTATED))


def read_annotated_folder(name: str, kind: str, image_size: int | None, seed: int) -> Source:
    """Reads "voc_folder:PATH" or "coco_folder:PATH".

    Args:
        name: one of these.
        kind: of the targets.
        image_size: see `data.load`.
        seed: of the order in which a validation split is held out.

    Raises:
        UsageError: there is no such folder, or the task takes one class for an image.
        MobileBnnError: a file in it is damaged.
    """
    prefix, reader = next(each for each in _ANNOTATED.items() if name.startswith(each[0]))
    if kind == "classes":
        raise UsageError(
            f"{prefix}PATH is not for classification",
            why="its images show several objects",
            cure=f"Train with --task detection or --task segmentation; for one class an image take {FOLDER_PREFIX}PATH",
        )
    folder = Path(name.removeprefix(prefix))
    if not folder.is_dir():
        raise UsageError(f"there is no image folder {folder}")
    if image_size is not None:
        check_batch(1, (image_size, image_size, 3))  # before all images are read in vain
    return reader(folder, kind, image_size, seed)


def check_kind(name: str, kind: str) -> None:
    """Refuses sets of whole images where a task wants places in them.

    Raises:
        UsageError: so it is.
    """
    if kind != "classes" and (name in _OF_CLASSES or name.startswith(FOLDER_PREFIX)):
        raise UsageError(
            f"{base_name(name)} has no {kind}",
            why="each of its images has one class",
            cure=f"Choose synthetic_scenes, {VOC_PREFIX}PATH or {COCO_PREFIX}PATH",
        )
