"""Folders as VOC and COCO lay them out: boxes and label maps, splits, and files that are damaged or hostile."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as reference

from mobile_bnn import data, tasks
from mobile_bnn.data.coco_masks import decoded_runs
from mobile_bnn.errors import MobileBnnError, UsageError
from tests.support.annotated_folders import CORNERS, OBJECT, SIDE, coco, lists, voc

BOXES = tasks.create("detection").training().augment
MASKS = tasks.create("segmentation").training().augment


def edit(folder: Path, **changes: object) -> None:
    """Replaces parts of a COCO folder's JSON; a function gets the old part and changes it."""
    path = folder / "annotations" / "instances.json"
    content = json.loads(path.read_text())
    for key, change in changes.items():
        content[key] = change(content[key]) or content[key] if callable(change) else change
    path.write_text(json.dumps(content))


def load(name: str, changes: object, **options: object) -> data.Dataset:
    return data.load(name, changes=changes, image_size=SIDE, augment=False, validation_fraction=0, **options)


def test_boxes_of_voc_are_shares_of_the_image(tmp_path):
    lists(voc(tmp_path), "Main", train=[0, 1, 2, 3], test=[4, 5])
    found = load(f"voc_folder:{tmp_path}", BOXES, batch_size=4)
    assert (found.info.labels, found.info.train_size, found.info.test_size) == (("ball", "cup"), 4, 2)
    _, rows = found.test_arrays()
    np.testing.assert_allclose(rows[0, 0], [6 / 30, 10 / SIDE, 18 / 30, 30 / SIDE, 0, 0], atol=1e-6)
    assert rows[1, 0, 4] == 1
    assert (rows[:, 1, 4] == -1).all(), "padding"
    images, targets = next(found.train().as_numpy_iterator())
    difficult = targets[targets[..., 5] == 1]
    np.testing.assert_allclose(difficult, [[0, 0, 4 / 30, 4 / SIDE, 1, 1]], atol=1e-6)
    # The bright patch is where the box says.
    y0, x0, y1, x1 = np.round(targets[0, 0, :4] * SIDE).astype(int)
    assert images[0, y0 + 1 : y1 - 1, x0 + 1 : x1 - 1, 0].min() > 0 > images[0, :, : x0 - 1, 0].max()


def test_masks_of_voc_are_palette_indices(tmp_path):
    lists(voc(tmp_path), "Segmentation", train=[0, 1, 2], val=[3, 4])
    found = load(f"voc_folder:{tmp_path}", MASKS, batch_size=3)
    assert found.info.labels[:3] == ("background", "aeroplane", "bicycle")
    assert found.info.test_size == 2  # without a test list the validation images
    images, masks = found.test_arrays()
    assert masks.shape == (2, SIDE, SIDE)
    assert set(np.unique(masks)) == {0, 1, 2, 255}
    inside = masks[0] == 2
    assert images[0][inside][:, 0].mean() > 0 > images[0][masks[0] == 0][:, 0].max() - 1
    (tmp_path / "labels.txt").write_text("background\nball\ncup\n")
    assert load(f"voc_folder:{tmp_path}", MASKS).info.labels == ("background", "ball", "cup")
    (tmp_path / "labels.txt").write_text("background\nball\n")
    with pytest.raises(MobileBnnError, match=r"labels.txt names 2 classes: the label maps go up to 2. Write one name"):
        load(f"voc_folder:{tmp_path}", MASKS)


def test_without_lists_a_tenth_is_for_testing(tmp_path):
    voc(tmp_path, 11)
    first, second = (load(f"voc_folder:{tmp_path}", BOXES, seed=seed) for seed in (0, 1))
    assert (first.info.train_size, first.info.test_size) == (10, 1)
    np.testing.assert_array_equal(first.test_arrays()[0], second.test_arrays()[0])


def test_boxes_of_coco(tmp_path):
    found = load(f"coco_folder:{coco(tmp_path, 11)}", BOXES, batch_size=20)
    assert (found.info.labels, found.info.train_size, found.info.test_size) == (("ball", "cup"), 10, 1)
    _, rows = next(found.train().as_numpy_iterator())
    ordinary = rows[(rows[..., 4] >= 0) & (rows[..., 5] == 0)]
    np.testing.assert_allclose(ordinary[:, :4], [[6 / 30, 10 / SIDE, 18 / 30, 30 / SIDE]] * 10, atol=1e-6)
    np.testing.assert_allclose(rows[rows[..., 5] == 1], [[20 / 30, 5 / SIDE, 25 / 30, 9 / SIDE, 1, 1]], atol=1e-6)


def test_masks_of_coco_are_what_pycocotools_paints(tmp_path):
    found = load(f"coco_folder:{coco(tmp_path)}", MASKS, batch_size=20)
    assert found.info.labels == ("background", "ball", "cup")
    _, masks = next(found.train().as_numpy_iterator())
    expected = reference.decode(reference.frPyObjects([[10, 6, 30, 6, 30, 18, 10, 18]], 30, SIDE))[..., 0]
    sizes = {int((mask == 1).sum()) for mask in masks} | {int((mask == 2).sum()) for mask in masks}
    stretched = np.asarray(Image.fromarray(expected).resize((SIDE, SIDE), Image.Resampling.NEAREST)).sum()
    assert sizes <= {0, int(stretched)}
    assert sum((mask == 255).any() for mask in masks) <= 1


def test_run_lengths_are_those_of_pycocotools():
    generator = np.random.default_rng(0)
    for _ in range(50):
        inside = np.asfortranarray(generator.random((17, 23)) < generator.random(), dtype=np.uint8)
        text = reference.encode(inside)["counts"].decode()
        runs = decoded_runs(text)
        painted = np.repeat(np.arange(len(runs)) % 2, runs).reshape(23, 17).T
        np.testing.assert_array_equal(painted, inside)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<annotation><object>", "not an annotation of VOC"),
        (b"\x00\xff", "not an annotation of VOC"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "it declares entities or a document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "it declares entities or a document type"),
        (b'<?xml version="1.0" encoding="nonsense"?><annotation/>', "not an annotation of VOC"),
        (b"<annotation><object><bndbox/></object></annotation>", "an object has no name"),
        (b"<annotation><object><name>a</name></object></annotation>", "the box of a 'a' lacks numbers"),
        (
            f"<annotation>{OBJECT.format('a', 0, CORNERS.format(1, 1, 'inf', 2))}</annotation>".encode(),
            "the box of a 'a' is not finite",
        ),
        (
            f"<annotation>{OBJECT.format('a', 0, CORNERS.format(9, 9, 4, 20))}</annotation>".encode(),
            "has an empty box of a 'a'",
        ),
        (
            f"<annotation>{OBJECT.format('a', 0, CORNERS.format(90, 90, 94, 95))}</annotation>".encode(),
            "has an empty box of a 'a'",
        ),
        (
            f"<annotation><size><width>7</width><height>9</height></size>"
            f"{OBJECT.format('a', 0, CORNERS.format(1, 1, 4, 5))}</annotation>".encode(),
            "has 40 × 30 pixels: its annotation tells of 7 × 9",
        ),
    ],
)
def test_hostile_xml_is_refused_in_one_line(tmp_path, content, message):
    voc(tmp_path)
    (tmp_path / "Annotations" / "im3.xml").write_bytes(content)
    with pytest.raises(MobileBnnError, match=message) as caught:
        load(f"voc_folder:{tmp_path}", BOXES)
    assert "\n" not in str(caught.value)
    assert "im3" in str(caught.value)


def first(key: str, value: object) -> object:
    """Changes the first record of a list."""

    def change(records: list[dict[str, object]]) -> None:
        records[0][key] = value

    return change


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, "it has no list of images"),
        (
            {"images": first("file_name", "../../secret.png")},
            r"images\[0\]: the file name '../../secret.png' leads out",
        ),
        ({"images": first("file_name", "/etc/passwd")}, "leads out of the folder"),
        ({"images": first("file_name", "none.png")}, "there is no image none.png"),
        ({"images": first("height", 0)}, r"images\[0\]: 0 is not a number of pixels"),
        ({"images": first("height", 31)}, "has 40 × 30 pixels: its annotation tells of 40 × 31"),
        ({"annotations": first("bbox", [1, 2, 3])}, r"annotations\[0\]"),
        ({"annotations": first("bbox", [1, 2, float("nan"), 3])}, "its box is not finite"),
        ({"annotations": first("category_id", 5)}, "there is no category 5"),
        ({"annotations": first("image_id", 5)}, "there is no image 5"),
        ({"annotations": first("image_id", True)}, "'True' is not a whole number"),
        ({"annotations": [3]}, r"annotations\[0\]"),
        ({"categories": [], "annotations": []}, "name no categories"),
    ],
)
def test_hostile_json_is_refused_in_one_line(tmp_path, changes, message):
    edit(coco(tmp_path), **changes)
    with pytest.raises(MobileBnnError, match=message) as caught:
        load(f"coco_folder:{tmp_path}", BOXES)
    assert "\n" not in str(caught.value)


def test_json_without_end_is_refused(tmp_path):
    (coco(tmp_path) / "annotations" / "instances.json").write_text("[" * 100_000)
    with pytest.raises(MobileBnnError, match="is not COCO's JSON"):
        load(f"coco_folder:{tmp_path}", BOXES)


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ({"size": [30, SIDE], "counts": [5, 10**9]}, "its run lengths do not cover 1200 pixels"),
        ({"size": [30, SIDE], "counts": [-5, 1205]}, "its run lengths do not cover 1200 pixels"),
        ({"size": [10**6, 10**6], "counts": [10**12]}, "is not that of the image"),
        ({"size": [30, SIDE], "counts": "oooo"}, "its run lengths are"),
        ({"size": [30, SIDE], "counts": "é"}, "are not COCO's text form"),
        ([[1, 2, 3]], "a polygon is not a list of three points or more"),
        ([["a", 2, 3, 4, 5, 6]], "could not convert"),
        ({}, "'counts'"),
    ],
)
def test_hostile_segmentations_are_refused(tmp_path, segmentation, message):
    edit(coco(tmp_path), annotations=lambda records: [{**each, "segmentation": segmentation} for each in records])
    found = load(f"coco_folder:{tmp_path}", MASKS)
    with pytest.raises(MobileBnnError, match=message):
        found.test_arrays()


def test_polygons_far_outside_are_cut_off(tmp_path):
    far = [[-1e9, 6, 1e9, 6, 1e9, 18, -1e9, 18]]
    edit(coco(tmp_path), annotations=lambda records: [{**each, "segmentation": far} for each in records])
    _, masks = load(f"coco_folder:{tmp_path}", MASKS).test_arrays()
    assert (masks[0][10] > 0).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no png", "is not a label map"),
        (b"\x89PNG\r\n\x1a\n", "is not a label map"),
        ("RGB", "its pixels are RGB, not numbers of classes. Save it with a palette"),
        (None, "there is no label map"),
    ],
)
def test_hostile_label_maps_are_refused(tmp_path, content, message):
    lists(voc(tmp_path), "Segmentation", train=[0, 1, 2, 3, 4])
    path = tmp_path / "SegmentationClass" / "im3.png"
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        Image.new(content, (SIDE, 30)).save(path)
    with pytest.raises(MobileBnnError, match=message):
        load(f"voc_folder:{tmp_path}", MASKS)


def test_lists_do_not_lead_out_of_the_folder(tmp_path):
    lists(voc(tmp_path), "Main", train=[0, 1])
    (tmp_path / "ImageSets" / "Main" / "train.txt").write_text("../../etc/passwd\n")
    with pytest.raises(MobileBnnError, match="that is not the name of an image"):
        load(f"voc_folder:{tmp_path}", BOXES)


def test_wrong_use_is_one_line(tmp_path):
    with pytest.raises(UsageError, match="there is no image folder"):
        load(f"voc_folder:{tmp_path / 'none'}", BOXES)
    with pytest.raises(UsageError, match=r"holds no folder JPEGImages. A VOC folder has JPEGImages and Annotations"):
        load(f"voc_folder:{tmp_path}", BOXES)
    with pytest.raises(UsageError, match=r"holds no annotations/\*.json"):
        load(f"coco_folder:{tmp_path}", BOXES)
    with pytest.raises(UsageError, match=r"is not for classification: its images show several objects. Train with"):
        data.load(f"coco_folder:{tmp_path}")
    with pytest.raises(UsageError, match=r"digits has no boxes: each of its images has one class. Choose synth"):
        data.load("digits", changes=BOXES)
