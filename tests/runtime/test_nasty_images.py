"""Files that are damaged, cut off, lie about their size, or are not what they are called: one line each."""

import io
import struct
import subprocess
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, features

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.runtime.images import read_image

KINDS = ["png", "jpeg", "gif", "bmp", "tiff", "webp", "ppm"]
AVIF = pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")


def encoded(kind: str) -> bytes:
    """A small image with an EXIF record, where the kind can have one."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x011A] = 6, "a picture", 72.0
    image = Image.fromarray(np.random.default_rng(6).integers(0, 256, (12, 17, 3)).astype(np.uint8))
    content = io.BytesIO()
    image.save(content, kind, exif=exif)
    return content.getvalue()


def one_line(content: bytes) -> str:
    """What is said of bytes; an empty string if they can be read."""
    try:
        pixels = read_image(content)
    except MobileBnnError as error:
        text = str(error)
        assert text.startswith("the image ")
        assert text.isprintable()
        return text
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] in (1, 3)
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_are_cut_off(kind: str) -> None:
    content = encoded(kind)
    assert one_line(content) == ""
    said = [one_line(content[:length]) for length in range(len(content))]
    assert all(said[: len(content) // 2])  # the last bytes of some kinds hold no pixels


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims these sizes."""

    def record(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + record(b"IHDR", head) + record(b"IDAT", zlib.compress(b"\0")) + record(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(65535, 65535), (2**31 - 1, 1), (1, 2**31 - 1), (12000, 12000)])
def test_few_bytes_that_claim_many_pixels(width: int, height: int) -> None:
    assert "pixels" in one_line(bomb(width, height))


def test_many_pixels_that_are_allowed() -> None:
    """Of these the pixels themselves are missing."""
    assert one_line(bomb(300, 200)).startswith("the image cannot be read: ")


@pytest.mark.parametrize(
    "content", [b"\0" * 4096, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7\n", b"GIF89a"]
)
def test_what_is_something_else(content: bytes) -> None:
    assert one_line(content) == "the image is not an image that can be read"


def test_the_content_tells_the_kind_and_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encoded("png"))
    assert read_image(tmp_path / "photo.jpg").shape == (17, 12, 3)


def test_names_that_are_no_files(tmp_path: Path) -> None:
    for name in (tmp_path, f"{tmp_path}/a\0b.png", f"{tmp_path}/{'long' * 99}.png"):
        with pytest.raises(MobileBnnError, match="cannot be read: "):
            read_image(name)


@pytest.mark.parametrize("kind", [*KINDS, "mpo", pytest.param("avif", marks=AVIF)])
def test_files_with_wrong_bytes(kind: str) -> None:
    """Neither another error than ours nor a warning, whatever becomes of them."""
    content, generator = encoded(kind), np.random.default_rng(7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(400):
            damaged = bytearray(content)
            for place in generator.integers(0, min(len(damaged), 400), generator.integers(1, 8)):
                damaged[place] = generator.choice([0, 1, 127, 128, 255])
            one_line(bytes(damaged))


@pytest.mark.parametrize("kind", ["eps", "ico", "tga", "pcx", "dds", "pdf"])
def test_kinds_that_training_does_not_read_start_no_program(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, kind)
    started: list[object] = []
    monkeypatch.setattr(subprocess, "check_call", lambda *arguments, **_: started.append(arguments))
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", "gs")
    assert one_line(content.getvalue()) == "the image is not an image that can be read"
    assert not started


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_numbers_of_no_known_range(dtype: type) -> None:
    content = io.BytesIO()
    Image.fromarray(np.ones((4, 4), dtype)).save(content, "tiff")
    assert one_line(content.getvalue()).endswith("cannot be read: its pixels are 32-bit numbers of no known range")
