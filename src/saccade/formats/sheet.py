"""Many pictures on one: a sheet to look a data set or a prediction over at one glance."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from saccade.errors import InputError
from saccade.images import as_rgb

_GAP = 6


def contact_sheet(
    pictures: Sequence[NDArray[np.uint8]], *, columns: int = 4, width: int = 1600
) -> NDArray[np.uint8]:
    """Lay pictures out in rows, each scaled to fit its cell; the ground is white.

    Args:
        pictures: whatever `as_rgb` takes, of any sizes.
        columns: cells in a row.
        width: of the sheet in pixels.

    Returns:
        (H, `width`, 3) uint8.

    Raises:
        InputError: no pictures.
    """
    if not pictures:
        raise InputError("a sheet needs at least one picture")
    columns = min(columns, len(pictures))
    cell = (width - _GAP * (columns + 1)) // columns
    shares = [picture.shape[0] / picture.shape[1] for picture in pictures]
    # One odd panorama should not decide how tall all rows are.
    height = max(1, round(cell * float(np.median(shares))))
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + _GAP) + _GAP, width, 3), 255, np.uint8)
    for number, picture in enumerate(pictures):
        image = Image.fromarray(as_rgb(picture))
        scale = min(cell / image.width, height / image.height)
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        scaled = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        row, column = divmod(number, columns)
        top = _GAP + row * (height + _GAP) + (height - size[1]) // 2
        left = _GAP + column * (cell + _GAP) + (cell - size[0]) // 2
        sheet[top : top + size[1], left : left + size[0]] = scaled
    return sheet


def lettered(picture: NDArray[np.uint8], text: str, *, width: int = 320) -> NDArray[np.uint8]:
    """Write a word into the lower left corner of a picture, which is enlarged to be read.

    Args:
        picture: (H, W, 3) uint8.
        text: a few letters.
        width: least width of the result, pixels.

    Returns:
        (H, W, 3) uint8, at least `width` wide.
    """
    image = Image.fromarray(as_rgb(picture))
    if image.width < width:
        image = image.resize((width, round(image.height * width / image.width)))
    draw = ImageDraw.Draw(image, "RGBA")
    font = ImageFont.load_default(size=image.width // 16)
    left, top, right, bottom = (int(v) for v in draw.textbbox((0, 0), text, font=font))
    pad = image.width // 50
    corner = (0, image.height - (bottom - top) - 2 * pad)
    draw.rectangle((*corner, right - left + 2 * pad, image.height), fill=(0, 0, 0, 170))
    draw.text((pad - left, corner[1] + pad - top), text, font=font, fill="white")
    return np.asarray(image)


def with_legend(
    sheet: NDArray[np.uint8], names: Sequence[str], colors: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """A sheet with the colours of classes and their names in rows below it.

    Args:
        sheet: (H, W, 3) uint8.
        names: of the K classes.
        colors: (K, 3) uint8.

    Returns:
        (H + h, W, 3) uint8.
    """
    font, box, pad = ImageFont.load_default(size=20), 22, 8
    widths = [box + 3 * pad + round(font.getlength(name)) for name in names]
    places, x, y = [], pad, 0
    for width in widths:
        if x > pad and x + width > sheet.shape[1]:
            x, y = pad, y + box + pad
        places.append((x, y))
        x += width
    ground = Image.new("RGB", (sheet.shape[1], y + box + 2 * pad), "white")
    draw = ImageDraw.Draw(ground)
    for name, color, (left, top) in zip(names, colors.tolist(), places, strict=True):
        draw.rectangle(
            (left, top + pad, left + box, top + pad + box), fill=tuple(color), outline="grey"
        )
        middle = (left + box + pad, top + pad + box // 2)
        draw.text(middle, name, font=font, fill="black", anchor="lm")
    return np.concatenate([sheet, np.asarray(ground)])
