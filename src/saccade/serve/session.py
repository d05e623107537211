"""One open image: its strokes, the segmenter with its features, the last good mask."""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.interactive import ScribbleSegmenter
from saccade.scribbles.document import StrokeDocument, rasterize
from saccade.serve.library import Entry, Library
from saccade.serve.outbox import Outbox
from saccade.serve.results import Shown, encode_result, shown_of
from saccade.serve.scheduler import SupersededError
from saccade.serve.stroke_file import StrokeFile

_PREVIEW_PIXELS = 700_000
"""Below, the whole mask is there so soon that a coarse one before it would only cost time."""
_BYTES_PER_PIXEL = 150
"""What a segmenter holds for a pixel of its working size at most: features, guides, segments."""

_PROGRESS_SECONDS = 0.05

WAITING = "draw strokes of at least two classes"

Tell = Callable[[dict[str, Any] | bytes, str], None]


@dataclass(eq=False)
class Session:
    """An open image. Fields belong to the event loop, but for `segmenter`, which is a worker's.

    Attributes:
        entry: the image.
        size: (H, W).
        document: the strokes of now.
        file: where they are kept.
        preset: of its fits.
        seed: likewise.
        device: likewise.
        revision: the page's number for the strokes of now.
        shown: the last good mask.
        imported: whether that mask came from a file.
        segmenter: with the features of the image; None until they are needed, or after they
            were dropped for room.
        segmenter_for: preset and seed of the segmenter.
        outbox: of the page that is connected.
        wants_uncertainty: whether the page shows it.
        pending: of the newest fit.
        serial: counts the changes of the strokes.
        saved: the newest of them that is kept on disk.
        saving: held by whoever writes.
        used: when it was last asked for anything, in seconds of a monotonic clock.
        left: when its page went away; None while one is connected or none ever was.
        id: opaque.
        closed: why it is closed; None while it is open.
    """

    entry: Entry
    size: tuple[int, int]
    document: StrokeDocument
    file: StrokeFile
    preset: str
    seed: int
    device: str
    revision: int = 0
    shown: Shown | None = None
    imported: bool = False
    segmenter: ScribbleSegmenter | None = None
    segmenter_for: tuple[str, int] | None = None
    outbox: Outbox | None = None
    wants_uncertainty: bool = False
    pending: "asyncio.Future[Any] | None" = None
    serial: int = 0
    saved: int = 0
    saving: asyncio.Lock = field(default_factory=asyncio.Lock)
    used: float = field(default_factory=time.monotonic)
    left: float | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    closed: str | None = None

    @property
    def classes_drawn(self) -> set[int]:
        """Values of the classes that have a stroke."""
        return {item.value for item in self.document.items}

    @property
    def nbytes(self) -> int:
        """About the memory that could be freed by dropping what can be computed again."""
        total = self.shown.nbytes if self.shown is not None else 0
        if self.segmenter is not None:
            pixels = self.size[0] * self.size[1]
            total += 3 * pixels + min(pixels, self.segmenter.preset.max_pixels) * _BYTES_PER_PIXEL
        return total

    def tell(self, message: dict[str, Any] | bytes, kind: str = "") -> None:
        """Send to the page, if one is connected; of each kind only the newest is kept."""
        if self.outbox is not None:
            self.outbox.put(message, kind)


def prepare(
    session: Session,
    library: Library,
    preset: str,
    seed: int,
    rgb: NDArray[np.uint8] | None = None,
) -> ScribbleSegmenter:
    """The session's segmenter with the features of its image; runs on a worker.

    Raises:
        InputError: the image cannot be read, or is not the one that was opened.
    """
    segmenter = session.segmenter
    if segmenter is not None and session.segmenter_for == (preset, seed):
        return segmenter
    rgb = library.load(session.entry) if rgb is None else rgb
    if rgb.shape[:2] != session.size:
        raise InputError(f"{session.entry.name}: has changed its size, open it again")
    segmenter = ScribbleSegmenter(preset, seed, session.device).prepare(rgb)
    session.segmenter, session.segmenter_for = segmenter, (preset, seed)
    return segmenter


@dataclass(frozen=True)
class FitRequest:
    """What a worker needs to know of a session at the moment a fit is asked for."""

    session: Session
    document: StrokeDocument
    revision: int
    preset: str
    seed: int
    wants_uncertainty: bool = False
    all_probabilities: bool = False
    most_values: int = 0


class TooFewClassesError(InputError):
    """Fewer than two classes have a visible stroke."""


def fit(
    request: FitRequest, library: Library, tell: Tell, cancelled: threading.Event
) -> tuple[Shown, bytes]:
    """Strokes to mask; runs on a worker, and stops soon once ``cancelled`` is set.

    Args:
        request: what to fit.
        library: to load the image from.
        tell: given messages for the page; called from the worker's thread.
        cancelled: set by whoever no longer wants the result.

    Returns:
        The mask, and the message that shows it.

    Raises:
        SupersededError: it was cancelled.
        TooFewClassesError: there is nothing to tell apart.
        InputError: the image or the strokes cannot be used.
    """
    session, revision = request.session, request.revision
    began = time.perf_counter()
    strokes = rasterize(request.document, session.size)
    classes = strokes.classes
    if len(classes) < 2:
        raise TooFewClassesError(WAITING)
    height, width = session.size
    if height * width * len(classes) > request.most_values:
        raise InputError(
            f"{width} x {height} pixels with {len(classes)} classes need more memory than one "
            "image may take here; use fewer classes or a smaller image"
        )
    tell(progress_message(revision, 0.0, "features"), "progress")
    segmenter = prepare(session, library, request.preset, request.seed)
    if cancelled.is_set():
        raise SupersededError
    told = time.perf_counter()

    def progress(fraction: float, stage: str) -> None:
        nonlocal told
        if time.perf_counter() - told > _PROGRESS_SECONDS:
            told = time.perf_counter()
            tell(progress_message(revision, fraction, stage), "progress")

    def preview(labels: NDArray[np.int32]) -> None:
        if not cancelled.is_set():
            coarse = Shown(revision, labels, classes, time.perf_counter() - began, final=False)
            tell(encode_result(coarse, uncertainty=False), "result")

    segmenter.unlabeled = strokes.unlabeled
    large = height * width > _PREVIEW_PIXELS or request.preset != "fast"
    segmenter.update(
        strokes.labels,
        progress=progress,
        cancel=cancelled.is_set,
        preview=preview if large else None,
    )
    if cancelled.is_set():
        raise SupersededError
    shown = shown_of(
        segmenter.result,
        revision,
        drawn=strokes.labels != strokes.unlabeled,
        seconds=time.perf_counter() - began,
        all_probabilities=request.all_probabilities,
    )
    return shown, encode_result(shown, uncertainty=request.wants_uncertainty)


def progress_message(revision: int, fraction: float, stage: str, ahead: int = 0) -> dict[str, Any]:
    """How far a fit is, for the page."""
    return {
        "type": "progress",
        "revision": revision,
        "fraction": round(fraction, 3),
        "stage": stage,
        "ahead": ahead,
    }
