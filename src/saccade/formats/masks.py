"""Label images to files and back, in every format, each reading back to the same labels."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.data.files import atomic_write, check_readable
from saccade.data.images import decode_image, exif_orientation, oriented
from saccade.data.palette import voc_palette
from saccade.errors import InputError
from saccade.formats.coco import read_coco, write_coco
from saccade.formats.labelme import read_labelme_mask, write_labelme
from saccade.formats.labels import ClassNames, checked_labels

SUFFIXES = {"png": ".png", "tiff": ".tif", "coco": ".json", "labelme": ".json"}
"""Format -> the suffix that its files usually have."""


def write_mask(
    path: str | os.PathLike[str],
    labels: Any,
    fmt: str,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    image_path: str | os.PathLike[str] | None = None,
) -> None:
    """Write a label image; a file that is already there is replaced as a whole or not at all.

    Args:
        path: file to write; the suffix is not looked at (see `SUFFIXES`).
        labels: (H, W) integers >= 0.
        fmt: "png" (palette PNG in VOC colours, labels up to 255), "tiff" (16 bits, deflate,
            labels up to 65535), "coco" (compressed run lengths) or "labelme" (mask shapes).
        classes: class values to list in COCO and labelme files even where they do not occur.
        names: class names for COCO and labelme.
        image_path: the image that the labels belong to; COCO keeps its last part, labelme its
            path relative to the folder of `path`, where labelme looks for it.

    Raises:
        InputError: an unknown format, labels that the format cannot hold, no such folder.
    """
    _check_format(fmt)
    image = "" if image_path is None else os.fspath(image_path)
    if fmt == "png":
        _write_png(path, checked_labels(labels))
    elif fmt == "tiff":
        _write_tiff(path, checked_labels(labels))
    elif fmt == "coco":
        write_coco(path, labels, classes=classes, names=names, file_name=Path(image).name)
    else:
        relative = _relative(image, path) if image else ""
        write_labelme(path, labels, classes=classes, names=names, image_path=relative)


def read_mask(path: str | os.PathLike[str], fmt: str | None = None) -> NDArray[np.int32]:
    """Read the labels, (H, W) int32, of a mask file; `fmt` None: told from the content.

    Raises:
        InputError: the file is missing, damaged, of another format, or has colours instead of
            labels.
    """
    path = check_readable(path)
    fmt = _sniff(path) if fmt is None else fmt
    _check_format(fmt)
    if fmt == "coco":
        return read_coco(path)
    if fmt == "labelme":
        return read_labelme_mask(path)
    image = decode_image(path)
    if image.mode not in ("P", "L", "1", "I") and not image.mode.startswith("I;16"):
        raise InputError(
            f"{path}: a {image.mode} image has colours, expected a palette or grey label image"
        )
    array = oriented(np.asarray(image), exif_orientation(image))
    return checked_labels(array, str(path))


def _check_format(fmt: str) -> None:
    if fmt not in SUFFIXES:
        raise InputError(f"format '{fmt}': expected one of {', '.join(SUFFIXES)}")


def _relative(image: str, path: str | os.PathLike[str]) -> str:
    try:
        return Path(os.path.relpath(image, Path(path).parent)).as_posix()
    except ValueError:  # on another drive
        return Path(os.path.abspath(image)).as_posix()


def _sniff(path: Path) -> str:
    with open(path, "rb") as file:
        start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith(b"{"):
        return "png"  # or any other image: the decoder finds out
    return "labelme" if b'"shapes"' in path.read_bytes() else "coco"


def _write_png(path: str | os.PathLike[str], labels: NDArray[np.int32]) -> None:
    if int(labels.max()) > 255:
        raise InputError(
            f"{path}: label {int(labels.max())} does not fit a palette PNG (0..255); "
            "use the format tiff (0..65535)"
        )
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette(voc_palette(256).tobytes())
    with atomic_write(path) as temporary:
        image.save(temporary, format="PNG")


def _write_tiff(path: str | os.PathLike[str], labels: NDArray[np.int32]) -> None:
    if int(labels.max()) > 65535:
        raise InputError(f"{path}: label {int(labels.max())} does not fit a 16-bit TIFF (0..65535)")
    image = Image.fromarray(labels.astype(np.uint16))
    with atomic_write(path) as temporary:
        image.save(temporary, format="TIFF", compression="tiff_adobe_deflate")
