"""What the routes and the live socket do: open images, keep strokes, fit, suggest."""

import asyncio
import logging
import time
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
from saccade.scribbles.document import StrokeDocument
from saccade.serve.library import Library
from saccade.serve.problems import BusyError, ConflictError, GoneError, ServeError, TooManyError
from saccade.serve.results import Shown, encode_result
from saccade.serve.scheduler import QueueFullError, Scheduler, SupersededError
from saccade.serve.session import (
    WAITING,
    FitRequest,
    Session,
    TooFewClassesError,
    fit,
    prepare,
    progress_message,
)
from saccade.serve.settings import ServeSettings
from saccade.serve.stroke_file import StrokeFile

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 4
_log = logging.getLogger("saccade.serve")


class Service:
    """One server's state. All methods belong to the event loop's thread."""

    def __init__(self, settings: ServeSettings) -> None:
        self.settings = settings
        self.library = Library(settings)
        self.sessions: dict[str, Session] = {}
        self.scheduler = Scheduler(settings.workers, settings.limits.queue)
        self._of_image: dict[str, str] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._opening = asyncio.Lock()
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def off_loop(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what takes time on a thread, a few at once; it is waited for even if cancelled."""
        call = partial(work, *args, **kwargs)
        return await anyio.to_thread.run_sync(call, limiter=self._threads)

    # Sessions

    async def open(self, image: str, preset: str | None, seed: int | None) -> Session:
        """Open an image; a session that has it open already is closed and gives all it has.

        Raises:
            GoneError: no such image.
            TooManyError: too many sessions are open.
            InputError: the image or its stroke file cannot be used.
        """
        entry = await self.off_loop(self.library.find, image)
        if entry is None:
            raise GoneError("no such image: it is not, or no longer, in the list")
        async with self._opening:  # a second request for the image must see the first
            older = self.sessions.get(self._of_image.get(entry.id, ""))
            if older is None:
                self._make_room()
            rgb = await self.off_loop(self.library.load, entry)
            session = Session(
                entry=entry,
                size=(rgb.shape[0], rgb.shape[1]),
                document=StrokeDocument(()),
                file=StrokeFile(entry),
                preset=preset or self.settings.preset,
                seed=self.settings.seed if seed is None else seed,
                device=self.settings.device,
            )
            if older is None or not await self._take_over(session, older):
                session.document = await self.off_loop(session.file.read, session.size)
            self.sessions[session.id] = session
            self._of_image[entry.id] = session.id
        if session.segmenter_for != (session.preset, session.seed):
            self._prepare(session, rgb)
        return session

    def find(self, session: str) -> Session:
        """The session of an id, marked as used.

        Raises:
            GoneError: there is none, or no longer.
        """
        found = self.sessions.get(session)
        if found is None:
            raise GoneError("no such session: it was closed, has expired or was opened elsewhere")
        found.used = time.monotonic()
        return found

    async def close(self, session: Session, reason: str) -> None:
        """Close a session and make sure that its strokes are kept."""
        if session.closed is not None:
            return
        session.closed = reason
        self.sessions.pop(session.id, None)
        if self._of_image.get(session.entry.id) == session.id:
            del self._of_image[session.entry.id]
            self.scheduler.cancel(session.entry.id)
        session.tell({"type": "closed", "detail": reason})
        if session.outbox is not None:
            session.outbox.close()
        await self.save(session)

    async def expire(self) -> None:
        """Close sessions that nobody uses."""
        now, limits = time.monotonic(), self.settings.limits
        for session in list(self.sessions.values()):
            if session.outbox is not None:
                continue
            left = session.left is not None and now - max(session.left, session.used) > (
                limits.grace_seconds
            )
            if left or now - session.used > limits.idle_seconds:
                await self.close(session, "nobody used this image for a while; open it again")

    # Strokes

    def put_strokes(self, session: Session, document: StrokeDocument, revision: int) -> None:
        """Take new strokes and start keeping them; see `fit` for the mask."""
        session.document, session.revision = document, revision
        session.serial += 1
        self.spawn(self._save_and_tell(session))

    async def save(self, session: Session) -> int:
        """Wait until the strokes of now are on disk; their revision.

        Strokes that change while others are written are written once, as they are then.

        Raises:
            ConflictError: they cannot be written.
        """
        async with session.saving:
            revision, serial, document = session.revision, session.serial, session.document
            if session.saved < serial:
                try:
                    await self.off_loop(session.file.write, document, session.size)
                except (InputError, OSError) as error:
                    reason = getattr(error, "strerror", None) or str(error)
                    where = session.entry.strokes
                    raise ConflictError(f"strokes could not be kept in {where}: {reason}") from None
                session.saved = serial
        return revision

    # Masks

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

    # Start and stop

    async def warm_up(self) -> None:
        """Do once what the first fit of a process would wait for."""

        def work(_: Any) -> None:
            image = np.zeros((96, 96, 3), np.uint8)
            image[:, 48:] = 255
            strokes = np.full((96, 96), 255)
            strokes[40:50, 8:30], strokes[40:50, 60:90] = 0, 1
            ScribbleSegmenter("fast", 0, self.settings.device).fit(image, strokes)

        try:
            await self._submit("warm up", work)
        except SupersededError:
            pass
        except Exception:
            _log.exception("the first fit failed")

    async def say_goodbye(self) -> None:
        """Close all sessions; returns when their strokes are kept."""
        for session in list(self.sessions.values()):
            try:
                await self.close(session, "the server was stopped")
            except ServeError as error:
                _log.error("%s", error)

    async def stop(self) -> None:
        """Close all sessions; returns when strokes are kept and workers have stopped."""
        await self.say_goodbye()
        await self.scheduler.close()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start something that nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # or it might be collected before it has run
        task.add_done_callback(self._tasks.discard)
        return task

    def _submit(self, key: str, work: Callable[[Any], T]) -> "asyncio.Future[T]":
        try:
            return self.scheduler.submit(key, work)
        except QueueFullError as error:
            raise BusyError("too many fits are waiting; try again in a moment") from error

    def _make_room(self) -> None:
        """A session without a page gives its place away."""
        if len(self.sessions) < self.settings.limits.sessions:
            return
        idle = [s for s in self.sessions.values() if s.outbox is None and s.left is not None]
        if not idle:
            raise TooManyError(
                f"{len(self.sessions)} images are open, which is all there may be at once; "
                "close one"
            )
        oldest = min(idle, key=lambda s: s.used)
        self.spawn(self.close(oldest, "others needed the room; open the image again"))

    async def _take_over(self, session: Session, older: Session) -> bool:
        """Close a session for a newer one of its image; whether the newer has the strokes."""
        same = (older.preset, older.seed) == (session.preset, session.seed)
        try:
            await self.close(older, "the image was opened in another window")
        except ServeError as error:
            _log.warning("%s", error)
        if older.size != session.size:
            return False
        session.segmenter, session.segmenter_for = older.segmenter, older.segmenter_for
        unsaved = older.saved < older.serial
        if not unsaved and await self.off_loop(older.file.changed_outside):
            return False
        session.document, session.file, session.revision = (
            older.document,
            older.file,
            older.revision,
        )
        session.serial, session.saved = older.serial, older.saved
        if same or older.imported:
            session.shown, session.imported = older.shown, older.imported
        return True

    def _wait_for_strokes(self, session: Session) -> None:
        session.shown, session.imported = None, False
        message = {"type": "waiting", "revision": session.revision, "detail": WAITING}
        session.tell(message, "result")

    async def _fitted(self, session: Session) -> Shown:
        if session.imported:
            raise ConflictError("the mask was imported, so only a fit would know more: draw first")
        return await self.mask(session)

    def _prepare(self, session: Session, rgb: NDArray[np.uint8]) -> None:
        """Compute the features before the first stroke; strokes that come first do it instead."""
        work = partial(prepare, session, self.library, session.preset, session.seed, rgb)

        async def run() -> None:
            try:
                await self.scheduler.submit(session.entry.id, lambda _: work())
                self._trim(session)
            except (SupersededError, QueueFullError, InputError):
                pass  # the first fit tries again, and says what is wrong

        self.spawn(run())

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

    async def _save_and_tell(self, session: Session) -> None:
        revision = session.revision
        try:
            revision = await self.save(session)
        except ServeError as error:
            session.tell({"type": "error", "revision": revision, "detail": str(error)}, "unsaved")
        except Exception:
            _log.exception("the strokes of %s could not be kept", session.entry.path)
            detail = "strokes could not be kept for a reason that the server's log has"
            session.tell({"type": "error", "revision": revision, "detail": detail}, "unsaved")
        else:
            session.tell({"type": "saved", "revision": revision}, "saved")

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
