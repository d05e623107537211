"""The entry of one image in an annotation file for many, found by the name of the image.

Files name their images by paths, by addresses, or by what a server made of an upload:
``train/a b.png``, ``https://host/data/local-files/?d=train/a%20b.png``,
``/data/upload/1/0a1b2c3d-a_b.png``.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from saccade.errors import InputError
from saccade.files import last_part

Entry = TypeVar("Entry")

_UPLOAD = re.compile(r"[0-9a-f]{8}-(?=.)")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|/data/|.*\?d=")
_SHOWN = 3


def pick_entry(
    entries: Sequence[Entry], name_of: Callable[[Entry], str], image_name: str, source: str
) -> Entry:
    """Return the entry of the image `image_name`.

    Names are compared by their last part in Unicode's composed form (NFC); of several entries that
    agree in it, the one that has most folders in common. A file with one entry that names no image
    is of any image.

    Args:
        entries: those of the file.
        name_of: gives the name, path or address of an entry's image.
        image_name: name or path of the image.
        source: the file, for messages.

    Raises:
        InputError: no entry is that of the image, or several are.

    Example:
        >>> entries = ["train/a.png", "/data/upload/1/0a1b2c3d-b.png"]
        >>> pick_entry(entries, str, "b.png", "all.json")
        '/data/upload/1/0a1b2c3d-b.png'
    """
    wanted = image_path(image_name)
    paths = [image_path(name_of(entry)) for entry in entries]
    if len(entries) == 1 and not last_part(paths[0]):
        return entries[0]
    for same in (_same_name, _same_upload):
        found = [i for i, path in enumerate(paths) if same(path, wanted)]
        shared = [_common_parts(paths[i], wanted) for i in found]
        best = [i for i, count in zip(found, shared, strict=True) if count == max(shared)]
        if len(best) > 1:
            raise InputError(
                f"{source}: has {len(best)} entries for the image '{last_part(wanted)}', "
                "expected one"
            )
        if best:
            return entries[best[0]]
    some = ", ".join(f"'{last_part(path)}'" for path in paths[:_SHOWN])
    more = ", ..." if len(paths) > _SHOWN else ""
    raise InputError(
        f"{source}: has no entry for the image '{last_part(wanted)}', but {len(paths)} for others"
        f" ({some}{more})"
    )


def image_path(name: str) -> str:
    """Return the path in a path or address of an image, with "/" and in NFC.

    Example:
        >>> image_path("/data/local-files/?d=photos%5Ca%20b.jpg")
        'photos/a b.jpg'
    """
    if _ADDRESS.match(name):
        try:
            parts = urlsplit(name)
        except ValueError:  # brackets that are no address of the sixth version
            return _plain(name)
        name = parse_qs(parts.query).get("d", [""])[0] or unquote(parts.path)
    return _plain(name)


def without_upload_prefix(name: str) -> str:
    """Return a file name without the eight digits that Label Studio puts before an upload."""
    return _UPLOAD.sub("", name, count=1) if _UPLOAD.match(name) else name


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _same_name(path: str, wanted: str) -> bool:
    return last_part(path) == last_part(wanted)


def _same_upload(path: str, wanted: str) -> bool:
    """Whether a path is what Label Studio makes of an upload with the name that is wanted."""
    name = last_part(path)
    plain = without_upload_prefix(name)
    uploaded = re.sub(r"[^-\w.]", "", last_part(wanted).strip().replace(" ", "_"))
    return plain != name and plain in (last_part(wanted), uploaded)


def _common_parts(path: str, wanted: str) -> int:
    """Number of parts at the end in which two paths agree."""
    count = 0
    for one, other in zip(
        reversed(PurePath(path).parts), reversed(PurePath(wanted).parts), strict=False
    ):
        if one != other:
            break
        count += 1
    return count
