"""Folders of images: both layouts, sizes, and every mistake in them."""

import numpy as np
import pytest

from mobile_bnn import data
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import tf

COLORS = {"apple": (200, 0, 0), "leaf": (0, 200, 0), "sky": (0, 0, 200)}


def write(folder, classes=("apple", "leaf", "sky"), count=10, encode="png"):
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = np.full((20 + i, 30, 3), COLORS[name], np.uint8)
            content = tf.io.encode_png(pixels) if encode == "png" else tf.io.encode_jpeg(pixels, quality=100)
            (folder / name / f"{i}.{encode}").write_bytes(content.numpy())


def load(folder, **options):
    return data.load(f"image_folder:{folder}", **options)


@pytest.mark.parametrize("encode", ["png", "jpg"])
def test_classes_are_folders(tmp_path, encode):
    write(tmp_path, encode=encode)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "apple" / "notes.txt").write_text("not an image")
    images = load(tmp_path, batch_size=4, validation_fraction=0.2)
    info = images.info
    assert (info.labels, info.input_shape) == (("apple", "leaf", "sky"), (96, 96, 3))
    assert (info.train_size, info.validation_size, info.test_size) == (22, 5, 3)
    for split in (images.train(), images.validation, images.test):
        for pixels, labels in split.as_numpy_iterator():
            np.testing.assert_array_equal(pixels.mean((1, 2)).argmax(1), labels)
            assert pixels.max() == pytest.approx((200 - 127.5) / 127.5, abs=0.03)


def test_test_images_are_the_same_for_every_seed_and_of_every_class(tmp_path):
    write(tmp_path)
    first, second = load(tmp_path, seed=0), load(tmp_path, seed=1)
    np.testing.assert_array_equal(first.test_arrays()[0], second.test_arrays()[0])
    assert sorted(first.test_arrays()[1]) == [0, 1, 2]


def test_split_folders_are_taken_as_they_are(tmp_path):
    for split, count in (("train", 4), ("validation", 3), ("test", 2)):
        write(tmp_path / split, count=count)
    info = load(tmp_path, image_size=32).info
    assert (info.train_size, info.validation_size, info.test_size, info.input_shape) == (12, 9, 6, (32, 32, 3))
    assert "random crop" in info.augmentation
    assert load(tmp_path, augment=False).info.augmentation == "none"


def test_a_corrupt_image_is_named(tmp_path):
    write(tmp_path)
    bad = tmp_path / "leaf" / "5.png"
    bad.write_bytes(bad.read_bytes()[:-30])
    with pytest.raises(MobileBnnError, match=r"cannot read the image .*leaf/5\.png: its \d+ bytes are no whole PNG"):
        load(tmp_path)
    bad.write_bytes(b"")
    with pytest.raises(MobileBnnError, match=r"leaf/5\.png: its 0 bytes .* Replace or remove it"):
        load(tmp_path)


def test_layout_mistakes_are_explained(tmp_path):
    with pytest.raises(UsageError, match=r"there is no image folder .*nowhere"):
        load(tmp_path / "nowhere")
    (tmp_path / "flat").mkdir()
    with pytest.raises(UsageError, match="needs at least two sub-folders, one for each class: there is none"):
        load(tmp_path / "flat")
    write(tmp_path / "single", ["apple"])
    with pytest.raises(UsageError, match="there is only one, apple"):
        load(tmp_path / "single")
    write(tmp_path / "empty")
    (tmp_path / "empty" / "void").mkdir()
    with pytest.raises(UsageError, match=r"the class folder .*void holds no images. Put \.png, \.jpg, .jpeg files"):
        load(tmp_path / "empty")
    write(tmp_path / "few", count=1)
    with pytest.raises(UsageError, match=r"apple holds one image. It needs one to test with too"):
        load(tmp_path / "few")


def test_split_mistakes_are_explained(tmp_path):
    write(tmp_path / "train")
    with pytest.raises(UsageError, match="has a train folder but no test folder"):
        load(tmp_path)
    write(tmp_path / "test", ["apple", "leaf"])
    with pytest.raises(UsageError, match="different classes: only one of them has sky"):
        load(tmp_path)


def test_a_fraction_that_leaves_nothing_to_train_is_refused(tmp_path):
    write(tmp_path, count=2)
    with pytest.raises(UsageError, match=r"validation_fraction 0\.9 leaves none of 3 images to train with"):
        load(tmp_path, validation_fraction=0.9)
