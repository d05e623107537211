"""Masks of images that somebody called done: they stay as they were seen then.

Later strokes on other images change the model of the folder and with it the masks of images that
nobody looks at any more. A mask that was approved is therefore kept, in a folder beside the
images, until its own strokes or pins, its image or its preset are others, or it is done no longer.
"""

import hashlib
import logging
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import atomic_write
from saccade.scribbles.document import StrokeDocument
from saccade.scribbles.pins import with_pins_between
from saccade.serve.decided import ReadLabels
from saccade.serve.errors import ConflictError, ServeError
from saccade.serve.folder_fit import strokes_digest
from saccade.serve.library import Entry
from saccade.serve.project import project_folder
from saccade.serve.service import Service
from saccade.serve.session import Session

FOLDER_NAME = ".saccade-done"
_DAMAGED = (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading a file raises that is none of ours any more."""
_log = logging.getLogger("saccade.serve")


class DoneMasks:
    """The kept masks of one server. Methods belong to the event loop's thread, but `labels_of`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._folder = project_folder(service.settings) / FOLDER_NAME
        service.masks.done = self.reader
        service.exports.kept.append(self.labels_of)

    async def keep(self, entry: Entry) -> None:
        """Keep the mask of an image that was just called done, once it is there.

        Raises:
            ConflictError: it cannot be written.
        """
        session = self._session(entry)
        if session is None:  # nobody has looked at its mask
            return
        if session.current_mask is not None and session.current_mask.final:
            await self._write(session)
        else:
            self._service.background.start(self._write_later(session))

    async def forget(self, entry: Entry) -> None:
        """Let the mask of an image change again.

        Raises:
            ConflictError: what is kept cannot be removed.
        """
        path = self._path(entry)
        try:
            await self._service.background.in_thread(partial(path.unlink, missing_ok=True))
        except OSError as error:
            raise ConflictError(f"the kept mask could not be removed: {error.strerror}") from None
        session = self._session(entry)
        if session is not None and not session.mask_is_imported:
            session.mask = None
            if session.outgoing is not None:
                self._service.masks.start(session)

    def reader(self, session: Session) -> ReadLabels | None:
        """What reads the kept mask (H, W) of an image, on a worker; None where none is kept.

        It gives None where what is kept belongs to other strokes, pixels or another preset.
        """
        entry = session.entry
        if not self._service.folder.is_done(entry) or not self._path(entry).is_file():
            return None
        stamp = _stamp(session.document, session.digest)
        return partial(self._read, entry, session.size, stamp, session.preset)

    def labels_of(
        self, entries: Sequence[Entry], documents: Mapping[str, StrokeDocument]
    ) -> dict[str, NDArray[Any]]:
        """The kept masks of images as they are, as `exports.KeptLabels`."""
        found: dict[str, NDArray[Any]] = {}
        library = self._service.library
        for entry in filter(self._service.folder.is_done, entries):
            if not self._path(entry).is_file():
                continue
            try:
                width, height = library.size(entry)
                document = documents.get(entry.id, StrokeDocument(()))
                stamp = _stamp(document, library.digest(entry))
            except (InputError, OSError):
                continue  # whoever writes the mask says what is wrong with the image
            labels = self._read(entry, (height, width), stamp, None)
            if labels is not None:
                found[entry.id] = labels
        return found

    async def _write_later(self, session: Session) -> None:
        try:
            await self._service.masks.current(session)
            if self._service.folder.is_done(session.entry):
                await self._write(session)
        except (ServeError, InputError):
            pass  # there is no mask to keep, or the page was told why

    async def _write(self, session: Session) -> None:
        mask = session.current_mask
        if mask is None:
            return
        stamp, preset = _stamp(session.document, session.digest), session.preset
        path, labels = self._path(session.entry), mask.labels.astype(np.uint8)

        def write() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path, follow=False) as temporary, open(temporary, "wb") as file:
                np.savez_compressed(file, of=stamp, preset=preset, labels=labels)

        try:
            await self._service.background.in_thread(write)
        except OSError as error:
            raise ConflictError(f"the mask could not be kept: {error.strerror}") from None

    def _read(
        self, entry: Entry, size: tuple[int, int], stamp: str, preset: str | None
    ) -> NDArray[np.int32] | None:
        try:
            with open(self._path(entry), "rb") as file, np.load(file) as kept:
                if str(kept["of"]) != stamp or preset not in (None, str(kept["preset"])):
                    return None
                labels = kept["labels"].astype(np.int32)
        except FileNotFoundError:
            return None
        except (OSError, *_DAMAGED) as error:
            _log.warning("the mask of %s that was called done: %s", entry.name, error)
            return None
        known = {c.value for c in self._service.folder.project.classes}
        fits = labels.shape == size and known.issuperset(np.unique(labels).tolist())
        return labels if fits else None

    def _session(self, entry: Entry) -> Session | None:
        return next((s for s in self._service.sessions.values() if s.entry.id == entry.id), None)

    def _path(self, entry: Entry) -> Path:
        name = hashlib.sha256(self._service.folder.key(entry).encode(errors="surrogateescape"))
        return self._folder / f"{name.hexdigest()[:24]}.npz"


def _stamp(document: StrokeDocument, digest: str) -> str:
    """A text that tells strokes, pins and pixels apart from all others."""
    order = with_pins_between(document)
    kinds = "".join("p" if is_pin else "s" for _, is_pin in order)
    items = StrokeDocument((), tuple(item for item, _ in order))
    return f"{digest} {kinds} {strokes_digest(items)}"
