"""The mask in the container of its image, where a PNG would lose axes, pixel size or place."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade.copies import copied
from saccade.errors import InputError
from saccade.stores import is_remote, version_of

if TYPE_CHECKING:
    from saccade.images import Georeference, Image

OWN = "own"
"""Name of the format, and of the folder beside the masks of another one."""

_PLAIN = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
"""Pictures without pixel size or place: those in a store need not be fetched to know."""

_TIFFS = (".tif", ".tiff", ".btf", ".tf8")


def own_name(image: Path) -> str | None:
    """The name of the mask of an image in its own container; None where a PNG loses nothing.

    Images of several slices or times, of which only the first is segmented, have none.
    """
    from saccade.images import is_picture

    if is_remote(image):
        plain = image.suffix.lower() in _PLAIN
        return None if plain else _remote_own_name(image, version_of(image))
    if is_picture(image) and image.suffix.lower() not in _TIFFS:
        return None
    opened = _opened(image)
    if opened is None or opened.count("T") * opened.count("Z") > 1:
        return None
    from saccade.formats.containers import mask_name

    return mask_name(opened)


@lru_cache(maxsize=4096)
def _remote_own_name(image: Path, version: str) -> str | None:
    with copied(image) as (copy,):
        return own_name(copy)


def georeference_of_file(image: Path) -> "Georeference | None":
    """Where an image lies on the earth, if its file says so."""
    opened = _opened(image) if image.suffix.lower() in _TIFFS else None
    return None if opened is None else opened.georeference


def write_own(path: Path, labels: Any, image: Path) -> None:
    """Write a mask in the container of its image; where a GeoTIFF has no data, it has none."""
    import numpy as np

    from saccade.formats.containers import write_like
    from saccade.images import open_image
    from saccade.images.window import has_value

    opened = open_image(image)
    missing = None
    if opened.georeference is not None:
        known = has_value(opened.plane(), opened.nodata)
        missing = None if known is None else np.logical_not(known.any(axis=2))
    write_like(path, labels, opened, missing=missing)


def _opened(image: Path) -> "Image | None":
    try:
        status = image.stat()
    except OSError:
        return None
    return _opened_version(image, (status.st_ino, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=4096)
def _opened_version(image: Path, version: tuple[int, int, int]) -> "Image | None":
    from dataclasses import replace

    import numpy as np

    from saccade.images import open_image

    try:
        opened = open_image(image)
    except InputError:  # which is said when it is segmented
        return None
    # What is remembered keeps no file open.
    empty = np.broadcast_to(np.uint8(0), opened.array.shape)
    return replace(opened, array=empty, levels=(), metadata={})
