"""The first frame of an image file as Pillow decodes it, in the file's own mode."""

import os

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from saccade.errors import InputError
from saccade.files import check_readable, one_line, reading
from saccade.images.decoders import EXPECTED
from saccade.images.header import (
    ALWAYS_COLORED,
    ALWAYS_COPIED,
    ALWAYS_PIXELS,
    check_pixels,
    open_unlimited,
)

_FRAMES = dict.fromkeys(("PNG", "GIF", "WEBP", "AVIF"), "frames") | {"TIFF": "pages"}
_FRAMES["MPO"] = "images"
_BAND = 8_000_000  # pixels that are converted at once


def decode_image(
    path: str | os.PathLike[str],
    *,
    rawmode: str | None = None,
    shape: tuple[int, int] | None = None,
    page: int = 0,
) -> Image.Image:
    """Decode the first frame of an image file and leave it in the file's own mode.

    Nothing is converted and no EXIF orientation applied (TIFF excepted, where Pillow does it):
    label images need their values as they are. `rawmode` replaces Pillow's name of the file's
    pixel layout. With `shape`, (H, W), an image of another size is refused before it is decoded;
    one that lies on its side may still be turned by its EXIF orientation. `page` is the index of
    another frame.

    Raises:
        InputError: as `load_image`, or another size than `shape`.
    """
    return decode_first(path, rawmode=rawmode, shape=shape, page=page)[0]


def decode_first(
    path: str | os.PathLike[str],
    *,
    rawmode: str | None = None,
    shape: tuple[int, int] | None = None,
    page: int = 0,
) -> tuple[Image.Image, tuple[str, ...]]:
    """`decode_image`, and a remark on the other frames, if there are any.

    Example:
        >>> red, blue = (Image.new("RGB", (3, 2), color) for color in ("red", "blue"))
        >>> red.save("two.png", save_all=True, append_images=[blue])
        >>> decode_first("two.png")[1]
        ('the first of 2 frames',)
    """
    path = check_readable(path)
    try:
        with open(path, "rb") as file, open_unlimited(file) as image:
            size = image.height, image.width
            check_pixels(path, *size, shape if shape == size else None)
            remarks = _frames_remark(image)
            if page:
                image.seek(page)
            size = image.height, image.width
            lies = shape not in (None, size) and shape == size[::-1]
            always = small_file_pixels(image)
            check_pixels(path, *size, None if lies else shape, always=always)
            if rawmode is not None and isinstance(image, ImageFile.ImageFile):
                image.tile = [tile._replace(args=rawmode) for tile in image.tile]
            image.load()
            return image, remarks
    except (InputError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: not an image that can be read ({EXPECTED})") from error
    except Exception as error:  # decoders raise nearly anything on a damaged file
        raise InputError(f"{path}: damaged or truncated image ({one_line(error)})") from error


def converted(path: str | os.PathLike[str], image: Image.Image, mode: str) -> Image.Image:
    """A decoded image in another mode of Pillow.

    Raises:
        InputError: its palette or its transparency is damaged.
    """
    with reading(path, "damaged image"):
        return image.convert(mode)


def array_of(path: str | os.PathLike[str], image: Image.Image, mode: str) -> NDArray[np.uint8]:
    """A decoded image of 8 bits in another mode of Pillow, as an array.

    A large one is converted a band of rows at a time, as Pillow needs three times its memory.

    Raises:
        InputError: its palette or its transparency is damaged.

    Example:
        >>> array_of("grey.png", Image.new("L", (3, 2)), "RGB").shape
        (2, 3, 3)
    """
    rows = max(1, _BAND // image.width)
    if image.height <= rows:
        return np.asarray(converted(path, image, mode))
    bands = range(0, image.height, rows)
    result: NDArray[np.uint8] | None = None
    for top in bands:
        box = (0, top, image.width, min(top + rows, image.height))
        part = np.asarray(converted(path, image.crop(box), mode))
        if result is None:
            result = np.empty((image.height, *part.shape[1:]), np.uint8)
        result[top : box[3]] = part
    assert result is not None
    return result


def small_file_pixels(image: Image.Image) -> int:
    """The most pixels of a small file, so that it costs less than a gigabyte and 5 s."""
    layout = getattr(image, "tile", None) or [None]
    wide = "16" in str(getattr(layout[0], "args", ""))  # which is decoded twice
    if image.format in ("WEBP", "AVIF", "JPEG2000") or (image.format == "PNG" and wide):
        return ALWAYS_COPIED
    return ALWAYS_PIXELS if image.mode in ("1", "L", "P") else ALWAYS_COLORED


def _frames_remark(image: Image.Image) -> tuple[str, ...]:
    if image.format == "ICO":
        count = len(image.info.get("sizes", ()))
        return (f"the largest of {count} sizes",) if count > 1 else ()
    kind = _FRAMES.get(image.format or "")
    try:
        count = int(getattr(image, "n_frames", 1)) if kind else 1
    except Exception as error:  # decoders raise nearly anything; the first frame is whole
        return (f"the first of some {kind}; what follows is damaged ({one_line(error)})",)
    return (f"the first of {count} {kind}",) if count > 1 else ()
