"""Images as training sees them: upright, in the network's channels, cropped and resized as TensorFlow does."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.runtime import images
from mobile_bnn.runtime.images import fit, read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3)).astype(np.uint8)


def encoded(image: Image.Image, kind: str = "png", **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_stand_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(PIXELS).save(path, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    assert np.array_equal(read_image(path), expected)
    assert (expected.shape[:2] == (9, 6)) is (orientation >= 5)


@pytest.mark.parametrize("kind", ["png", "bmp", "tiff", "webp"])
def test_lossless_formats_keep_every_pixel(kind: str) -> None:
    options = {"lossless": True} if kind == "webp" else {}
    assert np.array_equal(read_image(encoded(Image.fromarray(PIXELS), kind, **options)), PIXELS)


def test_jpeg_is_near_what_tensorflow_decodes() -> None:
    from mobile_bnn.legacy_keras import tf

    smooth = Image.fromarray(PIXELS).resize((90, 60), Image.Resampling.BICUBIC)
    content = encoded(smooth, "jpeg", quality=95)
    ours = read_image(content).astype(int)
    theirs = tf.io.decode_image(content, channels=3).numpy().astype(int)
    # TensorFlow's decoder leaves the colours of subsampled pixels unsmoothed and rounds faster.
    assert np.abs(ours - theirs).mean() < 2
    assert np.abs(ours - theirs).max() <= 16


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(PIXELS[..., 0]), PIXELS[..., :1]),
        (Image.fromarray(PIXELS[..., 0]).convert("LA"), PIXELS[..., :1]),
        (Image.fromarray(PIXELS).convert("RGBA"), PIXELS),
        (Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257), PIXELS[..., :1]),
        (Image.fromarray(PIXELS[..., 0] > 127), (PIXELS[..., :1] > 127) * np.uint8(255)),
    ],
)
def test_every_mode_becomes_grey_or_rgb(image: Image.Image, expected: np.ndarray) -> None:
    assert np.array_equal(read_image(encoded(image)), expected)


def test_palettes_and_cmyk() -> None:
    palette = Image.fromarray(PIXELS).quantize(16)
    assert np.array_equal(read_image(encoded(palette)), np.asarray(palette.convert("RGB")))
    cmyk = Image.fromarray(PIXELS).convert("CMYK")
    assert np.array_equal(read_image(encoded(cmyk, "tiff")), np.asarray(cmyk.convert("RGB")))


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.fromarray(np.full((4, 4), level, np.uint8)) for level in (10, 200)]
    content = encoded(frames[0], "gif", save_all=True, append_images=frames[1:])
    assert set(read_image(content).ravel()) == {10}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.png is not an image that can be read"),
        (b"hello", "x.png is not an image that can be read"),
        (encoded(Image.fromarray(PIXELS))[:60], "x.png "),
        (encoded(Image.fromarray(np.zeros((300, 300, 3), np.uint8)), "jpeg")[:300], "x.png cannot be read: "),
    ],
)
def test_what_is_no_image_is_named(
    tmp_path: Path, content: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.png").write_bytes(content)
    with pytest.raises(MobileBnnError) as caught:
        read_image("x.png")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=r"there is no image none\.png"):
        read_image("none.png")


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 50)
    with pytest.raises(MobileBnnError, match="the image has 9 x 6 pixels: that is more than 100 million"):
        read_image(encoded(Image.fromarray(PIXELS)))


@pytest.mark.parametrize(("height", "width"), [(256, 256), (480, 640), (33, 57), (7, 900), (300, 200)])
def test_it_is_cropped_and_resized_as_tests_after_training(height: int, width: int) -> None:
    from mobile_bnn.data.augment import central_crop
    from mobile_bnn.legacy_keras import tf

    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)
    for size in (32, 224):
        if (height, width) != (size, size):
            theirs = central_crop(tf.constant(pixels), size).numpy()
            assert np.abs(fit(pixels, size, size, 3) - theirs).max() < 1e-4


def test_an_image_of_the_network_s_size_stays_as_it_is() -> None:
    assert np.array_equal(fit(PIXELS, 6, 9, 3), PIXELS.astype(np.float32))


def test_channels() -> None:
    grey = PIXELS[..., 0]
    assert np.array_equal(fit(grey, 6, 9, 3), np.repeat(grey[..., None], 3, 2).astype(np.float32))
    luma = np.asarray(Image.fromarray(PIXELS).convert("L"))[..., None]
    assert np.array_equal(fit(PIXELS, 6, 9, 1), luma.astype(np.float32))
    clear = np.concatenate([PIXELS, np.zeros((6, 9, 1), np.uint8)], 2)
    assert np.array_equal(fit(clear, 6, 9, 3), PIXELS.astype(np.float32))
    with pytest.raises(UsageError, match="an image of 2 channels cannot be fed to a network of 3"):
        fit(PIXELS[..., :2], 6, 9, 3)


@pytest.mark.parametrize("image", [PIXELS.astype(np.float32), PIXELS[None], PIXELS[:0]])
def test_what_is_no_array_of_pixels(image: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"an image is uint8 \(height, width, channels\), not "):
        fit(image, 6, 9, 3)
