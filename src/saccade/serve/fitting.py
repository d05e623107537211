"""Fits of sessions and what is asked of their results; `Service` adds the sessions themselves."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.interactive import ScribbleSegmenter, Segmentation
from saccade.interactive.result import suggest_regions
from saccade.serve.library import Library
from saccade.serve.problems import BusyError, ConflictError, ServeError
from saccade.serve.results import Shown, encode_result
from saccade.serve.scheduler import QueueFullError, Scheduler, SupersededError
from saccade.serve.session import (
    WAITING,
    FitRequest,
    Session,
    TooFewClassesError,
    fit,
    progress_message,
)
from saccade.serve.settings import ServeSettings

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 4
_log = logging.getLogger("saccade.serve")


class Fitting:
    """The queue and everything that needs a mask. All methods belong to the event loop's thread."""

    def __init__(self, settings: ServeSettings) -> None:
        self.settings = settings
        self.library = Library(settings)
        self.sessions: dict[str, Session] = {}
        self.scheduler = Scheduler(settings.workers, settings.limits.queue)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def off_loop(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what takes time on a thread, a few at once; it is waited for even if cancelled."""
        call = partial(work, *args, **kwargs)
        return await anyio.to_thread.run_sync(call, limiter=self._threads)

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start something that nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # or it might be collected before it has run
        task.add_done_callback(self._tasks.discard)
        return task

    async def fit(self, session: Session, *, all_probabilities: bool = False) -> Shown | None:
        """A mask of the strokes of now; None where strokes of two classes are missing.

        Raises:
            SupersededError: newer strokes came.
            BusyError: too many sessions wait.
            InputError: the image or the strokes cannot be used.
        """
        key = session.entry.id
        if len(session.classes_drawn) < 2:
            self.scheduler.cancel(key)
            self._wait_for_strokes(session)
            return None
        loop = asyncio.get_running_loop()

        def tell(message: dict[str, Any] | bytes, kind: str) -> None:
            loop.call_soon_threadsafe(session.tell, message, kind)

        request = FitRequest(
            session,
            session.document,
            session.revision,
            session.preset,
            session.seed,
            session.wants_uncertainty,
            all_probabilities,
            self.settings.limits.values,
        )
        future = self._submit(key, partial(fit, request, self.library, tell))
        session.pending = future
        self._tell_ahead()
        try:
            shown, message = await asyncio.shield(future)
        except TooFewClassesError:
            self._wait_for_strokes(session)
            return None
        if session.pending is future:
            session.pending = None
            session.shown, session.imported = shown, False
        session.tell(message, "result")
        self._tell_ahead()
        self._trim(session)
        return shown

    def start_fit(self, session: Session) -> None:
        """`fit`, with whatever happens told to the page."""
        self.spawn(self._fit_and_tell(session))

    async def mask(self, session: Session) -> Shown:
        """The mask of the strokes of now, fitted if need be.

        Raises:
            ConflictError: there are not enough strokes for one.
            And what `fit` raises.
        """
        for _ in range(3):
            shown = session.shown
            if shown is not None and (session.imported or shown.revision == session.revision):
                return shown
            try:
                made = await self.fit(session)
            except SupersededError:  # somebody draws meanwhile
                continue
            if made is None:
                raise ConflictError(f"there is no mask yet: {WAITING}")
            return made
        raise ConflictError("the strokes change all the time; ask again when they are done")

    async def probabilities(self, session: Session) -> tuple[NDArray[np.float16], tuple[int, ...]]:
        """Class probabilities (K, H, W) and the class values.

        Raises:
            As `mask`, and ConflictError where the mask was imported.
        """
        shown = await self._fitted(session)
        if shown.probabilities is None:  # too large to be kept
            again = await self.fit(session, all_probabilities=True)
            shown = again or shown
            session.shown = None if again is None else lighter(again)
        if shown.probabilities is None:
            raise ConflictError(f"there is no mask yet: {WAITING}")
        return shown.probabilities, shown.classes

    async def uncertainty(self, session: Session) -> NDArray[np.float16]:
        """Uncertainty (H, W) in [0, 1]; raises as `probabilities`."""
        doubt = (await self._fitted(session)).uncertainty
        if doubt is None:
            raise ConflictError("the mask was imported, so it has no uncertainty: draw first")
        return doubt

    async def suggest(self, session: Session, count: int) -> list[dict[str, Any]]:
        """Where strokes would help most, best first; raises as `probabilities`."""
        shown = await self._fitted(session)
        if shown.uncertainty is None or shown.drawn is None:
            return []
        doubt, drawn = shown.uncertainty, shown.drawn
        regions = await self.off_loop(
            lambda: suggest_regions(doubt.astype(np.float32), drawn, count)
        )
        return [
            {"row": r.row, "column": r.column, "box": list(r.box), "score": round(r.score, 2)}
            for r in regions
        ]

    async def show_mask(self, session: Session, labels: NDArray[np.int32]) -> None:
        """Show an imported mask until the next fit.

        Raises:
            InputError: a value that the page has no class for.
        """
        classes = tuple(int(v) for v in np.unique(labels))
        if not 0 <= classes[0] <= classes[-1] <= 254:
            raise InputError(f"mask: values {classes[0]}..{classes[-1]}, expected 0..254")
        self.scheduler.cancel(session.entry.id)
        shown = Shown(session.revision, labels.astype(np.uint8), classes)
        message = await self.off_loop(encode_result, shown, uncertainty=False)
        session.shown, session.imported = shown, True
        session.tell(message, "result")

    async def segment_once(
        self, key: str, rgb: NDArray[np.uint8], strokes: NDArray[np.int32], unlabeled: int
    ) -> Segmentation:
        """Segment an image that no session has, in its turn.

        Raises:
            BusyError: too many wait.
            SupersededError: the same key was asked for again, or the server stops.
            InputError: the image or the strokes cannot be used.
        """
        settings = self.settings

        def work(cancelled: Any) -> Segmentation:
            segmenter = ScribbleSegmenter(
                settings.preset, settings.seed, settings.device, unlabeled=unlabeled
            )
            return segmenter.fit(rgb, strokes, cancel=cancelled.is_set).result

        return await self._submit(key, work)

    def _submit(self, key: str, work: Callable[[Any], T]) -> "asyncio.Future[T]":
        try:
            return self.scheduler.submit(key, work)
        except QueueFullError as error:
            raise BusyError("too many fits are waiting; try again in a moment") from error

    async def _fitted(self, session: Session) -> Shown:
        if session.imported:
            raise ConflictError("the mask was imported, so only a fit would know more: draw first")
        return await self.mask(session)

    def _wait_for_strokes(self, session: Session) -> None:
        session.shown, session.imported = None, False
        message = {"type": "waiting", "revision": session.revision, "detail": WAITING}
        session.tell(message, "result")

    async def _fit_and_tell(self, session: Session) -> None:
        revision = session.revision
        try:
            await self.fit(session)
        except SupersededError:
            pass
        except (ServeError, InputError) as error:
            session.tell({"type": "error", "revision": revision, "detail": str(error)})
        except Exception:
            _log.exception("the fit of %s failed", session.entry.path)
            detail = "the fit failed for a reason that the server's log has"
            session.tell({"type": "error", "revision": revision, "detail": detail})

    def _tell_ahead(self) -> None:
        for session in self.sessions.values():
            if (ahead := self.scheduler.ahead(session.entry.id)) > 0:
                session.tell(progress_message(session.revision, 0.0, "queued", ahead), "progress")

    def _trim(self, newest: Session) -> None:
        """Drop what was computed for the sessions that have waited longest, until it fits."""
        total = sum(session.nbytes for session in self.sessions.values())
        for session in sorted(self.sessions.values(), key=lambda s: s.used):
            if total <= self.settings.limits.cache_bytes:
                return
            if session is newest or self.scheduler.busy(session.entry.id):
                continue
            before = session.nbytes
            session.segmenter = session.segmenter_for = None
            if not session.imported:
                session.shown = None
            total -= before - session.nbytes


def lighter(shown: Shown) -> Shown:
    """A mask without its probabilities."""
    from dataclasses import replace

    return replace(shown, probabilities=None)
