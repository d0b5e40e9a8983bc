"""Kinds of image files, each pixel by pixel against Pillow; orientation, odd pixels, odd names, and damaged files."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from mobile_bnn import data
from mobile_bnn.data.augment import central_crop
from mobile_bnn.data.image_files import SUFFIXES
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.native_output import is_noise

ORIENTATION = 0x0112
WIDTH, HEIGHT = 50, 36
SIZE = 48
JPEG_ERROR = 12  # of 255: TensorFlow's fast DCT against Pillow's exact one


def smooth(seed=0, size=(WIDTH, HEIGHT)):
    """A photo-like image, so that a JPEG of it is close to it."""
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)


def grey_16():
    return Image.fromarray(np.random.default_rng(1).integers(0, 1 << 16, (HEIGHT, WIDTH)).astype(np.uint16))


def transparent():
    image = smooth()
    image.putalpha(Image.fromarray(np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)))
    return image


def expected(path):
    """The upright RGB pixels by Pillow, of 16 bits of grey the upper 8."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):
            upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
        return np.asarray(upright.convert("RGB"))


def write_folder(folder):
    """Two classes of four images each, the smallest folder of any use."""
    for name in ("first", "second"):
        (folder / name).mkdir(parents=True)
        for i in range(4):
            smooth(i).save(folder / name / f"{i}.png")


def delivered(folder):
    """What training gets without augmentation: float [SIZE, SIZE, 3] for each file's name."""
    source = data.load(f"image_folder:{folder}", image_size=SIZE, augment=False, validation_fraction=0).source
    found = {}
    for split in (source.train, source.test):
        names = (os.fsdecode(path) for (path, _), _ in split.dataset.as_numpy_iterator())
        images = (images[0] for images, _ in split.ordered(1).as_numpy_iterator())
        found |= {Path(name).name: image for name, image in zip(names, images, strict=True)}
    return found


def assert_equals_pillow(image, path, tolerance):
    np.testing.assert_allclose(image, central_crop(expected(path), SIZE).numpy(), atol=tolerance + 1e-3, rtol=0)


KINDS = {
    "plain.png": (smooth(), {}, 0),
    "grey.png": (smooth().convert("L"), {}, 0),
    "grey 16.png": (grey_16(), {}, 0),
    "palette.png": (smooth().quantize(40), {}, 0),
    "bits.png": (smooth().convert("1"), {}, 0),
    "transparent.png": (transparent(), {}, 0),
    "grey transparent.png": (transparent().convert("LA"), {}, 0),
    "photo.jpg": (smooth(), {"quality": 95}, JPEG_ERROR),
    "PHOTO.JPG": (smooth(), {"quality": 95}, JPEG_ERROR),
    "photo.jfif": (smooth(), {"format": "JPEG", "quality": 95}, JPEG_ERROR),
    "grey.jpeg": (smooth().convert("L"), {"quality": 95}, JPEG_ERROR),
    "cmyk.jpg": (smooth().convert("CMYK"), {"quality": 95}, JPEG_ERROR),
    "progressive.jpg": (smooth(), {"progressive": True, "quality": 95}, JPEG_ERROR),
    "phone.jpg": (
        smooth(),
        {"format": "MPO", "save_all": True, "append_images": [smooth(5)], "quality": 95},
        JPEG_ERROR,
    ),
    "animated.gif": (smooth(), {"save_all": True, "append_images": [smooth(5)]}, 0),
    "transparent.gif": (smooth().quantize(30), {"transparency": 3}, 0),
    "plain.bmp": (smooth(), {}, 0),
    "palette.bmp": (smooth().quantize(40), {}, 0),
    "grey.bmp": (smooth().convert("L"), {}, 0),
    "bits.bmp": (smooth().convert("1"), {}, 0),
    "transparent.bmp": (transparent(), {}, 0),
    "plain.webp": (smooth(), {}, 0),
    "transparent.webp": (transparent(), {"lossless": True}, 0),
    "animated.webp": (smooth(), {"save_all": True, "append_images": [smooth(5)], "lossless": True}, 0),
    "plain.tif": (smooth(), {}, 0),
    "packed.tiff": (smooth(), {"compression": "tiff_lzw"}, 0),
    "pages.tiff": (smooth(), {"save_all": True, "append_images": [smooth(5)]}, 0),
    "cmyk.tif": (smooth().convert("CMYK"), {}, 0),
    "grey 16.tif": (grey_16(), {}, 0),
    "plain.ppm": (smooth(), {}, 0),
    "grey.pgm": (smooth().convert("L"), {}, 0),
    "grey 16.pgm": (grey_16(), {}, 0),
    "plain.avif": (smooth(), {}, 0),
    "plain.jp2": (smooth(), {}, 0),
    "a PNG named.jpg": (smooth(), {"format": "PNG"}, 0),
    "a WebP named.png": (smooth(), {"format": "WEBP", "lossless": True}, 0),
    "a BMP named.jpeg": (smooth().quantize(40), {"format": "BMP"}, 0),
    "Ünï [1] {2} *? 日本.png": (smooth(), {}, 0),
    "Ünï [1] {2} *? 日本.webp": (smooth(), {"lossless": True}, 0),
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    write_folder(folder)
    for name, (image, options, _) in KINDS.items():
        image.save(folder / "first" / name, **options)
    return folder, delivered(folder)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_reads_as_pillow_reads_it(kinds, name):
    folder, images = kinds
    assert_equals_pillow(images[name], folder / "first" / name, KINDS[name][2])


def test_every_suffix_that_is_taken_is_tried():
    assert {Path(name).suffix.lower() for name in KINDS} | {".jpe", ".dib", ".pbm", ".pnm"} == set(SUFFIXES)


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """One photo for each orientation that EXIF knows, and for two that it does not, in every kind that records it."""
    folder = tmp_path_factory.mktemp("turned")
    write_folder(folder)
    for orientation in range(10):
        record = Image.Exif()
        record[ORIENTATION] = orientation
        for suffix in ("jpg", "png", "webp", "tiff"):
            options = {"quality": 95} if suffix == "jpg" else {"lossless": True} if suffix == "webp" else {}
            smooth().save(folder / "second" / f"turned {orientation}.{suffix}", exif=record, **options)
    return folder, delivered(folder)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_photos_are_upright(turned, orientation, suffix):
    folder, images = turned
    name = f"turned {orientation}.{suffix}"
    assert_equals_pillow(images[name], folder / "second" / name, JPEG_ERROR if suffix == "jpg" else 0)


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'


def test_orientation_is_found_wherever_pillow_finds_it(tmp_path):
    write_folder(tmp_path)
    record = Image.Exif()
    record[ORIENTATION] = 6
    first = tmp_path / "first"
    smooth().save(first / "xmp.jpg", xmp=XMP, quality=95)
    smooth().save(first / "icc.jpg", exif=record, icc_profile=bytes(200_000), quality=95)
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    smooth().save(first / "xmp.png", pnginfo=text)
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n{len(record.tobytes()):8}\n{record.tobytes().hex()}\n", zip=True)
    smooth().save(first / "imagemagick.png", pnginfo=text)
    images = delivered(tmp_path)
    for name in ("xmp.jpg", "icc.jpg", "xmp.png", "imagemagick.png"):
        with Image.open(first / name) as image:
            assert ImageOps.exif_transpose(image).size == (HEIGHT, WIDTH)
        assert_equals_pillow(images[name], first / name, JPEG_ERROR if name.endswith("jpg") else 0)


def test_the_orientations_are_told_apart(turned):
    _, images = turned
    for one in range(1, 9):
        for other in range(one):
            differ = np.abs(images[f"turned {one}.jpg"] - images[f"turned {other}.jpg"]).max() > 2 * JPEG_ERROR
            assert differ == (other != 0 or one != 1)  # 0 is none, so upright as 1 is


def test_a_damaged_exif_record_turns_nothing(tmp_path):
    write_folder(tmp_path)
    path = tmp_path / "first" / "photo.jpg"
    smooth().save(path, exif=b"Exif\0\0" + b"\xff" * 40, quality=95)
    plain = smooth()
    plain.save(tmp_path / "first" / "plain.jpg", quality=95)
    images = delivered(tmp_path)
    np.testing.assert_array_equal(images["photo.jpg"], images["plain.jpg"])


def test_links_are_followed_and_those_without_an_end_are_not(tmp_path, capsys):
    write_folder(tmp_path / "images")
    smooth(9).save(tmp_path / "elsewhere.png")
    (tmp_path / "more").mkdir()
    smooth(8).save(tmp_path / "more" / "more.png")
    first = tmp_path / "images" / "first"
    (first / "linked.png").symlink_to(tmp_path / "elsewhere.png")
    (first / "folder").symlink_to(tmp_path / "more")
    (first / "round").symlink_to(first)
    (tmp_path / "images" / "third").symlink_to(tmp_path / "images" / "second")
    info = data.load(f"image_folder:{tmp_path / 'images'}", validation_fraction=0).info
    assert info.labels == ("first", "second", "third")
    assert info.train_size + info.test_size == 4 + 2 + 4 + 4
    assert f"left out of {tmp_path / 'images'}: 1 file that cannot be read as an image (first/round)" in (
        capsys.readouterr().err
    )


def test_names_that_are_not_utf_8_are_read(tmp_path):
    write_folder(tmp_path)
    path = os.fsencode(tmp_path / "first") + b"/\xff\xfe.png"
    with open(path, "wb") as file:  # noqa: PTH123 - a path of bytes
        smooth(7).save(file, format="PNG")
    info = data.load(f"image_folder:{tmp_path}", validation_fraction=0).info
    assert info.train_size + info.test_size == 9


def test_class_folders_whose_names_are_not_utf_8_are_refused(tmp_path):
    write_folder(tmp_path)
    os.rename(tmp_path / "first", os.fsencode(tmp_path) + b"/\xff")  # noqa: PTH104 - a path of bytes
    with pytest.raises(UsageError, match=r"the name of the class folder b'\\xff' is not UTF-8. Rename it"):
        data.load(f"image_folder:{tmp_path}")


def broken():
    """Files that no image can be made of: name, content, and what is said of them."""
    content = io.BytesIO()
    smooth().save(content, "WEBP")
    webp = content.getvalue()
    content = io.BytesIO()
    Image.fromarray(np.ones((5, 5), np.float32)).save(content, "TIFF")
    return {
        "a empty.jpg": (b"", "its 0 bytes are no whole JPEG"),
        "b page.png": (b"<html>not found</html>", "its 22 bytes are no whole PNG"),
        "c cut.webp": (webp[: len(webp) // 2], "are no whole WebP"),
        "d floats.tif": (content.getvalue(), "its pixels are 32-bit numbers of no known range"),
        "e text.gif": (b"hello", "its 5 bytes are no whole GIF"),
    }


def test_all_damaged_files_are_named(tmp_path):
    write_folder(tmp_path)
    for name, (content, _) in broken().items():
        (tmp_path / "first" / name).write_bytes(content)
    (tmp_path / "second" / "lost.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "second" / "pipe.png")
    with pytest.raises(MobileBnnError) as caught:
        data.load(f"image_folder:{tmp_path}")
    message = str(caught.value)
    assert message.startswith(f"cannot read 7 of the 15 images in {tmp_path}: first/a empty.jpg (its 0 bytes are no ")
    for name, (_, why) in broken().items():
        assert f"first/{name} (" in message
        assert why in message
    assert "second/lost.png (it is a link to nothing)" in message
    assert "second/pipe.png (it is not a file)" in message
    assert message.endswith(". Replace or remove them")
    assert "\n" not in message
    assert caught.value.exit_code == 1


def test_of_many_damaged_files_the_first_ten_are_named(tmp_path):
    write_folder(tmp_path)
    for i in range(300):
        (tmp_path / "first" / f"{i:03}.jpg").write_bytes(b"")
    with pytest.raises(MobileBnnError) as caught:
        data.load(f"image_folder:{tmp_path}")
    assert str(caught.value).startswith("cannot read 300 of the 308 images in ")
    assert str(caught.value).count("its 0 bytes are no whole JPEG") == 10
    assert "009.jpg (its 0 bytes are no whole JPEG) and 290 more. Replace" in str(caught.value)


TRAINING = """
import sys
from mobile_bnn.legacy_keras import tf
tf.keras.utils.set_random_seed(0)  # as a training does
tf.config.experimental.enable_op_determinism()
from mobile_bnn import data
images = data.load("image_folder:" + sys.argv[1], image_size=24)
for _ in range(2):
    for _ in images.train():
        pass
"""


def test_data_that_libjpeg_repairs_is_told_of_once_and_nothing_else_is_printed(tmp_path):
    write_folder(tmp_path)
    content = io.BytesIO()
    smooth().save(content, "JPEG", quality=95)
    whole = content.getvalue()
    (tmp_path / "first" / "grey half.jpg").write_bytes(whole[: len(whole) * 2 // 3] + b"\xff\xd9")
    (tmp_path / "second" / "whole.jpg").write_bytes(whole)
    command = [sys.executable, "-c", TRAINING, tmp_path]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    told = [line for line in finished.stderr.splitlines() if not is_noise(line)]  # TensorFlow's own, of some processors
    assert told == [f"read in spite of damaged data in {tmp_path}: 1 image (first/grey half.jpg)"]


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_images_that_are_gone_since_they_were_checked_end_in_one_error(tmp_path, suffix):
    write_folder(tmp_path)
    for i in range(4):
        smooth(i).save(tmp_path / "second" / f"more {i}.{suffix}")
    images = data.load(f"image_folder:{tmp_path}")
    for path in tmp_path.rglob(f"*.{suffix}"):
        path.unlink()
    message = (
        rf"^cannot read the data set \(images in {tmp_path}\): .*No such file or directory.*\. Restore what is missing"
    )
    with pytest.raises(MobileBnnError, match=message) as caught, images.reading():
        list(images.train())
    assert "\n" not in str(caught.value)


LEFT_RUNNING = """
import sys
from mobile_bnn import data
images = data.load("image_folder:" + sys.argv[1], image_size=24, batch_size=4, validation_fraction=0)
batches = iter(images.train(0, 1000))
next(batches)
sys.exit(3)
"""


def test_a_program_can_end_while_pillow_reads_for_it(tmp_path):
    write_folder(tmp_path)
    for i in range(20):
        smooth(i, (600, 400)).save(tmp_path / "first" / f"large {i}.tiff")
    finished = subprocess.run([sys.executable, "-c", LEFT_RUNNING, tmp_path], timeout=600, check=False)
    assert finished.returncode == 3
