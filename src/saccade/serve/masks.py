"""The masks of sessions: asked of the queue, shown on the page, and what is derived from them."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.interactive.suggestions import suggest_regions
from saccade.serve.background import Background
from saccade.serve.decided import ReadLabels, decided_result
from saccade.serve.errors import ConflictError, QueueFullError, ServeError, SupersededError
from saccade.serve.folder_masks import segment_by_folder
from saccade.serve.folder_network import MaskSource
from saccade.serve.library import Library
from saccade.serve.request_queue import RequestQueue
from saccade.serve.results import DisplayedMask, encode_result
from saccade.serve.session import Session
from saccade.serve.settings import ServeSettings
from saccade.serve.worker import (
    NEEDS_STROKES,
    NoStrokesError,
    SegmentationRequest,
    prepare_segmenter,
    progress_message,
    segment_session,
    warm_up,
)

_log = logging.getLogger("saccade.serve")


class Masks:
    """Makes masks of the sessions in `sessions`. All methods belong to the event loop's thread."""

    def __init__(
        self,
        settings: ServeSettings,
        library: Library,
        queue: RequestQueue,
        background: Background,
        sessions: dict[str, Session],
    ) -> None:
        self._settings = settings
        self._library = library
        self._queue = queue
        self._background = background
        self._sessions = sessions
        self.is_warm = False
        self.folder_fit: Callable[[Session], MaskSource | None] = lambda session: None
        self.is_connected: Callable[[], bool] = lambda: False
        self.joined: Callable[[Session], DisplayedMask | None] = lambda session: None
        self.done: Callable[[Session], ReadLabels | None] = lambda session: None
        self.on_mask: Callable[[Session, DisplayedMask], None] = lambda session, mask: None

    async def segment(
        self, session: Session, *, all_probabilities: bool = False
    ) -> DisplayedMask | None:
        """A new mask of the current strokes; None where nothing is drawn.

        Raises:
            SupersededError: newer strokes came.
            QueueFullError: too many sessions wait.
            InputError: the image or the strokes cannot be used.
        """
        key = session.entry.id
        done = self.done(session)
        if done is None and (mask := self.joined(session)) is not None:  # of a stack: it is there
            self._queue.cancel(key)
            session.mask = mask
            self.on_mask(session, mask)
            session.send(encode_result(mask, uncertainty=session.wants_uncertainty), "result")
            return mask
        fit = self.folder_fit(session)
        if fit is None and done is None and not (session.stroked_classes or session.document.pins):
            self._queue.cancel(key)
            self._wait_for_strokes(session)
            return None
        loop = asyncio.get_running_loop()

        def send(message: dict[str, Any] | bytes, kind: str) -> None:
            loop.call_soon_threadsafe(session.send, message, kind)

        request = SegmentationRequest(
            session,
            session.document,
            session.revision,
            session.preset,
            session.seed,
            session.wants_uncertainty,
            all_probabilities,
            self._settings.limits.values,
            self.is_connected(),
        )
        segment = partial(segment_session, request)
        if fit is not None:
            segment = partial(segment_by_folder, request, fit)

        def work(cancelled: threading.Event) -> tuple[DisplayedMask, bytes]:
            number = 0 if fit is None else fit.number
            decided = decided_result(request, done() if done else None, number)
            return decided or segment(self._library, send, cancelled)

        future = self._queue.submit(key, work)
        session.newest_request = future
        self._send_queue_positions()
        try:
            found, message = await asyncio.shield(future)
        except NoStrokesError:
            self._wait_for_strokes(session)
            return None
        if session.newest_request is future:
            session.newest_request = None
            session.mask = found
            self.on_mask(session, found)
        session.send(message, "result")
        self._send_queue_positions()
        self._free_memory(session)
        return found

    def can_make(self, session: Session) -> bool:
        """Whether there is a mask without strokes: of the folder's model or a stack, or kept."""
        made = self.folder_fit(session), self.joined(session), self.done(session)
        return bool(session.document.pins) or any(one is not None for one in made)

    def start(self, session: Session) -> None:
        """`segment`, with errors sent to the page instead of raised."""
        self._background.start(self._segment_and_report(session))

    def refresh(self) -> None:
        """Make the masks anew that pages show and that another fit to the folder may improve."""
        for session in self._sessions.values():
            fit, mask = self.folder_fit(session), session.mask
            made_by = 0 if mask is None else mask.fit
            if session.outgoing is None or session.mask_is_imported:
                if made_by and not session.mask_is_imported:
                    session.mask = None
            elif (fit.number if fit is not None else 0) != made_by or (mask is None and fit):
                self.start(session)

    def make_anew(self) -> None:
        """Make all masks that pages show anew; the others when they are asked for."""
        for session in self._sessions.values():
            if session.mask_is_imported:
                continue
            session.mask = None
            if session.outgoing is not None:
                self.start(session)

    async def current(self, session: Session) -> DisplayedMask:
        """The mask of the current strokes, computed if there is none yet.

        Raises:
            ConflictError: there are not enough strokes for one.
            And what `segment` raises.
        """
        for _ in range(3):
            if session.current_mask is not None:
                return session.current_mask
            try:
                mask = await self.segment(session)
            except SupersededError:  # somebody draws meanwhile
                continue
            if mask is None:
                raise ConflictError(f"there is no mask yet: {NEEDS_STROKES}")
            return mask
        raise ConflictError("the strokes change all the time; ask again when they are done")

    async def probabilities(self, session: Session) -> tuple[NDArray[np.float16], tuple[int, ...]]:
        """Class probabilities (K, H, W) and the class values.

        Raises:
            What `current` raises, and ConflictError where the mask was imported.
        """
        mask = await self._computed(session)
        if mask.probabilities is None:  # too large to be kept
            again = await self.segment(session, all_probabilities=True)
            mask = again or mask
            session.mask = None if again is None else replace(again, probabilities=None)
        if mask.probabilities is None:
            raise ConflictError(f"there is no mask yet: {NEEDS_STROKES}")
        return mask.probabilities, mask.classes

    async def uncertainty(self, session: Session) -> NDArray[np.float16]:
        """Uncertainty (H, W) in [0, 1]; raises what `probabilities` raises."""
        uncertainty = (await self._computed(session)).uncertainty
        if uncertainty is None:
            raise ConflictError("the mask was imported, so it has no uncertainty: draw first")
        return uncertainty

    async def suggest(self, session: Session, count: int) -> list[dict[str, Any]]:
        """Where strokes would help most, best first; raises what `probabilities` raises."""
        mask = await self._computed(session)
        if mask.uncertainty is None or mask.stroked is None:
            return []
        uncertainty, stroked = mask.uncertainty, mask.stroked
        regions = await self._background.in_thread(
            lambda: suggest_regions(uncertainty.astype(np.float32), stroked, count)
        )
        return [
            {"row": r.row, "column": r.column, "box": list(r.box), "score": round(r.score, 2)}
            for r in regions
        ]

    async def show_imported(
        self, session: Session, labels: NDArray[np.int32], remarks: tuple[str, ...] = ()
    ) -> None:
        """Show a mask from a file until the next one is computed.

        Raises:
            InputError: a value that the page has no class for.
        """
        classes = tuple(int(v) for v in np.unique(labels))
        if not 0 <= classes[0] <= classes[-1] <= 254:
            raise InputError(
                f"mask: values {classes[0]}..{classes[-1]}, expected 0..254 on the page; number "
                "the classes 0, 1, 2, ..."
            )
        self._queue.cancel(session.entry.id)
        mask = DisplayedMask(
            session.revision,
            labels.astype(np.uint8),
            classes,
            imported=True,
            remarks=remarks,
        )
        message = await self._background.in_thread(encode_result, mask, uncertainty=False)
        session.mask = mask
        session.send(message, "result")

    def prepare(self, session: Session, rgb: NDArray[np.uint8]) -> None:
        """Start computing features before the first stroke; the first mask computes them else."""
        work = partial(prepare_segmenter, session, self._library, session.preset, session.seed, rgb)

        async def run() -> None:
            try:
                await self._queue.submit(session.entry.id, lambda _: work())
                self._free_memory(session)
            except (SupersededError, QueueFullError, InputError):
                pass  # the first request for a mask tries again, and says what is wrong

        self._background.start(run())

    async def warm_up(self) -> None:
        """Do once what the first mask of a process would wait for."""
        try:
            await self._queue.submit("warm up", lambda _: warm_up(self._settings.device))
            self.is_warm = True
        except SupersededError:
            pass
        except Exception:
            _log.exception("the first fit failed")

    async def _computed(self, session: Session) -> DisplayedMask:
        if session.mask_is_imported:
            raise ConflictError("the mask was imported, so only a fit would know more: draw first")
        return await self.current(session)

    def _wait_for_strokes(self, session: Session) -> None:
        session.mask = None
        message = {"type": "waiting", "revision": session.revision, "detail": NEEDS_STROKES}
        session.send(message, "result")

    async def _segment_and_report(self, session: Session) -> None:
        revision = session.revision
        try:
            await self.segment(session)
        except SupersededError:
            pass
        except (ServeError, InputError) as error:
            session.send({"type": "error", "revision": revision, "detail": str(error)})
        except Exception:
            _log.exception("the fit of %s failed", session.entry.path)
            detail = "the fit failed for a reason that the server's log has"
            session.send({"type": "error", "revision": revision, "detail": detail})

    def _send_queue_positions(self) -> None:
        for session in self._sessions.values():
            if (ahead := self._queue.position(session.entry.id)) > 0:
                session.send(progress_message(session.revision, 0.0, "queued", ahead), "progress")

    def _free_memory(self, newest: Session) -> None:
        """Drop what was computed for the sessions unused longest, until the rest fits."""
        total = sum(session.nbytes for session in self._sessions.values())
        for session in sorted(self._sessions.values(), key=lambda s: s.last_used):
            if total <= self._settings.limits.cache_bytes:
                return
            if session is newest or self._queue.is_busy(session.entry.id):
                continue
            before = session.nbytes
            session.segmenter = session.segmenter_settings = None
            if not session.mask_is_imported:
                session.mask = None
            total -= before - session.nbytes
