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
    with pytest.raises(UsageError, match=r"has a train folder but no test folder. Add test/<class>/ beside train/"):
        load(tmp_path)
    write(tmp_path / "test", ["apple", "leaf"])
    with pytest.raises(UsageError, match="different classes: only one of them has sky"):
        load(tmp_path)
    write(tmp_path / "Testing", ["apple", "leaf"])
    with pytest.raises(UsageError, match=r"holds Testing and test, two names of one split. Move one of them away"):
        load(tmp_path)
    (tmp_path / "train").rename(tmp_path / "others")
    (tmp_path / "Testing").rename(tmp_path / "others" / "Testing")
    (tmp_path / "others").rename(tmp_path / "val")
    with pytest.raises(UsageError, match=r"has a val and test folder but no train folder. Add train/<class>/"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Train", "Valid", "Test"), ("TRAINING", "Validation", "testing")],
)
def test_splits_have_many_names(tmp_path, train, validation, test):
    for split, count in ((train, 4), (validation, 3), (test, 2)):
        write(tmp_path / split, count=count)
    info = load(tmp_path).info
    assert (info.labels, info.train_size, info.validation_size, info.test_size) == (tuple(COLORS), 12, 9, 6)


@pytest.mark.parametrize("name", ["val", "valid", "validation", "VAL"])
def test_without_a_test_folder_the_validation_images_are_the_test_split(tmp_path, name, capsys):
    write(tmp_path / "train", count=8)
    write(tmp_path / name, count=3)
    images = load(tmp_path)
    assert (images.info.train_size, images.info.validation_size, images.info.test_size) == (22, 2, 9)
    assert images.test_arrays()[0].shape[0] == 9
    assert capsys.readouterr().err == f"{tmp_path} has no test folder: the images in {name} are the test split\n"


def test_a_class_may_be_called_train(tmp_path):
    write(tmp_path)
    (tmp_path / "sky").rename(tmp_path / "train")
    assert load(tmp_path).info.labels == ("apple", "leaf", "train")


def test_splits_without_classes_are_not_classes(tmp_path):
    write(tmp_path)
    (tmp_path / "apple").rename(tmp_path / "train")
    (tmp_path / "leaf").rename(tmp_path / "test")
    (tmp_path / "sky").rename(tmp_path / "val")
    with pytest.raises(UsageError, match=r"/train needs at least two sub-folders, one for each class: there is none"):
        load(tmp_path)


def test_a_folder_around_the_folder_is_seen_through(tmp_path):
    write(tmp_path / "photos" / "photos")
    with pytest.raises(UsageError, match=r"there is only one, photos. Did you mean .*/photos/photos\?$"):
        load(tmp_path / "photos")


def test_hidden_and_system_files_are_not_trained_on(tmp_path, capsys):
    write(tmp_path)
    for hidden in (".ipynb_checkpoints", ".git/objects", "__MACOSX", "@eaDir"):
        write(tmp_path / "apple" / hidden, ["sky"])
    for name in ("._1.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / "leaf" / name).write_bytes((tmp_path / "leaf" / "1.png").read_bytes())
    write(tmp_path / "__MACOSX")
    write(tmp_path / ".venv")
    info = load(tmp_path, validation_fraction=0).info
    assert (info.labels, info.train_size, info.test_size) == (tuple(COLORS), 27, 3)
    assert capsys.readouterr().err == (
        f"left out of {tmp_path}: 10 hidden or system files "
        "(.venv, __MACOSX, apple/.git, apple/.ipynb_checkpoints, apple/@eaDir and 5 more)\n"
    )


def test_all_that_is_left_out_is_told_in_one_line(tmp_path, capsys):
    write(tmp_path / "train")
    write(tmp_path / "test", count=2)
    write(tmp_path / "old")
    (tmp_path / "train" / "leaf" / "nested" / "deeper").mkdir(parents=True)
    (tmp_path / "train" / "leaf" / "1.png").rename(tmp_path / "train" / "leaf" / "nested" / "deeper" / "1.png")
    (tmp_path / "train" / "leaf" / "2.png").rename(tmp_path / "train" / "2.png")
    (tmp_path / "train" / "leaf" / "nested" / "IMG_1.HEIC").write_text("a photo")
    (tmp_path / "labels.csv").write_text("a,b")
    info = load(tmp_path, validation_fraction=0).info
    assert (info.train_size, info.test_size) == (29, 6)
    assert capsys.readouterr().err == (
        f"left out of {tmp_path}: 1 folder that is not a split (old); 1 image outside the class folders (train/2.png); "
        "2 files that cannot be read as images (labels.csv, train/leaf/nested/IMG_1.HEIC)\n"
    )


def test_a_class_of_other_files_is_explained(tmp_path):
    write(tmp_path)
    for path in (tmp_path / "sky").iterdir():
        path.rename(path.with_suffix(".heic"))
    with pytest.raises(UsageError, match=r"sky holds no images: it cannot read 0.heic, .* and 5 more as images"):
        load(tmp_path)


def test_a_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "my photos")
    info = data.load("image_folder:~/my photos").info
    assert (info.name, info.origin) == (f"image_folder:{tmp_path}/my photos", f"images in {tmp_path}/my photos")
    with pytest.raises(UsageError, match=r"~unknown-user/x begins with no user's home. Write the path in full"):
        data.load("image_folder:~unknown-user/x")


def test_relative_folders_are_found_from_the_run_too(tmp_path, monkeypatch):
    write(tmp_path / "work" / "photos")
    run, elsewhere = tmp_path / "work" / "runs" / "mine", tmp_path / "elsewhere"
    run.mkdir(parents=True)
    elsewhere.mkdir()
    absolute = f"image_folder:{tmp_path}/work/photos"
    monkeypatch.chdir(tmp_path / "work")
    assert data.load("image_folder:photos").info.name == absolute
    assert data.absolute("image_folder:./photos/") == absolute
    monkeypatch.chdir(tmp_path / "work" / "runs")
    assert data.absolute("image_folder:../photos") == absolute
    monkeypatch.chdir(elsewhere)
    assert data.load("image_folder:photos", near=run).info.name == absolute
    with pytest.raises(UsageError) as caught:
        data.load("image_folder:lost", near=run)
    assert str(caught.value) == (f"there is no image folder lost in {elsewhere}, nor in {run} or a folder above it")
    with pytest.raises(UsageError, match=f"there is no image folder photos in {elsewhere}$"):
        data.load("image_folder:photos")
    with pytest.raises(UsageError, match=r"'image_folder:' names no folder. For example: image_folder:photos"):
        data.load("image_folder:")
    assert data.absolute("svhn_cropped", near=run) == "svhn_cropped"


def test_a_fraction_that_leaves_nothing_to_train_is_refused(tmp_path):
    write(tmp_path, count=2)
    with pytest.raises(UsageError, match=r"validation_fraction 0\.9 leaves none of 3 images to train with"):
        load(tmp_path, validation_fraction=0.9)
