"""One server: its library, its sessions, and the masks made of their strokes."""

import asyncio
import logging
import time
from collections.abc import Callable

from saccade.errors import InputError, printable
from saccade.scribbles.document import StrokeDocument
from saccade.serve.background import Background
from saccade.serve.errors import (
    ConflictError,
    NotFoundError,
    ServeError,
    TooManySessionsError,
)
from saccade.serve.exports import Exports
from saccade.serve.folder import Folder
from saccade.serve.folder_model import FolderModel
from saccade.serve.holders import OPENED_ELSEWHERE, UNKNOWN, Holder, closed_message
from saccade.serve.library import Library
from saccade.serve.masks import Masks
from saccade.serve.refreshing import Refresher
from saccade.serve.request_queue import RequestQueue
from saccade.serve.session import Session
from saccade.serve.settings import ServeSettings
from saccade.serve.stroke_file import StrokeFile

_LAST_TRIES = 3
"""Of keeping strokes when the server stops, a second apart."""
_log = logging.getLogger("saccade.serve")


class Service:
    """One server's state. All methods belong to the event loop's thread.

    Attributes:
        settings: what the server was started with.
        library: the images that it shows.
        sessions: the open images, by the session's id.
        queue: the requests for masks that wait for a worker.
        background: threads and tasks.
        folder: what belongs to all images.
        model: fitted to the strokes of all images.
        exports: of the masks of all images.
        masks: makes the masks of the sessions.
        on_held: called with the id of an image that a page has opened or left.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self.settings = settings
        self.library = Library(settings)
        self.sessions: dict[str, Session] = {}
        self.queue = RequestQueue(settings.workers, settings.limits.queue)
        self.background = Background()
        self.folder = Folder(settings, self.library, self.background, self.sessions)
        self.masks = Masks(settings, self.library, self.queue, self.background, self.sessions)
        self.model = FolderModel(
            settings, self.library, self.folder, self.queue, self.background, self.sessions
        )
        self.exports = Exports(
            settings, self.library, self.folder, self.model, self.background, self.sessions
        )
        self.masks.folder_fit, self.masks.on_mask = self.model.fit_for, self.model.show
        self.model.on_fit = self.masks.refresh
        self.folder.known = self.model.classes
        self.masks.is_connected = lambda: self.folder.project.connected
        self._refresher = Refresher(self.library, self.queue, self.background)
        self.on_held: Callable[[str], None] = lambda image: None
        self._session_of_image: dict[str, str] = {}
        self._open_lock = asyncio.Lock()

    async def open(
        self, image: str, preset: str | None, seed: int | None, holder: Holder = UNKNOWN
    ) -> Session:
        """Open an image; a session that has it open already is closed and gives all it has.

        Raises:
            NotFoundError: no such image.
            TooManySessionsError: too many sessions are open.
            InputError: the image or its stroke file cannot be used.
        """
        entry = await self.background.in_thread(self.library.find, image)
        if entry is None:
            raise NotFoundError("no such image: it is not, or no longer, in the list")
        await self.folder.load()
        async with self._open_lock:  # a second request for the image must see the first
            older = self.sessions.get(self._session_of_image.get(entry.id, ""))
            if older is None:
                self._make_room()
            else:
                await self._refresher.refresh(older)
            version, digest, read = await self._refresher.read(entry)
            rgb = read.pixels
            session = Session(
                entry=entry,
                size=(rgb.shape[0], rgb.shape[1]),
                document=StrokeDocument(()),
                stroke_file=StrokeFile(entry),
                version=version,
                digest=digest,
                image_remarks=read.remarks,
                preset=preset or self.settings.preset,
                seed=self.settings.seed if seed is None else seed,
                device=self.settings.device,
                holder=holder,
            )
            if older is None or not await self._take_over(session, older):
                session.document, session.stroke_remarks = await self.background.in_slow_thread(
                    session.stroke_file.read_with_remarks, session.size, digest
                )
            self.folder.adopt(session)
            self.sessions[session.id] = session
            self._session_of_image[entry.id] = session.id
        if session.segmenter_settings != (session.preset, session.seed):
            self.masks.prepare(session, rgb)
        self.model.begin()
        return session

    def find(self, session: str) -> Session:
        """The session of an id, marked as used.

        Raises:
            NotFoundError: there is none, or no longer.
        """
        found = self.sessions.get(session)
        if found is None:
            raise NotFoundError(
                "no such session: it was closed, has expired or was opened elsewhere"
            )
        found.last_used = time.monotonic()
        return found

    async def find_fresh(self, session: str) -> Session:
        """`find`, after what has happened to the image's file was noticed.

        Raises:
            NotFoundError: there is no such session.
            InputError: the image was replaced by something that cannot be read.
        """
        found = self.find(session)
        await self._refresher.refresh(found)
        return found

    async def close(self, session: Session, reason: str) -> None:
        """Close a session once its strokes are kept; it stays open while they cannot be.

        Raises:
            ConflictError: they cannot be written.
        """
        while session.closed is None and session.saved_changes < session.changes:
            await self.save(session)
        self._end(session, reason)

    def _end(self, session: Session, reason: str, holder: Holder | None = None) -> None:
        if session.closed is not None:
            return
        session.closed = reason
        self.sessions.pop(session.id, None)
        if self._session_of_image.get(session.entry.id) == session.id:
            del self._session_of_image[session.entry.id]
            self.queue.cancel(session.entry.id)
        session.send(closed_message(reason, holder))
        if session.outgoing is not None:
            session.outgoing.close()

    async def expire(self) -> None:
        """Close sessions that nobody uses; for the others, save and notice what was not yet."""
        for session in list(self.sessions.values()):
            try:
                await self._look_after(session)
            except (ServeError, InputError) as error:
                _log.error("%s", error)

    async def _look_after(self, session: Session) -> None:
        now, limits = time.monotonic(), self.settings.limits
        if session.outgoing is not None:
            if session.saved_changes < session.changes and not session.save_lock.locked():
                await self._save_and_report(session)  # the disk was full, and may no longer be
            await self._refresher.refresh(session)
            return
        left = session.page_left
        is_left = left is not None and now - max(left, session.last_used) > limits.grace_seconds
        if is_left or now - session.last_used > limits.idle_seconds:
            await self.close(session, "nobody used this image for a while; open it again")

    def put_strokes(
        self, session: Session, document: StrokeDocument, revision: int, *, whole: bool = False
    ) -> None:
        """Take new strokes and start saving them; `Masks` makes the mask.

        `whole`: their classes are all that the folder has.
        """
        session.document = self.folder.take(session, document, whole=whole)
        session.revision = revision
        self.folder.note_strokes(session)
        self.model.strokes_changed()
        session.changes += 1
        self.background.start(self._save_and_report(session))

    async def save(self, session: Session) -> int:
        """Wait until the current strokes are on disk; their revision.

        Strokes that change while others are written are written once, as they are then.

        Raises:
            ConflictError: they cannot be written.
        """
        async with session.save_lock:
            await self.folder.save()
            revision, changes, document = session.revision, session.changes, session.document
            if session.saved_changes < changes:
                try:
                    await self.background.in_thread(
                        session.stroke_file.write, document, session.size, session.digest
                    )
                except (InputError, OSError) as error:
                    reason = getattr(error, "strerror", None) or str(error)
                    where = printable(session.entry.strokes.name)
                    raise ConflictError(f"strokes could not be kept in {where}: {reason}") from None
                session.saved_changes = changes
        return revision

    async def close_all(self) -> None:
        """Close all sessions; returns when their strokes are kept."""
        for attempt in range(_LAST_TRIES):
            for session in list(self.sessions.values()):
                try:
                    await self.close(session, "the server was stopped")
                except ServeError as error:
                    _log.error("%s", error)
            if not self.sessions:
                return
            if attempt + 1 < _LAST_TRIES:
                await asyncio.sleep(1.0)
        for session in list(self.sessions.values()):
            self._end(session, "the server was stopped")

    async def stop(self) -> None:
        """Close all sessions; returns when strokes are kept and workers have stopped."""
        await self.close_all()
        await self.model.close()
        await self.exports.close()
        await self.queue.close()
        await self.background.finish()

    def _make_room(self) -> None:
        """Close a session without a page where there are as many as there may be."""
        if len(self.sessions) < self.settings.limits.sessions:
            return
        idle = [s for s in self.sessions.values() if s.outgoing is None and s.page_left is not None]
        if not idle:
            raise TooManySessionsError(
                f"{len(self.sessions)} images are open, which is all there may be at once; "
                "close one"
            )
        oldest = min(idle, key=lambda s: s.last_used)
        self.background.start(self.close(oldest, "others needed the room; open the image again"))

    async def _take_over(self, session: Session, older: Session) -> bool:
        """Close a session for a newer one of its image; whether the newer has the strokes."""
        same = (older.preset, older.seed) == (session.preset, session.seed)
        try:
            await self.save(older)
        except ServeError as error:  # the newer session has them, and tries again
            _log.warning("%s", error)
        self._end(older, OPENED_ELSEWHERE, session.holder)
        if older.size != session.size:
            return False
        if older.digest == session.digest:
            session.segmenter, session.segmenter_settings = (
                older.segmenter,
                older.segmenter_settings,
            )
        unsaved = older.saved_changes < older.changes
        if not unsaved and await self.background.in_thread(older.stroke_file.changed_outside):
            return False
        session.document, session.revision = older.document, older.revision
        session.stroke_remarks = older.stroke_remarks
        session.stroke_file = older.stroke_file
        session.changes, session.saved_changes = older.changes, older.saved_changes
        if same or older.mask_is_imported:
            session.mask = older.mask
        return True

    async def _save_and_report(self, session: Session) -> None:
        revision = session.revision
        try:
            revision = await self.save(session)
        except ServeError as error:
            session.send({"type": "error", "revision": revision, "detail": str(error)}, "unsaved")
        except Exception:
            _log.exception("the strokes of %s could not be kept", session.entry.path)
            detail = "strokes could not be kept for a reason that the server's log has"
            session.send({"type": "error", "revision": revision, "detail": detail}, "unsaved")
        else:
            session.send({"type": "saved", "revision": revision}, "saved")
