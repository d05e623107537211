"""Masks of all slices of a stack at once, from the strokes on some of them, when somebody asks."""

import asyncio
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.formats.containers import write_like
from saccade.images import open_image
from saccade.scribbles.document import StrokeDocument, rasterize
from saccade.serve.errors import ConflictError, NotFoundError, ServeError, SupersededError
from saccade.serve.folder_fit import DrawnImage, collect_strokes, strokes_digest
from saccade.serve.library import Entry, id_of
from saccade.serve.pinning import finished, finished_labels
from saccade.serve.results import DisplayedMask
from saccade.serve.schemas import StackModel
from saccade.serve.service import Service
from saccade.serve.session import Session
from saccade.stacks import StackSegmentation, segment_stack
from saccade.stacks.strokes import in_order

_KEPT = 2
"""Stacks whose masks are kept."""
_SECONDS = 0.2
"""Between two messages of progress."""
_log = logging.getLogger("saccade.serve")


@dataclass
class StackJob:
    """The masks of a stack: on their way, or there.

    Attributes:
        entry: a slice of it.
        state: of the job.
        fraction: done, in [0, 1].
        detail: why it failed.
        seconds: that it took.
        version: of the file.
        digests: of the strokes that it comes from, by the id of their slice.
        found: what it gave; None where it is not there.
        objects: how many there are; None where it is not known.
    """

    entry: Entry
    version: tuple[int, int, int]
    state: Literal["running", "done", "failed"] = "running"
    fraction: float = 0.0
    detail: str = ""
    seconds: float = 0.0
    digests: dict[str, str] = field(default_factory=dict)
    found: StackSegmentation | None = None
    objects: int | None = None

    def reply(self) -> StackModel:
        """As JSON."""
        return StackModel(
            stack=id_of(self.entry.path),
            state=self.state,
            fraction=self.fraction,
            detail=self.detail,
            objects=self.objects,
            remarks=list(self.found.remarks) if self.found is not None else [],
        )


class StackMasks:
    """The stacks of one server. All methods belong to the event loop's thread."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs: dict[str, StackJob] = {}
        service.masks.joined = self.mask_of
        service.exports.kept.insert(0, self.labels_of)  # what somebody called done goes before

    async def start(self, image: str) -> StackJob:
        """Begin to segment all slices of the stack that an image belongs to.

        Raises:
            NotFoundError: there is no such image, or it is no slice.
            ConflictError: no slice has strokes, or it is on its way already.
        """
        service, entry = self._service, await self.entry(image)
        stack = id_of(entry.path)
        if stack in self._jobs and self._jobs[stack].state == "running":
            raise ConflictError("the masks of all slices are on their way already")
        opened = {s.entry.id: s.document for s in service.sessions.values()}
        drawn, _ = await service.background.in_slow_thread(collect_strokes, service.library, opened)
        drawn = [one for one in drawn if one.entry.path == entry.path and one.document.items]
        if not drawn:
            raise ConflictError("no slice has strokes yet: draw on one first")
        for old in [k for k in self._jobs if k != stack][: 1 - _KEPT]:
            del self._jobs[old]
        version = await service.background.in_thread(service.library.version, entry)
        job = self._jobs[stack] = StackJob(entry, version)
        job.digests = {one.entry.id: strokes_digest(one.document) for one in drawn}
        service.background.start(self._run(job, drawn))
        return job

    async def entry(self, image: str) -> Entry:
        """The slice of an id.

        Raises:
            NotFoundError: there is none.
        """
        service = self._service
        entry = await service.background.in_thread(service.library.find, image)
        if entry is None or entry.slice is None:
            raise NotFoundError("no such slice: the image is not, or no longer, one of a stack")
        return entry

    def job(self, entry: Entry) -> StackJob:
        """The last job of a stack.

        Raises:
            NotFoundError: there was none.
        """
        job = self._jobs.get(id_of(entry.path))
        if job is None:
            raise NotFoundError("the masks of all slices were not asked for")
        return job

    def mask_of(self, session: Session) -> DisplayedMask | None:
        """The mask that the stack gives a slice; None where its strokes are others by now."""
        entry = session.entry
        job = None if entry.slice is None else self._jobs.get(id_of(entry.path))
        if job is None or job.found is None or job.version != session.version:
            return None
        if job.digests.get(entry.id, _NOTHING) != strokes_digest(session.document):
            return None
        assert entry.slice is not None
        return _slice_mask(job, entry.slice.place, session)

    def labels_of(
        self, entries: Sequence[Entry], documents: Mapping[str, StrokeDocument]
    ) -> dict[str, NDArray[Any]]:
        """The masks of all slices that `mask_of` would give, as `exports.KeptLabels`."""
        labels: dict[str, NDArray[Any]] = {}
        for job in list(self._jobs.values()):
            slices = [one for one in entries if one.slice and one.path == job.entry.path]
            if job.found is None or not slices:
                continue
            if self._service.library.version(slices[0]) != job.version:
                continue
            for one in slices:
                document = documents.get(one.id, StrokeDocument(()))
                if job.digests.get(one.id, _NOTHING) == strokes_digest(document):
                    labels[one.id] = _slice_labels(job.found, one, document)
        return labels

    def file(self, job: StackJob, documents: Mapping[str, StrokeDocument]) -> bytes:
        """All masks in the container of the stack, with what is pinned; not on the event loop.

        Args:
            job: the masks.
            documents: strokes by image id, where they may be newer than those on the disk.

        Raises:
            ConflictError: they are not there.
        """
        if job.found is None:
            raise ConflictError(f"there are no masks of all slices: {job.detail or 'they come'}")
        library, found = self._service.library, job.found
        labels = found.labels.astype(np.uint8)
        drawn, _ = collect_strokes(library, documents)
        for one in drawn:
            if one.entry.path == job.entry.path and one.entry.slice is not None:
                pinned = _slice_labels(found, one.entry, one.document)
                in_order(labels, found.axes)[one.entry.slice.place] = pinned
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "masks.tif"
            write_like(path, labels, library.stacks.image(job.entry.path), axes=found.axes)
            return path.read_bytes()

    async def _run(self, job: StackJob, drawn: list[DrawnImage]) -> None:
        service, loop = self._service, asyncio.get_running_loop()
        began = last = time.monotonic()

        def tell(fraction: float) -> None:
            job.fraction = round(fraction, 3)
            self._tell(job)

        def progress(fraction: float, _: str) -> None:
            nonlocal last
            if time.monotonic() - last > _SECONDS:
                last = time.monotonic()
                loop.call_soon_threadsafe(tell, fraction)

        def work(cancelled: threading.Event) -> StackSegmentation:
            found = _segment(service, job.entry, drawn, progress, cancelled)
            job.objects = sum(found.objects(t).count for t in range(found.done.shape[0]))
            return found

        try:
            job.found = await service.queue.submit(f"stack {id_of(job.entry.path)}", work)
            job.state, job.fraction = "done", 1.0
        except SupersededError:
            job.state, job.detail = "failed", "it was stopped"
        except (InputError, ServeError, OSError) as error:
            job.state, job.detail = "failed", str(error)
        except Exception:
            _log.exception("the masks of all slices of %s failed", job.entry.path)
            job.state, job.detail = "failed", "a fault of the server, see its log"
        job.seconds = time.monotonic() - began
        for session in list(service.sessions.values()):
            if session.entry.path == job.entry.path and self.mask_of(session) is not None:
                service.masks.start(session)
        self._tell(job)

    def _tell(self, job: StackJob) -> None:
        message = {"type": "stack"} | job.reply().model_dump(mode="json")
        self._service.folder.broadcast(message, "stack")


_NOTHING = strokes_digest(StrokeDocument(()))


def _segment(
    service: Service,
    entry: Entry,
    drawn: list[DrawnImage],
    progress: Callable[[float, str], None],
    cancelled: threading.Event,
) -> StackSegmentation:
    """The masks of all slices; runs on a worker."""
    image = open_image(entry.path)  # of its own: reading moves in the file
    both = image.count("T") > 1 and image.count("Z") > 1
    strokes: dict[Any, NDArray[np.int32]] = {}
    for one in drawn:
        assert one.entry.slice is not None
        place = one.entry.slice.place
        strokes[place if both else max(place)] = rasterize(one.document, one.size).labels
    settings = service.settings
    preset = settings.preset if settings.preset == "best" else "fast"
    found = segment_stack(
        image,
        strokes,
        preset=preset,
        seed=settings.seed,
        device=settings.device,
        progress=progress,
        cancel=cancelled.is_set,
    )
    if cancelled.is_set():
        raise SupersededError
    if preset != settings.preset:
        line = f"stacks are segmented with the preset {preset}, not {settings.preset}"
        return replace(found, remarks=(*found.remarks, line))
    return found


def _slice_labels(found: StackSegmentation, entry: Entry, document: StrokeDocument) -> NDArray[Any]:
    """Class values (H, W) of a slice, with what is pinned on it."""
    assert entry.slice is not None
    labels: NDArray[Any] = in_order(found.labels, found.axes)[entry.slice.place]
    if not document.pins:
        return labels
    height, width = labels.shape
    return finished_labels(labels, document, rasterize(document, (height, width)), connected=False)


def _slice_mask(job: StackJob, place: tuple[int, int], session: Session) -> DisplayedMask:
    found = job.found
    assert found is not None
    labels = in_order(found.labels, found.axes)[place]
    uncertainty = in_order(found.uncertainty, found.axes)[place]
    strokes = rasterize(session.document, session.size)
    mask = DisplayedMask(
        session.revision,
        labels.astype(np.uint8),
        found.classes,
        job.seconds,
        uncertainty=uncertainty,
        stroked=strokes.labels != strokes.unlabeled,
        images=len(job.digests),
    )
    return finished(mask, session.document, strokes, connected=False)
