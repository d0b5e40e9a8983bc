"""Every kind of image gives the pixels that training reads from it, through both ways in which training reads."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobile_bnn.runtime.images import SUFFIXES, fit, read_image

PIXELS = np.random.default_rng(3).integers(0, 256, (14, 21, 3)).astype(np.uint8)
RGB = Image.fromarray(PIXELS)
RED, GREEN, BLUE = RGB.split()


def as_in_training(path: Path) -> np.ndarray:
    """uint8 [h, w, 3]."""
    from mobile_bnn.data.image_decoding import reader, way_to_read
    from mobile_bnn.legacy_keras import tf

    way = way_to_read(path)
    return np.asarray(reader([way])((tf.constant(os.fsencode(path)), tf.constant(way))))


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "image", "options"),
    [
        ("grey.png", RED, {}),
        ("grey of 16 bits.png", Image.fromarray(PIXELS[..., 0].astype(np.uint16) << 8 | PIXELS[..., 1]), {}),
        ("grey of 16 bits.tiff", Image.fromarray(PIXELS[..., 0].astype(np.uint16) << 8 | PIXELS[..., 1]), {}),
        ("grey of 16 bits.pgm", Image.fromarray(PIXELS[..., 0].astype(np.uint16) << 8 | PIXELS[..., 1]), {}),
        ("grey and alpha.png", Image.merge("LA", [RED, GREEN]), {}),
        ("alpha.png", Image.merge("RGBA", [*RGB.split(), GREEN]), {}),
        ("one bit.png", RGB.convert("1"), {}),
        ("palette.png", RGB.quantize(16), {}),
        ("one clear color.png", RGB.quantize(16), {"transparency": 3}),
        ("half clear colors.png", RGB.quantize(16), {"transparency": bytes(range(0, 256, 16))}),
        ("clear color of rgb.png", RGB, {"transparency": tuple(map(int, PIXELS[0, 0]))}),
        ("palette.gif", RGB.quantize(16), {}),
        ("clear.gif", RGB.quantize(16), {"transparency": 3}),
        ("grey.bmp", RED, {}),
        ("alpha.webp", Image.merge("RGBA", [*RGB.split(), GREEN]), {"lossless": True, "exact": True}),
        ("cmyk.tiff", RGB.convert("CMYK"), {}),
        ("luma.tiff", RGB.convert("YCbCr"), {}),
        ("lab.tiff", RGB.convert("LAB"), {}),
        ("packed.tiff", RGB, {"compression": "tiff_lzw"}),
    ],
)
def test_lossless_kinds_are_as_in_training(
    name: str, image: Image.Image, options: dict[str, object], tmp_path: Path
) -> None:
    path = save(tmp_path / name, image, **options)
    read, expected = read_image(path), as_in_training(path)
    assert read.shape in (expected.shape, (*expected.shape[:2], 1))
    assert np.array_equal(np.broadcast_to(read, expected.shape), expected)


def test_a_cmyk_jpeg_is_near_training(tmp_path: Path) -> None:
    path = save(tmp_path / "print.jpg", RGB.convert("CMYK"), quality=95)
    difference = np.abs(read_image(path).astype(int) - as_in_training(path))
    assert difference.mean() < 2
    assert difference.max() <= 16


@pytest.mark.parametrize("kind", ["jpg", "png", "tiff", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_kind_is_turned_as_in_training(kind: str, orientation: int, tmp_path: Path) -> None:
    blocks = Image.fromarray(np.kron(PIXELS[:4, :6, :1], np.ones((16, 16, 3), np.uint8)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"turned.{kind}", blocks, exif=exif, quality=100)
    read, expected = read_image(path), as_in_training(path)
    assert read.shape == expected.shape == ((96, 64, 3) if orientation >= 5 else (64, 96, 3))
    difference = np.abs(read.astype(int) - expected).max()
    assert difference <= 16 if kind == "jpg" else difference == 0


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(read_image(save(tmp_path / "odd.png", RGB, exif=exif)), PIXELS)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (4, 16), (16, 4), (5, 7)])
@pytest.mark.parametrize(("high", "wide"), [(40, 40), (40, 90), (91, 40), (1, 1), (1, 30), (2, 3)])
def test_networks_that_are_not_square(height: int, width: int, high: int, wide: int) -> None:
    """The middle, in the network's proportions, 7/8 of the side that bounds it, as TensorFlow resizes it."""
    from mobile_bnn.legacy_keras import tf

    image = np.random.default_rng(4).integers(0, 256, (high, wide, 3)).astype(np.uint8)
    bound = 0.875 * min(high * width, wide * height)
    rows, columns = max(1, round(bound / width)), max(1, round(bound / height))
    assert rows <= high
    assert columns <= wide
    top, left = (high - rows) // 2, (wide - columns) // 2
    expected = tf.image.resize(image[top : top + rows, left : left + columns], (height, width)).numpy()
    assert np.abs(fit(image, height, width, 3) - expected).max() < 1e-4


def test_views_and_what_may_not_be_written() -> None:
    view = np.random.default_rng(5).integers(0, 256, (60, 80, 3)).astype(np.uint8)[::-2, ::3, ::-1]
    expected = fit(np.ascontiguousarray(view), 8, 8, 3)
    view.flags.writeable = False
    before = view.copy()
    assert np.array_equal(fit(view, 8, 8, 3), expected)
    assert np.array_equal(view, before)


def test_what_is_given_back_is_the_caller_s() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    fit(image, 4, 4, 3)[:] = 9
    assert not image.any()


@pytest.mark.parametrize("size", [28, 32, 48, 96, 160, 224, 299])
@pytest.mark.parametrize("side", [*range(4, 125, 24), 156, 244, 492])
def test_halves_of_pixels_are_rounded_as_in_training(size: int, side: int) -> None:
    """7/8 of these sides end in one half, which the least error of rounding would take to the other side."""
    from mobile_bnn.data.augment import central_crop
    from mobile_bnn.legacy_keras import tf

    image = np.random.default_rng(6).integers(0, 256, (side, side + 5, 3)).astype(np.uint8)
    assert np.abs(fit(image, size, size, 3) - central_crop(tf.constant(image), size).numpy()).max() < 1e-4


def test_a_folder_of_images_is_fed_as_its_tests_are(tmp_path: Path) -> None:
    """Among them images of the network's size, of which tests take the middle too."""
    from mobile_bnn.data import image_folder

    for place in ("train/a", "train/b", "test/a", "test/b"):
        (tmp_path / place).mkdir(parents=True)
        for number, (height, width) in enumerate([(96, 96), (124, 200), (300, 96), (500, 333)]):
            pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3)).astype(np.uint8)
            save(tmp_path / place / f"{number}.png", Image.fromarray(pixels))
    expected = np.concatenate([images for images, _ in image_folder.read(tmp_path, 96, 0).test.ordered(8)])
    paths = sorted((tmp_path / "test" / "a").iterdir()) + sorted((tmp_path / "test" / "b").iterdir())
    for path, theirs in zip(paths, expected, strict=True):
        assert np.abs(fit(read_image(path), 96, 96, 3, crop_all=True) - theirs).max() < 1e-4


def test_folders_are_searched_for_the_kinds_that_training_reads() -> None:
    from mobile_bnn.data import image_files

    assert set(image_files.SUFFIXES) == SUFFIXES
