"""Draws what a file sees onto the picture, with Pillow: captions, boxes, coloured areas."""

import colorsys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mobile_bnn.files import atomic_file
from mobile_bnn.report.formats import percent, printable
from mobile_bnn.typing import Array

if TYPE_CHECKING:
    from mobile_bnn.pipeline.seen import Seen, SeenObject
    from mobile_bnn.runtime.images import Pixels

_LEAST_SIDE = 400  # smaller pictures are enlarged by a whole factor: text would not fit on them
_GOLDEN_RATIO = 0.618034  # hues of successive numbers lie far apart
_OPACITY = 0.5  # of an area
_MARGIN = 4
_Color = tuple[int, int, int]


def color(number: int) -> _Color:
    """The colour of a class: the same in every picture."""
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN_RATIO % 1, 0.75, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def draw(image: "Pixels", seen: "Seen") -> Image.Image:
    """The picture with what was seen on it, RGB.

    Pictures of less than 400 pixels are enlarged by a whole factor, without smoothing.

    Args:
        image: uint8 [height, width, 1, 3 or 4].
        seen: on it.
    """
    picture = _enlarged(_rgb(image))
    if seen.mask is not None:
        picture = _with_areas(picture, seen.mask)
    font = _font(picture)
    canvas = ImageDraw.Draw(picture)
    for each in reversed(seen.objects):  # the most probable last, on top of the others
        _draw_object(canvas, each, picture.size, font)
    if seen.classes:
        _draw_lines(canvas, [(f"{each.label} {percent(each.score, 1)}", None) for each in seen.classes], font)
    if seen.mask is not None:
        lines = [(f"{each.label} {percent(each.share, 1)}", color(each.index)) for each in seen.areas if each.index]
        _draw_lines(canvas, lines, font)
    return picture


def save(picture: Image.Image, folder: Path, source: Path) -> Path:
    """Writes a picture as folder/NAME.png, or NAME-2.png and so on where that is another image's; returns where.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / f"{source.stem}.png", 2
    while path.exists():
        path, number = folder / f"{source.stem}-{number}.png", number + 1
    with atomic_file(path) as part:
        picture.save(part, "PNG")
    return path


def _rgb(image: "Pixels") -> Image.Image:
    channels = image.shape[2]
    return Image.fromarray(np.repeat(image, 3, axis=2) if channels == 1 else image[..., :3])


def _enlarged(picture: Image.Image) -> Image.Image:
    factor = -(-_LEAST_SIDE // max(picture.size))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def _font(picture: Image.Image) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    return ImageFont.load_default(max(11, round(max(picture.size) / 40)))


def _with_areas(picture: Image.Image, mask: Array) -> Image.Image:
    """Every class but the background tinted with its colour; the map is stretched over the picture."""
    colors = np.array([color(number) for number in range(256)], np.uint8)
    tinted = Image.fromarray(colors[mask]).resize(picture.size, Image.Resampling.NEAREST)
    opacity = Image.fromarray(np.where(mask > 0, round(255 * _OPACITY), 0).astype(np.uint8))
    return Image.composite(tinted, picture, opacity.resize(picture.size, Image.Resampling.NEAREST))


def _draw_object(
    canvas: ImageDraw.ImageDraw,
    each: "SeenObject",
    size: tuple[int, int],
    font: "ImageFont.FreeTypeFont | ImageFont.ImageFont",
) -> None:
    top, left, bottom, right = each.box
    corners = (left * size[0], top * size[1], right * size[0] - 1, bottom * size[1] - 1)
    corners = (corners[0], corners[1], max(corners[0], corners[2]), max(corners[1], corners[3]))
    canvas.rectangle(corners, outline=color(each.index), width=max(2, round(max(size) / 250)))
    text = printable(f"{each.label} {percent(each.score, 0)}", 60)
    width, height = _size_of(canvas, text, font)
    x = min(corners[0], max(0, size[0] - width))
    y = corners[1] - height if corners[1] >= height else corners[1]
    _draw_text(canvas, (x, y), text, font, color(each.index))


def _draw_lines(
    canvas: ImageDraw.ImageDraw,
    lines: Sequence[tuple[str, _Color | None]],
    font: "ImageFont.FreeTypeFont | ImageFont.ImageFont",
) -> None:
    """Lines from the upper left corner down."""
    y = 0.0
    for text, background in lines:
        text = printable(text, 60)
        _draw_text(canvas, (0, y), text, font, background or (255, 255, 255))
        y += _size_of(canvas, text, font)[1]


def _size_of(
    canvas: ImageDraw.ImageDraw, text: str, font: "ImageFont.FreeTypeFont | ImageFont.ImageFont"
) -> tuple[float, float]:
    _, _, right, bottom = canvas.textbbox((0, 0), text, font=font)
    return right + 2 * _MARGIN, bottom + 2 * _MARGIN


def _draw_text(
    canvas: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    font: "ImageFont.FreeTypeFont | ImageFont.ImageFont",
    background: _Color,
) -> None:
    width, height = _size_of(canvas, text, font)
    canvas.rectangle((*place, place[0] + width, place[1] + height), fill=background)
    canvas.text((place[0] + _MARGIN, place[1] + _MARGIN), text, fill=(0, 0, 0), font=font)
