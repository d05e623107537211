"""The worker: strokes of a session to a mask, on a thread of the queue."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.interactive import ScribbleSegmenter, Segmentation
from saccade.interactive.inputs import encode_strokes, ground_class
from saccade.scribbles.document import StrokeDocument, rasterize
from saccade.scribbles.strokes import Strokes
from saccade.serve.errors import SupersededError
from saccade.serve.library import Library
from saccade.serve.pinning import finished
from saccade.serve.results import DisplayedMask, displayed_mask, encode_result
from saccade.serve.session import Session

_PREVIEW_PIXELS = 700_000
"""Below, the whole mask is there so soon that a coarse one before it would only cost time."""
_PROGRESS_SECONDS = 0.05

NEEDS_STROKES = "draw a stroke of a class first"

Send = Callable[[dict[str, Any] | bytes, str], None]


def prepare_segmenter(
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
    if segmenter is not None and session.segmenter_settings == (preset, seed):
        return segmenter
    rgb = library.load(session.entry) if rgb is None else rgb
    if rgb.shape[:2] != session.size:
        raise InputError(f"{session.entry.name}: has changed its size, open it again")
    segmenter = ScribbleSegmenter(preset, seed, session.device).prepare(rgb)
    session.segmenter, session.segmenter_settings = segmenter, (preset, seed)
    return segmenter


@dataclass(frozen=True)
class SegmentationRequest:
    """A session as it is when a mask is asked for; it may change while the worker runs."""

    session: Session
    document: StrokeDocument
    revision: int
    preset: str
    seed: int
    wants_uncertainty: bool = False
    all_probabilities: bool = False
    max_values: int = 0
    connected: bool = False


class NoStrokesError(InputError):
    """No class has a visible stroke."""


def segment_session(
    request: SegmentationRequest, library: Library, send: Send, cancelled: threading.Event
) -> tuple[DisplayedMask, bytes]:
    """Strokes to mask; runs on a worker, and stops soon once ``cancelled`` is set.

    Args:
        request: the strokes and how to segment.
        library: to load the image from.
        send: takes messages for the page; called from the worker's thread.
        cancelled: set by whoever no longer wants the result.

    Returns:
        The mask, and the message that shows it.

    Raises:
        SupersededError: it was cancelled.
        NoStrokesError: there is no visible stroke.
        InputError: the image or the strokes cannot be used.
    """
    started = time.perf_counter()
    strokes = _rasterized(request, cancelled)
    session, revision = request.session, request.revision
    send(progress_message(revision, 0.0, "features"), "progress")
    segmenter = prepare_segmenter(session, library, request.preset, request.seed)
    segmenter.classes = classes = mask_classes(strokes, request.document)
    if cancelled.is_set():
        raise SupersededError

    def preview(labels: NDArray[np.int32]) -> None:
        if not cancelled.is_set():
            seconds = time.perf_counter() - started
            coarse = DisplayedMask(revision, labels, classes, seconds, final=False)
            coarse = finished(coarse, request.document, strokes, connected=request.connected)
            send(encode_result(coarse, uncertainty=False), "result")

    slow = session.size[0] * session.size[1] > _PREVIEW_PIXELS or request.preset != "fast"
    segmenter.update(
        strokes,
        progress=_progress_sender(revision, send),
        cancel=cancelled.is_set,
        preview=preview if slow else None,
    )
    if cancelled.is_set():
        raise SupersededError
    return answer(request, segmenter.result, strokes, started)


def answer(
    request: SegmentationRequest,
    result: Segmentation,
    strokes: Strokes,
    started: float,
    **facts: Any,
) -> tuple[DisplayedMask, bytes]:
    """The mask of a request, and the message that shows it.

    Args:
        request: what was asked for.
        result: its mask.
        strokes: on the image.
        started: when the work began, by `time.perf_counter`.
        facts: more fields of the mask.
    """
    mask = displayed_mask(
        result,
        request.revision,
        stroked=strokes.labels != strokes.unlabeled,
        seconds=time.perf_counter() - started,
        all_probabilities=request.all_probabilities,
    )
    mask = replace(mask, **facts)
    mask = finished(mask, request.document, strokes, connected=request.connected)
    return mask, encode_result(mask, uncertainty=request.wants_uncertainty)


def stroke_index(
    strokes: Strokes, size: tuple[int, int], classes: Sequence[int]
) -> NDArray[np.int64] | None:
    """(H, W) index of the strokes into `classes`, K where nobody drew; None without strokes."""
    if not strokes.classes:
        return None
    return encode_strokes(strokes.labels, size, unlabeled=strokes.unlabeled, classes=classes)[1]


def _rasterized(request: SegmentationRequest, cancelled: threading.Event) -> Strokes:
    """The strokes of a request on the grid of its image; errors are those of `segment_session`."""
    height, width = request.session.size

    def pause() -> None:
        if cancelled.is_set():
            raise SupersededError

    strokes = rasterize(request.document, (height, width), pause=pause)
    if not strokes.classes:
        raise NoStrokesError(NEEDS_STROKES)
    check_room(request, len(mask_classes(strokes, request.document)))
    return strokes


def check_room(request: SegmentationRequest, count: int) -> None:
    """Raise InputError where the mask of so many classes needs more memory than it may take."""
    height, width = request.session.size
    if height * width * count > request.max_values:
        raise InputError(
            f"{width} x {height} pixels with {count} classes need more memory than one "
            "image may take here; use fewer classes or a smaller image"
        )


def mask_classes(strokes: Strokes, document: StrokeDocument) -> tuple[int, ...]:
    """The classes of the mask: those drawn; where it is one alone, another of the document too."""
    if len(strokes.classes) > 1:
        return strokes.classes
    (stroked,) = strokes.classes
    return tuple(sorted((stroked, ground_class(stroked, [c.value for c in document.classes]))))


def _progress_sender(revision: int, send: Send) -> Callable[[float, str], None]:
    """What tells the page of progress, but not more often than it can show."""
    last = time.perf_counter()

    def progress(fraction: float, stage: str) -> None:
        nonlocal last
        if time.perf_counter() - last > _PROGRESS_SECONDS:
            last = time.perf_counter()
            send(progress_message(revision, fraction, stage), "progress")

    return progress


def progress_message(revision: int, fraction: float, stage: str, ahead: int = 0) -> dict[str, Any]:
    """How far a request is, for the page; `ahead` requests start before it."""
    return {
        "type": "progress",
        "revision": revision,
        "fraction": round(fraction, 3),
        "stage": stage,
        "ahead": ahead,
    }


def warm_up(device: str) -> None:
    """Do once what the first request of a process would wait for."""
    image = np.zeros((96, 96, 3), np.uint8)
    image[:, 48:] = 255
    strokes = np.full((96, 96), 255)
    strokes[40:50, 8:30], strokes[40:50, 60:90] = 0, 1
    ScribbleSegmenter("fast", 0, device).fit(image, strokes)
