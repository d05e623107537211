"""Many pictures on one: a sheet to look a data set or a prediction over at one glance."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.data.images import as_rgb
from saccade.errors import InputError

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
