"""The images that a server shows, and where their strokes are kept.

A client names an image by an opaque id of this library, never by a path, so that no request can
reach a file outside of what was handed over.
"""

import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError, printable
from saccade.files import digest_of
from saccade.folders import name_key
from saccade.images import ReadImage, read_image
from saccade.scribbles.stroke_names import STROKE_SUFFIX, stroke_file_of
from saccade.serve.errors import UploadError, renamed
from saccade.serve.listing import list_images, name_of_folders, names_by_stem, write_sample
from saccade.serve.settings import ServeSettings
from saccade.serve.slices import Slice, Stacks
from saccade.serve.uploads import (
    check_decodes,
    check_size,
    free_path,
    safe_name,
    upright_size,
)


@dataclass(frozen=True)
class Entry:
    """An image of the library.

    Attributes:
        id: opaque, the same for the same path.
        path: of the image.
        name: of the file, printable.
        folder: relative to the folder that was handed over, "" there; printable.
        strokes: where its strokes are kept.
        root: what was handed over, without links: the image's folder or one above, or itself.
        title: what files that are made of it are called: its stem, or its name where another
            image of the folder has that stem.
        slice: which one of a stack it is; None where its file is one image.
    """

    id: str
    path: Path
    name: str
    folder: str
    strokes: Path
    root: Path
    title: str = ""
    slice: Slice | None = None

    def is_inside(self) -> bool:
        """Whether the path still leads to where it did: a link may have taken its place."""
        return self.path.resolve().is_relative_to(self.root)

    @property
    def has_strokes(self) -> bool:
        """Whether strokes are kept for it."""
        return self.strokes.is_file() and not self.strokes.is_symlink()


class Library:
    """The images of one server. Safe to use from several threads."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._uploads = settings.home.resolve() / "uploads" / name_of_folders(settings.paths)
        self._entries: dict[str, Entry] = {}
        self._sizes: dict[Path, tuple[int, tuple[int, int]]] = {}
        self._claimed: dict[Path, Path] = {}  # stroke file -> image, as long as this runs
        self._claiming = threading.Lock()
        self.stacks = Stacks()
        if not settings.paths:
            write_sample(settings.home)
        self.entries()

    def entries(self) -> list[Entry]:
        """All images there are now, in natural order; files may have come and gone."""
        with self._claiming:  # `find` does not wait for a slow disk
            found = list(self._scan())
        with self._lock:
            self._entries = {entry.id: entry for entry in found}
        return found

    @property
    def count(self) -> int:
        """How many images there were when they were listed last."""
        with self._lock:
            return len(self._entries)

    def find(self, image: str) -> Entry | None:
        """The image of an id, or None."""
        with self._lock:
            entry = self._entries.get(image)
        there = entry is not None and entry.path.is_file() and entry.is_inside()
        return entry if there else None

    def find_named(self, relative: str) -> list[Entry]:
        """The images whose paths have most of the end of ``relative``, for tools that name files.

        More than one where the end that they share does not tell them apart.
        """
        parts = Path(name_key(relative.replace("\\", "/"))).parts
        if ".." in parts or "\0" in relative:
            return []
        with self._lock:
            entries = list(self._entries.values())
        shared = [
            (_shared_end(PurePath(name_key(str(entry.path))).parts, parts), entry)
            for entry in entries
            if entry.slice is None or entry.slice.number == 1
        ]
        most = max((count for count, _ in shared), default=0)
        return [entry for count, entry in shared if count == most > 0 and entry.is_inside()]

    def upload(self, name: str, data: bytes) -> Entry:
        """Keep an uploaded image; `take` without its remarks."""
        return self.take(name, data)[0]

    def take(self, name: str, data: bytes) -> tuple[Entry, tuple[str, ...]]:
        """Keep an uploaded image; its entry, and remarks on how it was read.

        Raises:
            UploadError: no image, too large, or no room left.
        """
        upright_size(data, self._settings.limits, name or "the upload")
        self._uploads.mkdir(parents=True, exist_ok=True)
        all_uploads = self._uploads.parent.rglob("*")  # of all folders that were ever served
        used = sum(file.stat().st_size for file in all_uploads if file.is_file())
        if used + len(data) > self._settings.limits.uploads_bytes:
            raise UploadError("the folder of uploads is full, remove some that are not needed", 413)
        part = self._uploads / f".{secrets.token_hex(8)}.part"
        try:
            part.write_bytes(data)
            # Takes seconds where the image is large, so not while others wait for the list.
            remarks = check_decodes(part, name or "the upload") or ()
            with self._lock:
                path = free_path(self._uploads / safe_name(name))
                os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        with self._claiming:
            entry = self._entry(path, self._uploads, names_by_stem(path.parent))
        with self._lock:
            self._entries[entry.id] = entry
        return entry, remarks

    def load(self, entry: Entry) -> NDArray[np.uint8]:
        """The pixels (H, W, 3); `read` without its remarks."""
        return self.read(entry).pixels

    def read(self, entry: Entry) -> ReadImage:
        """The pixels (H, W, 3), and remarks on how they were read.

        Raises:
            InputError: the file cannot be read, or has too many pixels; the message has the
                file's name only.
        """
        self.size(entry)
        try:
            if entry.slice is not None:
                return self.stacks.read(entry.path, entry.slice)
            image = read_image(entry.path)
        except InputError as error:
            raise renamed(error, entry.path, entry.name) from error
        height, width = image.pixels.shape[:2]
        check_size(width, height, self._settings.limits, entry.name)  # a header may lie
        return image

    def version(self, entry: Entry) -> tuple[int, int, int]:
        """Numbers that change when the file is replaced.

        Raises:
            OSError: it is gone.
        """
        found = entry.path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def digest(self, entry: Entry) -> str:
        """A text that tells what is in the file.

        Raises:
            InputError: it is gone.
        """
        try:
            return digest_of(entry.path)
        except InputError as error:
            raise renamed(error, entry.path, entry.name) from error

    def size(self, entry: Entry) -> tuple[int, int]:
        """(width, height) upright, from the header.

        Raises:
            UploadError: no image, or too many pixels, or a link has taken its place.
        """
        if not entry.is_inside():
            raise UploadError(f"{entry.name}: is a link out of its folder, expected a file", 415)
        try:
            stamp = entry.path.stat().st_mtime_ns
        except OSError as error:
            raise UploadError(f"{entry.name}: {error.strerror}", 415) from error
        if entry.slice is not None:
            size = self.stacks.size(entry.path)
            check_size(*size, self._settings.limits, entry.name)
            return size
        known = self._sizes.get(entry.path)
        if known is None or known[0] != stamp:
            with open(entry.path, "rb") as file:
                size = upright_size(file, self._settings.limits, entry.name)
            known = self._sizes[entry.path] = (stamp, size)
        return known[1]

    def _scan(self) -> Iterator[Entry]:
        settings = self._settings
        roots = settings.paths or (settings.home / "sample",)
        seen: set[Path] = set()
        names: dict[Path, dict[str, list[str]]] = {}
        for root in (*roots, self._uploads):
            for path in list_images(root, recursive=settings.recursive):
                if path not in seen:
                    seen.add(path)
                    if path.parent not in names:
                        names[path.parent] = names_by_stem(path.parent)
                    whole = self._entry(path, root, names[path.parent])
                    yield from slices_of(whole, self.stacks.slices(path)) or [whole]

    def _entry(self, path: Path, root: Path, names: dict[str, list[str]]) -> Entry:
        """The entry of an image in a folder with these image names by stem."""
        root = root.resolve()
        folder = path.parent.relative_to(root).as_posix() if root != path else "."
        alike = names.get(name_key(path.stem), [path.name])
        store = self._settings.store
        if store is not None:  # where files of different folders must not meet
            strokes = store / f"{path.stem}-{id_of(path)[:6]}{STROKE_SUFFIX}"
        else:
            whole = names.get(name_key(Path(path.stem).stem), [])  # a.png where this is a.png.jpg
            rivals = {*alike, *(name for name in whole if name == path.stem)}
            strokes = stroke_file_of(path, rivals, self._claimed)
            self._claimed[strokes] = path
        return Entry(
            id=id_of(path),
            path=path,
            name=printable(path.name),
            folder="" if folder == "." else printable(folder),
            strokes=strokes,
            root=root,
            title=printable(path.name if len(alike) > 1 else path.stem),
        )


def slices_of(whole: Entry, slices: list[Slice]) -> list[Entry]:
    """An entry for each slice of a stack; the first has the id and the strokes of the file."""
    found = []
    for one in slices:
        part, first = f"z{one.number:0{len(str(one.count))}}", one.number == 1
        path = PurePath(whole.name)
        stem = whole.strokes.name.removesuffix(STROKE_SUFFIX)
        strokes = whole.strokes.with_name(f"{stem}.{part}{STROKE_SUFFIX}")
        found.append(
            replace(
                whole,
                id=whole.id if first else id_of(whole.path, one.number),
                name=f"{path.stem}.{part}{path.suffix}",
                strokes=whole.strokes if first else strokes,
                title=f"{whole.title}.{part}",
                slice=one,
            )
        )
    return found


def _shared_end(path: tuple[str, ...], wanted: tuple[str, ...]) -> int:
    count = 0
    for mine, theirs in zip(reversed(path), reversed(wanted), strict=False):
        if mine != theirs or theirs == "/":
            break
        count += 1
    return count


def id_of(path: Path, number: int = 1) -> str:
    """The opaque id of a file, or of a further slice of it."""
    name = os.fsencode(path) + (f"\0{number}".encode() if number > 1 else b"")
    return hashlib.sha256(name).hexdigest()[:16]
