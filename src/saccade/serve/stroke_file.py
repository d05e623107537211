"""The file that keeps the strokes of an image, beside it or in a store."""

import contextlib
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

from saccade.errors import InputError, printable
from saccade.files import atomic_write, read_json
from saccade.scribbles.document import StrokeClass, StrokeDocument, fit_to, write_document
from saccade.scribbles.labelme import drawn_on, read_document
from saccade.scribbles.stroke_names import belongs_to_other
from saccade.serve.class_colors import class_colors
from saccade.serve.errors import renamed
from saccade.serve.library import Entry
from saccade.serve.pin_file import pins_from_json, pins_to_json

STARTING_CLASSES = ((0, "background"), (1, "object"))


class StrokeFile:
    """Reads and writes the strokes of one image.

    What another program wrote meanwhile is kept as ``.bak`` before it is replaced.
    """

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._lock = threading.Lock()
        self._seen: int | None = None

    def read(self, shape: tuple[int, int]) -> StrokeDocument:
        """The strokes kept for an image of (H, W) `shape`; `read_with_remarks` without remarks."""
        return self.read_with_remarks(shape, "")[0]

    def read_with_remarks(
        self, shape: tuple[int, int], digest: str
    ) -> tuple[StrokeDocument, tuple[str, ...]]:
        """The strokes kept for an image, and what is to be said of them.

        A new document where there are none. Where there is no stroke file, labelme's own file of
        the image is a start. Strokes of an image that was replaced since are kept, and their file
        as ``.bak`` once they change.

        Args:
            shape: (H, W) of the image.
            digest: what is in its file; "": it is as it was.

        Raises:
            InputError: the stroke file cannot be used, or is a link; the message has its name only.
        """
        path = self._entry.strokes
        with self._lock:
            self._refuse_links()
            if path.is_file():
                self._seen = path.stat().st_mtime_ns
                try:
                    return self._read_kept(path, shape, digest)
                except InputError as error:
                    raise renamed(error, path, path.name) from error
        foreign = self._entry.path.with_suffix(".json")
        named_other = belongs_to_other(foreign, self._entry.path)
        if self._entry.slice is not None and self._entry.slice.number > 1:
            named_other = True  # it is of the first slice
        if foreign.is_file() and not foreign.is_symlink() and not named_other:
            with contextlib.suppress(InputError):  # any JSON may lie there
                return complete_classes(read_document(foreign, shape, skip_odd=True)), ()
        return complete_classes(StrokeDocument(())), ()

    def _read_kept(
        self, path: Path, shape: tuple[int, int], digest: str
    ) -> tuple[StrokeDocument, tuple[str, ...]]:
        size, before = drawn_on(path)
        if size in (None, shape) and ("" in (before, digest) or before == digest):
            return complete_classes(_with_pins(read_document(path, shape), path, shape)), ()
        self.keep_copy()
        drawn = read_document(path, size or shape)
        document = complete_classes(_with_pins(drawn, path, size or shape))
        return fit_to(document, shape), (replaced(self._entry.name, size or shape, shape),)

    def keep_copy(self) -> None:
        """Keep the file as it is now as ``.bak`` when it is written next."""
        self._seen = None

    def changed_outside(self) -> bool:
        """Whether another program has written the file since it was last read or written."""
        path = self._entry.strokes
        with self._lock:
            return (path.stat().st_mtime_ns if path.is_file() else None) != self._seen

    def write(self, document: StrokeDocument, shape: tuple[int, int], digest: str = "") -> None:
        """Keep the strokes, unless there are neither strokes nor a file yet.

        Raises:
            InputError, OSError: they cannot be written, or the file is a link.
        """
        path = self._entry.strokes
        with self._lock:
            self._refuse_links()
            there = path.is_file()
            if not there and not document.items and not document.pins:
                return
            if there and path.stat().st_mtime_ns != self._seen:
                with atomic_write(path.with_name(f"{path.name}.bak"), follow=False) as copy:
                    shutil.copy2(path, copy)
            path.parent.mkdir(parents=True, exist_ok=True)
            relative = os.path.relpath(self._entry.path, path.parent)
            write_document(
                path,
                document,
                shape,
                printable(relative),
                digest=digest,
                follow=False,
                more=pins_to_json(document),
            )
            self._seen = path.stat().st_mtime_ns

    def _refuse_links(self) -> None:
        """A link could lead out of the folder that was handed over."""
        path = self._entry.strokes
        if path.is_symlink() or not self._entry.is_inside():
            what = path.name if path.is_symlink() else self._entry.name
            raise InputError(f"{what}: is a link, expected a file; put the file itself there")


def _with_pins(document: StrokeDocument, path: Path, shape: tuple[int, int]) -> StrokeDocument:
    """A document with the pins of its file; classes that these alone have are added."""
    pins = pins_from_json(read_json(path), shape)
    known = {c.value for c in document.classes}
    values = sorted({pin.item.value for pin in pins} - known)
    more = tuple(StrokeClass(value, f"class {value}") for value in values)
    return replace(document, classes=(*document.classes, *more), pins=pins)


def replaced(name: str, before: tuple[int, int], now: tuple[int, int]) -> str:
    """What is said of strokes whose image, of (H, W), was replaced."""
    sizes = "" if before == now else f" ({before[1]} x {before[0]} then, {now[1]} x {now[0]} now)"
    return (
        f"{printable(name)}: the image was replaced after its strokes were drawn{sizes}; "
        "they are kept, see whether they still fit"
    )


def complete_classes(document: StrokeDocument) -> StrokeDocument:
    """A document with the classes that a new one has, and with a colour for every class."""
    classes = {c.value: c for c in document.classes}
    if len(classes) < 2:
        names = {c.name for c in document.classes}
        for value, name in STARTING_CLASSES:
            if value not in classes and name not in names:
                classes[value] = StrokeClass(value, name)
    palette = class_colors(max(classes, default=0) + 1)
    ordered = (classes[value] for value in sorted(classes))
    return StrokeDocument(
        tuple(StrokeClass(c.value, c.name, c.color or palette[c.value]) for c in ordered),
        document.items,
        document.pins,
    )


def check_writable(folder_of: Entry) -> str | None:
    """Why strokes could not be kept for an image, or None."""
    folder = folder_of.strokes.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            contextlib.suppress(FileNotFoundError),
            atomic_write(folder / ".probe", follow=False) as temporary,
        ):
            temporary.write_bytes(b"")
            raise FileNotFoundError  # it can be written, and need not stay
    except (OSError, InputError) as error:
        return f"{folder}: cannot be written to ({error})"
    return None
