"""Label images to files and back, in every format, each reading back to the same labels."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from saccade.data.labelme import CLASSES_KEY
from saccade.data.palette import voc_palette
from saccade.errors import InputError, printable
from saccade.files import atomic_write, check_readable, last_part, reading
from saccade.formats.coco import coco_document
from saccade.formats.coco_reader import iter_coco
from saccade.formats.cvat import cvat_text
from saccade.formats.cvat_reader import iter_cvat
from saccade.formats.kinds import mask_format
from saccade.formats.label_studio import label_studio_tasks
from saccade.formats.label_studio_reader import iter_label_studio
from saccade.formats.labelme import labelme_document
from saccade.formats.labelme_reader import read_labelme_masks
from saccade.formats.labels import AnnotatedImage, ClassNames, ReadOptions, checked_labels
from saccade.formats.names import MASK_FORMATS, MaskFormat, refuse_unfit
from saccade.images import read_labels
from saccade.stores import is_remote
from saccade.strict_json import json_text

__all__ = [
    "MASK_FORMATS",
    "MaskFormat",
    "encode_mask",
    "iter_annotations",
    "mask_format",
    "read_annotation",
    "read_mask",
    "write_mask",
]


_FOR_MANY: dict[str, Callable[[Path, ReadOptions], Iterator[AnnotatedImage]]] = {
    "coco": iter_coco,
    "coco-polygons": iter_coco,
    "label-studio": iter_label_studio,
    "cvat": iter_cvat,
}


def encode_mask(
    labels: Any,
    fmt: str,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    colors: Mapping[int, tuple[int, int, int]] | None = None,
    image_path: str = "",
) -> bytes:
    """Return a label image as the bytes of a file.

    Args:
        labels: (H, W) integers >= 0.
        fmt: "png" (palette PNG, labels up to 255), "tiff" (16 bits, deflate, labels up to 65535),
            "coco" (compressed run lengths), "coco-polygons" (along the sides of pixels),
            "labelme" (mask shapes), "label-studio" (a task with brush labels) or "cvat" (XML for
            images, with mask shapes).
        classes: class values to list where the format has names, even where they do not occur.
        names: class names, where the format has them.
        colors: class value -> (r, g, b) in 0..255 for the palette of a PNG, which then names its
            classes in a text too, for CVAT's labels and labelme's "saccade_colors"; a palette has
            the colours of VOC for all that are not given.
        image_path: the image that the labels belong to; labelme gets it as it is, the others its
            last part.

    Raises:
        InputError: an unknown format, or labels that the format cannot hold.
    """
    _check_format(fmt)
    labels = checked_labels(labels)
    file_name, image_path = printable(last_part(image_path)), printable(image_path)
    common: dict[str, Any] = {"classes": classes, "names": names}
    if fmt == "png":
        return _png(labels, colors or {}, names if colors else None)
    if fmt == "tiff":
        return _tiff(labels)
    if fmt == "cvat":
        return cvat_text(labels, file_name=file_name, colors=colors, **common).encode()
    if fmt == "labelme":
        return _json(labelme_document(labels, image_path=image_path, colors=colors, **common))
    if fmt == "label-studio":
        return _json(label_studio_tasks(labels, file_name=file_name, **common))
    polygons = fmt == "coco-polygons"
    return _json(coco_document(labels, file_name=file_name, polygons=polygons, **common))


def write_mask(
    path: str | os.PathLike[str],
    labels: Any,
    fmt: str,
    *,
    classes: Iterable[int] | None = None,
    names: ClassNames | None = None,
    colors: Mapping[int, tuple[int, int, int]] | None = None,
    image_path: str | os.PathLike[str] | None = None,
) -> None:
    """Write a label image; a file that is already there is replaced as a whole or not at all.

    Args:
        path: file to write; the suffix is not looked at (see `MASK_FORMATS`).
        labels: (H, W) integers >= 0.
        fmt: format, one of those of `encode_mask`.
        classes: class values to list where the format has names.
        names: class names.
        colors: class value -> (r, g, b) in 0..255 for the palette of a PNG.
        image_path: the image that the labels belong to; labelme keeps its path relative to the
            folder of `path`, where labelme looks for it, the others its last part.

    Raises:
        InputError: an unknown format, labels that the format cannot hold, no such folder.
    """
    image = "" if image_path is None else os.fspath(image_path)
    if fmt == "labelme" and image:
        image = _relative(image, path)
    try:
        data = encode_mask(
            labels, fmt, classes=classes, names=names, colors=colors, image_path=image
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def read_mask(
    path: str | os.PathLike[str],
    fmt: str | None = None,
    *,
    uncovered: int = 0,
    shape: tuple[int, int] | None = None,
    names: Sequence[str] | None = None,
) -> NDArray[np.int32]:
    """Read the labels, (H, W) int32, of a mask file.

    Args:
        path: a file of any of `MASK_FORMATS`.
        fmt: its format; None: found from the content.
        uncovered: value of pixels that no region of a JSON or XML file covers.
        shape: (H, W) that the mask must have; read from the header or the JSON before anything is
            decoded, so that a small file cannot ask for much memory.
        names: class names in the order of their values, by which the labels of a JSON or XML file
            get theirs; None: what the file says, see `read_annotation`.

    Raises:
        InputError: the file is missing, damaged, of another format or size, or has colours
            instead of labels, or annotates several images, or has a label that is not among
            `names`, or nothing that can be drawn.

    Example:
        >>> write_mask("mask.png", np.array([[0, 1], [2, 2]]), "png")
        >>> read_mask("mask.png").tolist()
        [[0, 1], [2, 2]]
    """
    return read_annotation(path, fmt, uncovered=uncovered, shape=shape, names=names).labels


def read_annotation(
    path: str | os.PathLike[str],
    fmt: str | None = None,
    *,
    uncovered: int = 0,
    shape: tuple[int, int] | None = None,
    image_name: str | None = None,
    names: Sequence[str] | None = None,
) -> AnnotatedImage:
    """Read the mask of one image: labels, class names, the name of the image, and remarks.

    Args:
        path: a file of any of `MASK_FORMATS`.
        fmt: its format; None: found from the content.
        uncovered: value of pixels that no region of a JSON or XML file covers.
        shape: (H, W) that the mask must have.
        image_name: name or path of the image whose entry is to be read from a COCO, CVAT or Label
            Studio file of any number of images; None: the file must be of one image. Label images
            and labelme's files are of one image each, whatever it is called.
        names: class names in the order of their values, by which the labels of a JSON or XML file
            get theirs. None: those of a file that Saccade wrote; else the ids of COCO, or 1, 2, ...
            in alphabetical order, and 0 for "background".

    Raises:
        InputError: what `read_mask` raises, or no entry or several are of `image_name`.
    """
    path = check_readable(path)
    fmt = mask_format(path) if fmt is None else fmt
    _check_format(fmt)
    options = ReadOptions(uncovered, shape, True, image_name, names)
    return next(_iter_images(path, fmt, options))


def iter_annotations(
    path: str | os.PathLike[str],
    *,
    uncovered: int = 0,
    shape: tuple[int, int] | None = None,
    names: Sequence[str] | None = None,
) -> Iterator[AnnotatedImage]:
    """Yield what a file of any of `MASK_FORMATS` says of its image, or of each of its images.

    Images are decoded one at a time. Label images have no class names; the name of their image is
    that of the file. With `shape` (H, W) an image of another size is refused before it is decoded.

    Raises:
        InputError: what `read_mask` raises, but for the number of images.
    """
    path = check_readable(path)
    options = ReadOptions(uncovered, shape, names=names)
    yield from _iter_images(path, mask_format(path), options)


def _iter_images(path: Path, fmt: str, options: ReadOptions) -> Iterator[AnnotatedImage]:
    with reading(path, "labels that cannot be read"):
        if fmt in _FOR_MANY:
            yield from _FOR_MANY[fmt](path, options)
        elif fmt == "labelme":
            yield read_labelme_masks(
                path, uncovered=options.uncovered, shape=options.shape, names=options.names
            )
        else:
            values, remarks = read_labels(path, options.shape)
            yield AnnotatedImage(path.name, checked_labels(values, str(path)), remarks=remarks)


def _check_format(fmt: str) -> None:
    if fmt not in MASK_FORMATS:
        raise InputError(f"format '{fmt}': expected one of {', '.join(MASK_FORMATS)}")


def _relative(image: str, path: str | os.PathLike[str]) -> str:
    if is_remote(path):  # no path leads from there to here
        return last_part(image)
    try:
        return Path(os.path.relpath(image, Path(path).parent)).as_posix()
    except ValueError:  # on another drive
        return Path(os.path.abspath(image)).as_posix()


def _json(document: Any) -> bytes:
    return json_text(document, ensure_ascii=False).encode("utf-8")


def _png(
    labels: NDArray[np.int32],
    colors: Mapping[int, tuple[int, int, int]],
    names: ClassNames | None,
) -> bytes:
    refuse_unfit([int(labels.max())], "png")
    palette = voc_palette(256).copy()
    for value, color in colors.items():
        if 0 <= value < 256:
            palette[value] = color
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette(palette.tobytes())
    if not names:
        return _saved(image, "PNG")
    text = PngImagePlugin.PngInfo()
    table = names.items() if isinstance(names, Mapping) else enumerate(names)
    text.add_itxt(CLASSES_KEY, "\n".join(f"{value} {name}" for value, name in table))
    return _saved(image, "PNG", pnginfo=text)


def _tiff(labels: NDArray[np.int32]) -> bytes:
    refuse_unfit([int(labels.max())], "tiff")
    image = Image.fromarray(labels.astype(np.uint16))
    return _saved(image, "TIFF", compression="tiff_adobe_deflate")


def _saved(image: Image.Image, fmt: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=fmt, **options)
    return buffer.getvalue()
