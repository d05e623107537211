"""The entry of one image in an annotation file for many, found by the name of the image.

Files name their images by paths, by addresses, or by what a server made of an upload:
``train/a b.png``, ``https://host/data/local-files/?d=train/a%20b.png``,
``/data/upload/1/0a1b2c3d-a_b.png``.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from saccade.errors import InputError, printable
from saccade.files import last_part
from saccade.folders import name_key

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
    names = [name_of(entry) for entry in entries]
    (found,) = find_entries(names, [image_name], source)
    if found is not None:
        return entries[found]
    shown = ", ".join(f"'{last_part(image_path(name))}'" for name in names[:_SHOWN])
    more = ", ..." if len(names) > _SHOWN else ""
    raise InputError(
        f"{source}: has no entry for the image '{last_part(image_path(image_name))}', "
        f"but {len(names)} for others ({shown}{more})"
    )


def find_entries(names: Sequence[str], image_names: Iterable[str], source: str) -> list[int | None]:
    """Return for each image the index of the entry that `pick_entry` picks, None without any.

    Args:
        names: names, paths or addresses of the images of the entries.
        image_names: names or paths of the images.
        source: the file, for messages.

    Raises:
        InputError: several entries are of one image.

    Example:
        >>> find_entries(["a.png", "b.png"], ["photos/b.png", "c.png"], "all.json")
        [1, None]
    """
    paths = [image_path(name) for name in names]
    by_name, by_upload = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for index, path in enumerate(paths):
        name = last_part(path)
        by_name[name].append(index)
        if (plain := without_upload_prefix(name)) != name:
            by_upload[plain].append(index)

    def find(image_name: str) -> int | None:
        if len(paths) == 1 and not last_part(paths[0]):
            return 0
        wanted = image_path(image_name)
        name = last_part(wanted)
        found = by_name.get(name) or by_upload.get(name) or by_upload.get(_uploaded(name)) or []
        shared = [_common_parts(paths[i], wanted) for i in found]
        best = [i for i, count in zip(found, shared, strict=True) if count == max(shared)]
        if len(best) > 1:
            raise InputError(
                f"{source}: has {len(best)} entries for the image '{name}', expected one"
            )
        return best[0] if best else None

    return [find(image_name) for image_name in image_names]


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
    return name_key(printable(name).replace("\\", "/"))


def _uploaded(name: str) -> str:
    """What Label Studio makes of the name of an upload, without the prefix."""
    return re.sub(r"[^-\w.]", "", name.strip().replace(" ", "_"))


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
