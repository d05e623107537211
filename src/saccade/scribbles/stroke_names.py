"""Which image a stroke file of the page belongs to, and how a new one is called.

The strokes of a.jpg are in ``a.strokes.json``. Where a folder has, or had, a.png too, that name is
taken, and the strokes of a.png are in ``a.png.strokes.json``. Each file names its image in
"imagePath", by which it keeps its owner, whatever other images come and go. A file that names no
image of its stem, one written by hand or renamed with its image, is of the image of that name,
then of the first of that stem. This imports no NumPy, as the command line pairs by it.
"""

import hashlib
import json
import os
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path, PurePath

from saccade.folders import name_key

STROKE_SUFFIX = ".strokes.json"
"""What follows the name or the stem of an image in the name of its stroke file."""

_IMAGE_PATH = re.compile(rb'"imagePath"\s*:\s*("(?:[^"\\]|\\.)*")')
_BREAKS = re.compile(r"/|\\(?!x[0-9a-f]{2})")  # a byte that is no UTF-8 is \xNN, see `printable`
_TAIL = 1 << 16


def image_named_in(path: Path) -> str:
    """Return the name, without folders, of the image that a labelme file says it is of, or "".

    Example:
        >>> _ = Path("a.strokes.json").write_text('{"shapes": [], "imagePath": "../b/a.png"}')
        >>> image_named_in(Path("a.strokes.json"))
        'a.png'
    """
    try:
        if not path.is_file() or path.is_symlink():
            return ""
        status = path.stat()
        return _image_named_in(str(path), status.st_mtime_ns, status.st_size)
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=4096)
def _image_named_in(path: str, changed: int, size: int) -> str:
    with open(path, "rb") as file:
        file.seek(max(0, size - _TAIL))  # it follows the shapes, which may be large
        found = _IMAGE_PATH.findall(file.read(_TAIL))
        if not found and size > _TAIL:
            file.seek(0)
            found = _IMAGE_PATH.findall(file.read())
    text = json.loads(found[-1].decode("utf-8")) if found else ""
    return _BREAKS.split(text)[-1]


def belongs_to_other(path: Path, image: Path) -> bool:
    """Whether a labelme file names another image than `image` that has the same stem.

    Example:
        >>> _ = Path("a.json").write_text('{"shapes": [], "imagePath": "a.png"}')
        >>> belongs_to_other(Path("a.json"), Path("a.jpg"))
        True
    """
    named = name_key(image_named_in(path))
    same_stem = PurePath(named).stem == name_key(image.stem) if named else False
    return same_stem and named != name_key(image.name)


def owner_of(path: Path, images: Collection[str]) -> str | None:
    """Return the name of the image that a stroke file of the page belongs to.

    Args:
        path: NAME.strokes.json; NAME is the name of an image or its stem.
        images: names of the images that there are.

    Returns:
        One of `images`, or None where its image is not among them.

    Example:
        >>> owner_of(Path("b.png.strokes.json"), ["b.jpg", "b.png"])
        'b.png'
    """
    base = name_key(path.name.removesuffix(STROKE_SUFFIX))
    named = name_key(image_named_in(path))
    if named and base in (named, PurePath(named).stem):
        return next((name for name in images if name_key(name) == named), None)
    whole = [name for name in images if name_key(name) == base]
    stems = sorted(name for name in images if name_key(PurePath(name).stem) == base)
    return next(iter(whole + stems), None)


def stroke_file_of(
    image: Path, images: Collection[str], claimed: Mapping[Path, Path] | None = None
) -> Path:
    """Return where the strokes of an image are, or are to be, in its folder.

    Args:
        image: path of the image.
        images: names of the images of its folder with the same stem, and of any other that could
            own a file of its names.
        claimed: stroke file -> image that it was promised to, whether it is there yet or not.

    Example:
        >>> stroke_file_of(Path("c.png"), ["c.png"]).name
        'c.strokes.json'
        >>> stroke_file_of(Path("c.png"), ["c.jpg", "c.png"]).name
        'c.png.strokes.json'
    """
    digest = hashlib.sha256(os.fsencode(image.name)).hexdigest()[:6]
    short, whole, last = (
        image.with_name(f"{name}{STROKE_SUFFIX}")
        for name in (image.stem, image.name, f"{image.name}-{digest}")
    )
    owners = claimed or {}

    def is_mine(path: Path) -> bool:
        promised = owners.get(path)
        named = name_key(image_named_in(path))
        if named and name_key(path.name.removesuffix(STROKE_SUFFIX)) in (
            named,
            PurePath(named).stem,
        ):
            return named == name_key(image.name)
        return promised == image if promised else owner_of(path, images) == image.name

    for path in (whole, short):
        if os.path.lexists(path) and is_mine(path):
            return path
    alone = all(name == image.name for name in images)
    for path in (short, whole) if alone else (whole,):
        if not os.path.lexists(path) and owners.get(path, image) == image:
            return path
    return last
