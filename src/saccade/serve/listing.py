"""The image files of a folder, and the folders that belong to what is served."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

from PIL import Image

from saccade.errors import InputError
from saccade.files import atomic_write
from saccade.folders import is_hidden, name_key, odd_kind
from saccade.suffixes import IMAGE_SUFFIXES

SAMPLE_NAME = "cat.png"


def list_images(root: Path, *, recursive: bool) -> Iterator[Path]:
    """The images of a folder in natural order, or the one image that `root` is.

    Raises:
        InputError: the folder cannot be read.
    """
    if root.is_file():
        yield root.resolve()
        return
    if not root.is_dir():
        return
    base = root.resolve()
    try:
        files = list(base.rglob("*") if recursive else base.iterdir())
    except OSError as error:
        raise InputError(f"{root}: cannot be read ({error.strerror})") from error
    for path in sorted(files, key=lambda p: _natural_order(str(p))):
        hidden = any(is_hidden(part) for part in path.relative_to(base).parts)
        if path.suffix.lower() not in IMAGE_SUFFIXES or hidden or odd_kind(path):
            continue
        if path.resolve().is_relative_to(base):  # a link may lead anywhere
            yield path


def names_by_stem(folder: Path) -> dict[str, list[str]]:
    """The names of all images of a folder, served or not, by their stem."""
    found: dict[str, list[str]] = {}
    for name in sorted(os.listdir(folder)):
        path = PurePath(name)
        if path.suffix.lower() in IMAGE_SUFFIXES and not is_hidden(name):
            found.setdefault(name_key(path.stem), []).append(name)
    return found


def _natural_order(text: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", text.lower())
    return [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in parts]


def write_sample(home: Path) -> None:
    """The photograph that scikit-image carries."""
    target = home / "sample" / SAMPLE_NAME
    if target.is_file():
        return
    from skimage import data

    photograph: Any = data  # its functions carry no types
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target) as temporary:
        Image.fromarray(photograph.cat()).save(temporary, format="PNG")


def name_of_folders(paths: Sequence[Path]) -> str:
    """A folder name for the uploads of a server: only one of the same images shows them."""
    if not paths:
        return "sample"
    names = sorted({os.fsencode(path.resolve()) for path in paths})
    return hashlib.sha256(b"\0".join(names)).hexdigest()[:16]
