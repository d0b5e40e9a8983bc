"""Reads a folder as COCO lays it out, and annotation programs too: annotations/*.json beside folders of images.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014.
"""

from functools import partial
from pathlib import Path

from mobile_bnn.data.annotated_images import AnnotatedImage, Splits, source
from mobile_bnn.data.coco_json import CocoFile, CocoImage, read_coco
from mobile_bnn.data.coco_masks import label_map
from mobile_bnn.data.pipeline import Source
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.typing import Array

_SPLITS = {"train": "train", "validation": "val", "test": "test"}  # by what is in the files' names


def read(folder: Path, kind: str, image_size: int | None, seed: int) -> Source:
    """Reads the images that the JSON files list.

    Args:
        folder: with annotations/, whose files hold train, val or test in their names (one file alone may have any
            name), and the images: in images/, in the folder itself, or in one called as the split, such as train2017.
        kind: of the targets: "boxes" or "masks" (polygons and run lengths painted, crowds do not count).
        image_size: height and width of what is delivered, in pixels; 96 if None.
        seed: of the order in which a validation split is held out.

    Raises:
        UsageError: there is no such folder, or it lacks a part.
        MobileBnnError: a file in it is damaged.
    """
    files = {name: read_coco(path) for name, path in _json_files(folder).items()}
    names: dict[int, str] = {}
    for file in files.values():
        names |= file.categories
    if not names:
        raise UsageError(f"the annotations in {folder} name no categories")
    numbers = {category: number for number, category in enumerate(sorted(names))}
    labels = [names[category] for category in numbers]
    records: dict[Path, CocoImage] = {}
    splits = {}
    for name, file in files.items():
        place = _place_of_images(folder, name, file)
        splits[name] = [_image(place, image, numbers, file.path, records) for image in file.images]
    if kind == "boxes":
        return source(Splits(**splits), folder, labels, image_size, seed)
    mask_of = partial(_mask, records, numbers)
    return source(Splits(**splits), folder, ["background", *labels], image_size, seed, mask_of)


def _mask(records: dict[Path, CocoImage], numbers: dict[int, int], image: AnnotatedImage) -> Array:
    return label_map(records[image.path], numbers)


def _json_files(folder: Path) -> dict[str, Path]:
    place = folder / "annotations"
    found = sorted(place.glob("*.json")) if place.is_dir() else []
    if not found:
        raise UsageError(f"{folder} holds no annotations/*.json", cure="A COCO folder has such, and images")
    if len(found) == 1:
        return {"train": found[0]}
    # COCO's own folder has captions and key points too, whose files list no boxes of all categories.
    objects = [path for path in found if path.name.startswith("instances")] or found
    files: dict[str, Path] = {}
    for split, part in _SPLITS.items():
        named_so = [path for path in objects if part in path.stem.lower()]
        if len(named_so) > 1:
            both = " and ".join(path.name for path in named_so[:2])
            raise UsageError(f"{place} holds {both}, two files of one split", cure="Move one of them away")
        if named_so:
            files[split] = named_so[0]
    if "train" not in files:
        raise UsageError(f"{place} holds no file with train in its name", cure="Name one so, or leave one file alone")
    return files


def _place_of_images(folder: Path, split: str, file: CocoFile) -> Path:
    if not file.images:
        raise MobileBnnError(f"{file.path} lists no images")
    first = file.images[0].file_name
    stem = file.path.stem.removeprefix("instances_")
    names = dict.fromkeys((stem, _SPLITS[split], split, "images", "."))
    places = [folder / name for name in names] + [folder / "images" / name for name in names]
    place = next((place for place in places if (place / first).is_file()), None)
    if place is None:
        raise MobileBnnError(f"there is no image {first} in {folder}", why=f"{file.path.name} lists it")
    return place


def _image(
    place: Path, image: CocoImage, numbers: dict[int, int], file: Path, records: dict[Path, CocoImage]
) -> AnnotatedImage:
    path = place / image.file_name
    if not path.is_file():
        raise MobileBnnError(f"there is no image {path}", why=f"{file.name} lists it")
    records[path] = image
    return AnnotatedImage(path, image.rows(numbers), (image.height, image.width))
