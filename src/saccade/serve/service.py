"""What the routes and the live socket do: open images, keep strokes, fit, suggest."""

import asyncio
import logging
import time
from functools import partial
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.interactive import ScribbleSegmenter
from saccade.scribbles.document import StrokeDocument
from saccade.serve.fitting import Fitting
from saccade.serve.problems import ConflictError, GoneError, ServeError, TooManyError
from saccade.serve.scheduler import QueueFullError, SupersededError
from saccade.serve.session import (
    Session,
    prepare,
)
from saccade.serve.settings import ServeSettings
from saccade.serve.stroke_file import StrokeFile

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 4
_log = logging.getLogger("saccade.serve")


class Service(Fitting):
    """One server's state. All methods belong to the event loop's thread."""

    def __init__(self, settings: ServeSettings) -> None:
        super().__init__(settings)
        self._of_image: dict[str, str] = {}
        self._opening = asyncio.Lock()

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
