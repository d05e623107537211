"""The masks of all images in one .zip, written beside everything else."""

import asyncio
import logging
import secrets
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from fastapi import Response
from fastapi.responses import FileResponse
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.formats.masks import MASK_FORMATS, encode_mask
from saccade.interactive import ScribbleSegmenter
from saccade.scribbles.document import StrokeClass, StrokeDocument, rasterize
from saccade.serve.background import Background
from saccade.serve.class_colors import colors_of
from saccade.serve.decided import decided_labels
from saccade.serve.errors import (
    ConflictError,
    NotFoundError,
    ServeError,
    SupersededError,
    TooManySessionsError,
)
from saccade.serve.folder import Folder
from saccade.serve.folder_fit import DrawnImage, collect_strokes
from saccade.serve.folder_masks import predict_entry
from saccade.serve.folder_model import FolderModel
from saccade.serve.folder_network import MaskSource
from saccade.serve.library import Entry, Library
from saccade.serve.pinning import finished_labels
from saccade.serve.request_queue import RequestQueue
from saccade.serve.schemas import ExportModel
from saccade.serve.session import Session
from saccade.serve.settings import ServeSettings
from saccade.serve.worker import mask_classes

LabelsById = dict[str, NDArray[Any]]
"""Class values (H, W) by the id of their image."""
KeptLabels = Callable[[Sequence[Entry], Mapping[str, StrokeDocument]], LabelsById]
"""Gives the masks that are there of a folder's images, from these and their strokes by image id;
without strokes there an image has none. It is not called on the event loop."""
_KEPT = 4
_log = logging.getLogger("saccade.serve")


@dataclass(eq=False)
class Export:
    """One .zip, while it is written and after."""

    total: int
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    done: int = 0
    state: Literal["running", "done", "failed"] = "running"
    detail: str = ""
    remarks: list[str] = field(default_factory=list)
    path: Path | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def reply(self) -> ExportModel:
        """As JSON."""
        return ExportModel(
            export=self.id,
            state=self.state,
            done=self.done,
            total=self.total,
            detail=self.detail,
            remarks=self.remarks,
        )


class Exports:
    """The exports of one server. All methods belong to the event loop's thread."""

    def __init__(
        self,
        settings: ServeSettings,
        library: Library,
        folder: Folder,
        model: FolderModel,
        background: Background,
        sessions: dict[str, Session],
    ) -> None:
        self._settings, self._library, self._folder = settings, library, folder
        self._model, self._background, self._sessions = model, background, sessions
        self._queue = RequestQueue(1, 1)
        self.kept: list[KeptLabels] = []  # the later ones go before the earlier
        self._exports: dict[str, Export] = {}
        self._home: Path | None = None

    async def start(self, fmt: str) -> Export:
        """Begin an export.

        Raises:
            ConflictError: no image has a mask.
            TooManySessionsError: another is running.
        """
        if any(one.state == "running" for one in self._exports.values()):
            raise TooManySessionsError("another export is running; stop it or wait for it")
        opened = {s.entry.id: s for s in self._sessions.values()}
        documents = {image: s.document for image, s in opened.items()}
        entries = await self._background.in_thread(self._library.entries)
        drawn, remarks = await self._background.in_slow_thread(
            collect_strokes, self._library, documents
        )
        fit = self._model.fit if self._folder.project.shared else None
        strokes = {one.entry.id: one for one in drawn}
        documents |= {image: one.document for image, one in strokes.items()}
        masks: LabelsById = {}
        for kept in self.kept:
            masks |= await self._background.in_slow_thread(kept, entries, documents)
        masks |= {
            image: s.current_mask.labels
            for image, s in opened.items()
            if s.current_mask is not None
        }
        wanted = [e for e in entries if fit is not None or e.id in masks or e.id in strokes]
        if not wanted:
            raise ConflictError("no image has a mask yet: draw a stroke first")
        export = Export(len(wanted), remarks=remarks)
        without = len(entries) - len(wanted)
        if without:
            export.remarks.append(f"{without} of {len(entries)} images have no mask yet")
        for old in list(self._exports.values())[: 1 - _KEPT]:
            self.stop(old)
        self._exports[export.id] = export
        if self._home is None:
            self._home = Path(tempfile.mkdtemp(prefix="saccade-export-"))
        project = self._folder.project
        job = _Job(
            wanted, fmt, project.classes, masks, strokes, fit, self._settings, project.connected
        )
        self._background.start(self._run(export, job, self._home / f"{export.id}.zip"))
        return export

    async def _run(self, export: Export, job: "_Job", path: Path) -> None:
        loop = asyncio.get_running_loop()

        def progress(done: int, detail: str) -> None:
            export.done, export.detail = done, detail

        def work(cancelled: threading.Event) -> list[str]:
            def say(done: int, detail: str) -> None:
                loop.call_soon_threadsafe(progress, done, detail)

            return write_zip(job, self._library, path, say, [cancelled, export.cancelled])

        try:
            export.remarks += await self._queue.submit(export.id, work)
            export.path, export.state, export.detail = path, "done", ""
        except SupersededError:
            export.state, export.detail = "failed", "it was stopped"
        except (InputError, ServeError, OSError) as error:
            export.state, export.detail = "failed", str(error)
        except Exception:
            _log.exception("an export failed")
            export.state, export.detail = "failed", "a fault of the server, see its log"

    def find(self, export: str) -> Export:
        """The export of an id.

        Raises:
            NotFoundError: there is none, or no longer.
        """
        if export not in self._exports:
            raise NotFoundError("no such export: it was removed, or never begun")
        return self._exports[export]

    def stop(self, export: Export) -> None:
        """Stop an export and remove its file."""
        export.cancelled.set()
        self._exports.pop(export.id, None)
        if export.path is not None:
            export.path.unlink(missing_ok=True)

    def file_reply(self, export: Export) -> Response:
        """The file.

        Raises:
            ConflictError: it is not written.
        """
        if export.path is None:
            raise ConflictError(f"the export is not written: {export.detail or 'it is running'}")
        return FileResponse(export.path, media_type="application/zip", filename="masks.zip")

    async def close(self) -> None:
        """Stop all and remove their files."""
        for export in list(self._exports.values()):
            self.stop(export)
        await self._queue.close()
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)


@dataclass(frozen=True)
class _Job:
    """What an export needs, as it was when it was asked for."""

    entries: Sequence[Entry]
    fmt: str
    classes: tuple[StrokeClass, ...]
    masks: LabelsById
    strokes: dict[str, DrawnImage]
    fit: MaskSource | None
    settings: ServeSettings
    connected: bool


def write_zip(
    job: _Job,
    library: Library,
    path: Path,
    progress: Callable[[int, str], None],
    cancelled: Sequence[threading.Event],
) -> list[str]:
    """Write the masks of all images; what could not be written is said, and the rest goes on.

    Raises:
        SupersededError: it was cancelled; nothing is left.
        InputError: no mask could be made.
    """
    remarks, written = [], 0
    suffix = MASK_FORMATS[job.fmt].suffix
    names: set[str] = set()
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for number, entry in enumerate(job.entries):
                progress(number, entry.name)
                if any(one.is_set() for one in cancelled):
                    raise SupersededError
                try:
                    labels = _labels(job, entry, library)
                    data = _encoded(job, entry, labels)
                except (InputError, OSError) as error:
                    remarks.append(f"{entry.name}: no mask ({error})")
                    continue
                name = "/".join(part for part in (entry.folder, entry.title) if part)
                while name in names:  # of another folder that is served
                    name += "_"
                names.add(name)
                file.writestr(f"{name}{suffix}", data)
                written += 1
            table = "".join(f"{c.value} {c.name}\n" for c in job.classes)
            file.writestr("classes.txt", table)
            if remarks:
                file.writestr("remarks.txt", "\n".join(remarks) + "\n")
        if not written:
            raise InputError(remarks[0])
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    progress(len(job.entries), "")
    return remarks


def _labels(job: _Job, entry: Entry, library: Library) -> NDArray[Any]:
    """The mask that the page shows of an image: of the folder's model, else of its own strokes."""
    if entry.id in job.masks:
        return job.masks[entry.id]
    drawn = job.strokes.get(entry.id)
    decided = None if drawn is None else decided_labels(drawn.document, drawn.size)
    if decided is not None:
        return decided
    if job.fit is not None and (entry.id not in job.strokes or job.fit.others(entry.id)):
        strokes = None if drawn is None else rasterize(drawn.document, drawn.size)
        labels = predict_entry(job.fit, entry, library, strokes).labels
        return labels if drawn is None else _finished(job, drawn, labels)
    own = job.strokes[entry.id]
    segmenter = ScribbleSegmenter(job.settings.preset, job.settings.seed, job.settings.device)
    strokes = rasterize(own.document, own.size)
    if not strokes.classes:
        raise InputError("its strokes are outside of the image")
    segmenter.classes = mask_classes(strokes, own.document)
    return _finished(job, own, segmenter.fit(library.load(entry), strokes).result.labels)


def _finished(job: _Job, drawn: DrawnImage, labels: NDArray[Any]) -> NDArray[Any]:
    strokes = rasterize(drawn.document, drawn.size)
    return finished_labels(labels, drawn.document, strokes, connected=job.connected)


def _encoded(job: _Job, entry: Entry, labels: NDArray[Any]) -> bytes:
    return encode_mask(
        labels.astype(np.int32),
        job.fmt,
        classes=[c.value for c in job.classes],
        names={c.value: c.name for c in job.classes},
        colors=colors_of(job.classes),
        image_path=entry.name,
    )
