"""Small folders as VOC and COCO lay them out, whose images have a bright patch where their annotations say."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as reference

SIDE = 40  # width; images are 30 high
OBJECT = "<object><name>{}</name><difficult>{}</difficult><bndbox>{}</bndbox></object>"
CORNERS = "<xmin>{1}</xmin><ymin>{0}</ymin><xmax>{3}</xmax><ymax>{2}</ymax>"


def picture(path: Path, number: int) -> None:
    """A dark image with a bright patch, whose colour tells its number."""
    pixels = np.full((30, SIDE, 3), 10, np.uint8)
    pixels[6:18, 10:30] = (200, 20 * number % 256, 100)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def voc(folder: Path, count: int = 6) -> Path:
    for number in range(count):
        picture(folder / "JPEGImages" / f"im{number}.png", number)
        box = CORNERS.format(7, 11, 18, 30)
        objects = OBJECT.format("cup" if number % 2 else "ball", 0, box)
        if number == 0:
            objects += OBJECT.format("cup", 1, CORNERS.format(1, 1, 4, 4))
        size = f"<size><width>{SIDE}</width><height>30</height></size>"
        annotation = folder / "Annotations" / f"im{number}.xml"
        annotation.parent.mkdir(exist_ok=True)
        annotation.write_text(f"<annotation>{size}{objects}</annotation>")
        labels = np.zeros((30, SIDE), np.uint8)
        labels[6:18, 10:30] = 1 + number % 2
        labels[0] = 255
        mask = Image.fromarray(labels)
        mask.putpalette([each for index in range(256) for each in (index, 255 - index, 7)])
        (folder / "SegmentationClass").mkdir(exist_ok=True)
        mask.save(folder / "SegmentationClass" / f"im{number}.png")
    return folder


def lists(folder: Path, kind: str, **names: list[int]) -> None:
    place = folder / "ImageSets" / kind
    place.mkdir(parents=True)
    for name, numbers in names.items():
        (place / f"{name}.txt").write_text("".join(f"im{number}\n" for number in numbers))


def coco(folder: Path, count: int = 6) -> Path:
    images, annotations = [], []
    for number in range(count):
        picture(folder / "images" / f"im{number}.png", number)
        images.append({"id": 10 + number, "file_name": f"im{number}.png", "height": 30, "width": SIDE})
        polygon = [[10, 6, 30, 6, 30, 18, 10, 18]]
        one = {"image_id": 10 + number, "category_id": 3 + 4 * (number % 2), "bbox": [10, 6, 20, 12], "iscrowd": 0}
        annotations.append({"id": number, "segmentation": polygon, **one})
    crowd = np.zeros((30, SIDE), np.uint8, order="F")
    crowd[20:25, 5:9] = 1
    runs = reference.encode(crowd)
    runs = {"size": runs["size"], "counts": runs["counts"].decode()}
    annotations.append(
        {"id": 99, "image_id": 10, "category_id": 7, "bbox": [5, 20, 4, 5], "iscrowd": 1, "segmentation": runs}
    )
    categories = [{"id": 7, "name": "cup"}, {"id": 3, "name": "ball"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations").mkdir()
    (folder / "annotations" / "instances.json").write_text(json.dumps(content))
    return folder
