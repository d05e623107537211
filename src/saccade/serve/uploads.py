"""Checks of image files before anything is decoded, and names for uploads."""

import io
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from PIL import UnidentifiedImageError

from saccade.errors import InputError
from saccade.files import last_part, one_line
from saccade.folders import name_key
from saccade.images import header_of, read_image
from saccade.serve.errors import UploadError, renamed
from saccade.serve.settings import Limits
from saccade.suffixes import IMAGE_SUFFIXES

_MAX_NAME = 120
TEMPORARY = "upload-4f1d"  # readers put it into messages, where it is replaced
T = TypeVar("T")


def upright_size(data: Any, limits: Limits, name: str) -> tuple[int, int]:
    """(width, height) upright from the header of an image file, before anything is decoded.

    Args:
        data: bytes of the file, or the file opened in binary mode.
        limits: of pixels and of each side; larger images are refused.
        name: the file's name in messages.

    Raises:
        UploadError: no image, or too many pixels, or a side too long.
    """
    try:
        file = io.BytesIO(data) if isinstance(data, bytes) else data
        _, (height, width), turned = header_of(file)
        check_size(width, height, limits, name)  # before EXIF, for which Pillow decodes a PNG
        if turned():
            width, height = height, width
    except UploadError:
        raise
    except UnidentifiedImageError as error:
        raise UploadError(
            f"{name}: not an image that can be read (expected PNG, JPEG, TIFF, BMP, WebP, ...)", 415
        ) from error
    except Exception as error:  # decoders raise nearly anything on a damaged file
        raise UploadError(f"{name}: damaged image ({one_line(error)})", 415) from error
    return width, height


def check_size(width: int, height: int, limits: Limits, name: str) -> None:
    """Raise UploadError where an image has too many pixels, one alone, or a side too long."""
    if width * height < 2:
        raise UploadError(
            f"{name}: {width} x {height} pixels, expected at least 2: there is nothing to tell "
            "apart in one",
            415,
        )
    if width * height > limits.pixels:
        most = limits.pixels
        megapixels = f"{most // 10**6} megapixels" if most >= 10**6 else f"{most} pixels"
        raise UploadError(
            f"{name}: {width} x {height} pixels are more than the {megapixels} that are taken; "
            "scale it down",
            413,
        )
    if max(width, height) > limits.side:
        raise UploadError(
            f"{name}: {width} x {height} pixels, expected at most {limits.side} on each side; "
            "crop it",
            413,
        )


def check_decodes(path: Path, name: str) -> tuple[str, ...]:
    """Remarks on an image that can be decoded; messages call it `name`.

    Raises:
        UploadError: it cannot be decoded.
    """
    try:
        return read_image(path).remarks
    except InputError as error:
        raise UploadError(renamed(error, path, name).full, 415) from error


def safe_name(name: str) -> str:
    """A file name made of an upload's own: no folders, no odd characters, not too long."""
    base = last_part(name)
    stem, suffix = os.path.splitext(re.sub(r"[^\w.\- ]", "_", base).strip(". "))
    suffix = suffix if suffix.lower() in IMAGE_SUFFIXES else ".png"
    return f"{stem[:_MAX_NAME] or 'upload'}{suffix}"


def file_name(name: str | None) -> str:
    """The name of an upload without its folders, for messages."""
    return last_part(name or "file") or "file"


def read_upload(data: bytes, name: str, read: Callable[[Path], T]) -> T:
    """Read an uploaded file with something that reads paths; messages call the file `name`.

    Raises:
        InputError: what `read` raises.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / TEMPORARY
        path.write_bytes(data)
        try:
            return read(path)
        except InputError as error:
            text = error.full.replace(str(path), name).replace(TEMPORARY, name)
            raise InputError(text) from error


def free_path(path: Path) -> Path:
    """The path, or one with a number; two images must not share a stem, as their strokes do."""
    taken = {name_key(file.stem) for file in path.parent.iterdir()}
    free, number = path, 2
    while name_key(free.stem) in taken:
        free, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return free
