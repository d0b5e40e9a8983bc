"""What is drawn onto pictures: captions, boxes and areas, at the places that were seen."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobile_bnn.pipeline import pictures
from mobile_bnn.pipeline.seen import Seen, SeenArea, SeenObject
from mobile_bnn.runtime import ClassScore

GREY = np.full((300, 500, 3), 90, np.uint8)


def changed(seen: Seen, image: np.ndarray = GREY) -> np.ndarray:
    """Which pixels of a picture are others than before, bool [height, width]."""
    drawn = np.asarray(pictures.draw(image, seen))
    assert drawn.shape == image.shape
    return (drawn != image).any(-1)


def test_a_box_is_drawn_where_the_object_is():
    box = (0.4, 0.2, 0.8, 0.6)
    picture = np.asarray(pictures.draw(GREY, Seen(objects=[SeenObject(3, "cup", 0.91, box)])))
    outline = (picture == pictures.color(3)).all(-1)
    rows, columns = np.flatnonzero(outline.any(1)), np.flatnonzero(outline.any(0))
    assert (columns[0], columns[-1], rows[-1]) == (100, 299, 239)
    assert outline[120:240, 100].all(), "the left side"
    assert (picture[130:230, 110:290] == 90).all(), "the inside stays"
    assert rows[0] < 120, "the caption stands above the box"


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (0, 0, 1, 1), (0.99, 0.99, 1, 1), (0.5, 0.9, 0.4, 0.8)])
def test_boxes_at_the_border_and_empty_ones_are_drawn(box):
    assert changed(Seen(objects=[SeenObject(0, "a", 1.0, box)])).any()


def test_the_background_of_a_map_is_not_tinted():
    mask = np.zeros((10, 10), np.uint8)
    mask[5:, 5:] = 2
    areas = [SeenArea(0, "background", 0.75), SeenArea(2, "path", 0.25)]
    tinted = changed(Seen(areas=areas, mask=mask))
    assert tinted[150:, 250:].all()
    assert not tinted[150:, :250].any()
    assert not tinted[40:150].any()
    assert tinted[:40, :100].any(), "the names stand in the corner"
    picture = np.asarray(pictures.draw(GREY, Seen(areas=areas, mask=mask)))
    expected = (np.array(pictures.color(2)) + 90) / 2
    np.testing.assert_allclose(picture[200, 400], expected, atol=1)


def test_classes_are_a_caption():
    classes = [ClassScore(0, "Sneaker", 0.9), ClassScore(1, "Bag", 0.1)]
    one, two = (changed(Seen(classes=classes[:count])) for count in (1, 2))
    assert one[:10, :10].any()
    assert np.flatnonzero(two.any(1)).max() > np.flatnonzero(one.any(1)).max()


def test_hostile_names_are_drawn_as_text():
    label = "\x1b[31m\n" + "x" * 10_000 + "\U0001f600"
    assert changed(Seen(objects=[SeenObject(10**9, label, 0.5, (0.1, 0.1, 0.9, 0.9))])).any()


@pytest.mark.parametrize(
    ("shape", "size"), [((8, 8, 1), (400, 400)), ((30, 40, 3), (400, 300)), ((20, 9, 4), (180, 400))]
)
def test_small_pictures_are_enlarged(shape, size):
    picture = pictures.draw(np.full(shape, 7, np.uint8), Seen())
    assert (picture.size, picture.mode) == (size, "RGB")
    assert (np.asarray(picture) == 7).all()


def test_nothing_is_overwritten(tmp_path):
    picture = Image.new("RGB", (4, 4))
    paths = [pictures.save(picture, tmp_path / "new", Path(name)) for name in ("a/x.jpg", "b/x.png", "x.gif")]
    assert [path.name for path in paths] == ["x.png", "x-2.png", "x-3.png"]
    assert Image.open(paths[0]).size == (4, 4)
