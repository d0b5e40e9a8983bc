"""Reads a folder as PASCAL VOC lays it out, and annotation programs too: JPEGImages, Annotations, ImageSets.

Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective", IJCV 2015.
"""

from pathlib import Path

from mobile_bnn.data.annotated_images import AnnotatedImage, Splits, source
from mobile_bnn.data.image_files import SUFFIXES
from mobile_bnn.data.label_maps import IGNORED
from mobile_bnn.data.pipeline import Source
from mobile_bnn.data.voc_masks import mask_path, mask_pixels
from mobile_bnn.data.voc_xml import Annotation, read_annotation
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.typing import Array

VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_IMAGES, _ANNOTATIONS, _SETS, _NAMES = "JPEGImages", "Annotations", "ImageSets", "labels.txt"
_MOST_NAMES = 1_000_000


def read(folder: Path, kind: str, image_size: int | None, seed: int) -> Source:
    """Reads the images that ImageSets lists, or all that are annotated.

    Args:
        folder: with JPEGImages, and Annotations (boxes) or SegmentationClass (label maps). ImageSets/Main and
            ImageSets/Segmentation may hold train.txt, val.txt and test.txt, or trainval.txt; without them a tenth of
            the images are for testing. labels.txt names the classes of label maps, the background first.
        kind: of the targets: "boxes" or "masks".
        image_size: height and width of what is delivered, in pixels; 96 if None.
        seed: of the order in which a validation split is held out.

    Raises:
        UsageError: there is no such folder, or it lacks a part.
        MobileBnnError: a file in it is damaged.
    """
    parts = {"boxes": (_IMAGES, _ANNOTATIONS), "masks": (_IMAGES, "SegmentationClass")}[kind]
    for part in parts:
        if not (folder / part).is_dir():
            raise UsageError(f"{folder} holds no folder {part}", cure=f"A VOC folder has {' and '.join(parts)}")
    return _boxes(folder, image_size, seed) if kind == "boxes" else _masks(folder, image_size, seed)


def _boxes(folder: Path, image_size: int | None, seed: int) -> Source:
    lists = _lists(folder, "Main") or {"train": _stems(folder / _ANNOTATIONS, {".xml"})}
    images = _images(folder)
    annotations = {
        name: [(stem, read_annotation(folder / _ANNOTATIONS / f"{stem}.xml")) for stem in stems]
        for name, stems in lists.items()
    }
    labels = sorted({each.name for found in annotations.values() for _, one in found for each in one.objects})
    if not labels:
        raise UsageError(f"the annotations in {folder} tell of no object")
    numbers = {label: number for number, label in enumerate(labels)}

    def image(stem: str, annotation: Annotation) -> AnnotatedImage:
        path = _image(images, stem, folder)
        return AnnotatedImage(path, annotation.rows(numbers, path), annotation.size)

    splits = {name: [image(*each) for each in found] for name, found in annotations.items()}
    return source(Splits(**splits), folder, labels, image_size, seed)


def _masks(folder: Path, image_size: int | None, seed: int) -> Source:
    lists = _lists(folder, "Segmentation") or {"train": _stems(folder / "SegmentationClass", {".png"})}
    images = _images(folder)
    splits: dict[str, list[AnnotatedImage]] = {}
    largest = 0
    for name, stems in lists.items():
        for stem in stems:
            mask = mask_pixels(mask_path(folder, stem))
            largest = max(largest, int(mask[mask != IGNORED].max(initial=0)))
            size = (mask.shape[0], mask.shape[1])
            splits.setdefault(name, []).append(AnnotatedImage(_image(images, stem, folder), size=size))

    def mask_of(image: AnnotatedImage) -> Array:
        return mask_pixels(mask_path(folder, image.path.stem))

    return source(Splits(**splits), folder, _mask_labels(folder, largest), image_size, seed, mask_of)


def _mask_labels(folder: Path, largest: int) -> list[str]:
    path = folder / _NAMES
    if not path.is_file():
        voc = ["background", *VOC_CLASSES]
        return voc if largest < len(voc) else ["background", *(f"class {number}" for number in range(1, largest + 1))]
    labels = _lines(path)
    if largest >= len(labels) or len(labels) < 2:
        raise MobileBnnError(
            f"{path} names {len(labels)} classes",
            why=f"the label maps go up to {largest}",
            cure="Write one name in each line, the background first",
        )
    return labels


def _lists(folder: Path, kind: str) -> dict[str, list[str]]:
    """The names of the images of each split; none where there is no list."""
    place = folder / _SETS / kind
    found = {name: _names(place / f"{name}.txt") for name in ("train", "trainval", "val", "test")}
    known = {name: stems for name, stems in found.items() if stems}
    if not known:
        return {}
    train = known.get("train") or known.get("trainval")
    if not train:
        raise UsageError(f"{place} lists no images to train with", cure="Add train.txt")
    rest = {"validation": known.get("val", []) if "train" in known else [], "test": known.get("test", [])}
    return {"train": train, **{name: stems for name, stems in rest.items() if stems}}


def _names(path: Path) -> list[str]:
    """The first word of each line. A list from elsewhere must not lead out of its folder."""
    names = [line.split()[0] for line in _lines(path)] if path.is_file() else []
    for name in names:
        if Path(name).name != name or name in (".", ".."):
            raise MobileBnnError(f"{path} lists {name[:80]!r}", why="that is not the name of an image")
    return names


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MobileBnnError(f"{path} cannot be read as text", why=type(error).__name__) from error
    return [line.strip() for line in lines[:_MOST_NAMES] if line.strip()]


def _stems(folder: Path, suffixes: set[str]) -> list[str]:
    found = sorted(path.stem for path in folder.iterdir() if path.suffix.lower() in suffixes)
    if not found:
        raise UsageError(f"{folder} holds no {' or '.join(sorted(suffixes))} file")
    return found


def _images(folder: Path) -> dict[str, Path]:
    inside = sorted((folder / _IMAGES).iterdir())
    return {path.stem: path for path in inside if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")}


def _image(images: dict[str, Path], stem: str, folder: Path) -> Path:
    if stem not in images:
        raise MobileBnnError(f"there is no image {stem} in {folder / _IMAGES}", why="it is listed or annotated")
    return images[stem]
