"""The folder that is served, as one: its classes, what is done, whose strokes count."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from saccade.errors import InputError
from saccade.scribbles.document import StrokeClass, StrokeDocument
from saccade.serve.background import Background
from saccade.serve.errors import ConflictError
from saccade.serve.folder_fit import collect_strokes
from saccade.serve.library import Entry, Library
from saccade.serve.project import Project, ProjectFile, project_folder, with_classes
from saccade.serve.schemas import ClassModel
from saccade.serve.session import Session
from saccade.serve.settings import ServeSettings

_NAMED = 3


class Folder:
    """What belongs to all images. All methods belong to the event loop's thread.

    Attributes:
        project: as it is now; `save` keeps it.
        known: classes that a trained network brings; to be set before `load`.
        drawn: class values with strokes, by image id, of the images that were looked at.
    """

    def __init__(
        self,
        settings: ServeSettings,
        library: Library,
        background: Background,
        sessions: Mapping[str, Session],
    ) -> None:
        self._library = library
        self._background = background
        self._sessions = sessions
        self._file = ProjectFile(project_folder(settings))
        self._saved = self.project = Project()
        self._loaded = False
        self._lock = asyncio.Lock()
        self.known: tuple[StrokeClass, ...] = ()
        self.drawn: dict[str, set[int]] = {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What could not be read of the folder's own files."""
        return self._file.remarks

    async def load(self) -> None:
        """Read what is kept, once; classes of strokes that are there already are taken over."""
        async with self._lock:
            if self._loaded:
                return
            project = await self._background.in_thread(self._file.read)
            project = project.merged(self.known)
            drawn, _ = await self._background.in_slow_thread(collect_strokes, self._library, {})
            for one in drawn:
                project = project.merged(one.document.classes, ours=True)
                self.drawn[one.entry.id] = {item.value for item in one.document.items}
            self._saved = self.project = replace(project, classes=project.merged(()).classes)
            self._loaded = True

    async def save(self) -> None:
        """Wait until the project is on disk.

        Raises:
            ConflictError: it cannot be written.
        """
        async with self._lock:
            project = self.project
            if project == self._saved:
                return
            try:
                await self._background.in_thread(self._file.write, project)
            except (InputError, OSError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise ConflictError(f"the classes could not be kept: {reason}") from None
            self._saved = project

    def adopt(self, session: Session) -> None:
        """Give a session's strokes the classes of the folder, and the folder those it has not."""
        session.document = with_classes(session.document, self.project.classes)
        self.note_strokes(session)
        if session.document.classes != self.project.classes:
            self.project = replace(self.project, classes=session.document.classes)
            self._tell(session)

    def take(self, session: Session, document: StrokeDocument, *, whole: bool) -> StrokeDocument:
        """Strokes that were sent, after the folder has taken their classes.

        Args:
            session: whose strokes they are.
            document: the strokes.
            whole: whether its classes are all there are in the folder. Those that are missing
                and have no strokes elsewhere go.
        """
        before, others = self.project, self._drawn_elsewhere(session.entry.id)
        if whole:
            kept = [c for c in before.classes if c.value in others]
            self.project = replace(before, classes=document.classes).merged(kept, ours=True)
            document = replace(document, classes=self.project.classes)
        else:
            self.project = before.merged(document.classes)
        if self.project.classes != before.classes:
            self._tell(session)
        return document

    def put_classes(self, classes: Sequence[StrokeClass]) -> None:
        """Make these the classes of the folder.

        Raises:
            ConflictError: one is missing that has strokes.
        """
        values = {c.value for c in classes}
        if left := [c for c in self.project.classes if c.value not in values and self.images(c)]:
            named = ", ".join(self.images(left[0])[:_NAMED])
            raise ConflictError(f"class '{left[0].name}' has strokes on {named}; remove them first")
        self.project = replace(self.project, classes=()).merged(classes)
        self._tell(None)

    def images(self, one: StrokeClass) -> list[str]:
        """Names of the images with strokes of a class."""
        found = (
            self._library.find(image) for image, drawn in self.drawn.items() if one.value in drawn
        )
        return [entry.name for entry in found if entry is not None]

    def note_strokes(self, session: Session) -> None:
        """Remember which classes have strokes on an image."""
        self.drawn[session.entry.id] = session.stroked_classes

    def is_done(self, entry: Entry) -> bool:
        """Whether somebody called an image done."""
        return self.key(entry) in self.project.done

    def set_done(self, entry: Entry, done: bool) -> None:
        """Call an image done, or not."""
        key = {self.key(entry)}
        changed = self.project.done | key if done else self.project.done - key
        self.project = replace(self.project, done=changed)

    def key(self, entry: Entry) -> str:
        """What an image or a slice is called in the project."""
        key, one = self._file.key(entry.path), entry.slice
        return key if one is None or one.number == 1 else f"{key}#{one.number}"

    def set_shared(self, shared: bool) -> None:
        """Say whether strokes on one image count for the others."""
        self.project = replace(self.project, shared=shared)

    def set_connected(self, connected: bool) -> None:
        """Say whether a class is only where it is connected to a stroke of it."""
        self.project = replace(self.project, connected=connected)

    def broadcast(self, message: dict[str, Any], kind: str = "") -> None:
        """Send to all pages."""
        for session in self._sessions.values():
            session.send(message, kind)

    def class_models(self) -> list[ClassModel]:
        """The classes as JSON."""
        return [ClassModel(value=c.value, name=c.name, color=c.color) for c in self.project.classes]

    def _drawn_elsewhere(self, image: str) -> set[int]:
        return {v for other, drawn in self.drawn.items() if other != image for v in drawn}

    def _tell(self, source: Session | None) -> None:
        """Give the classes to all open images but one, whose page has them."""
        classes = [c.model_dump() for c in self.class_models()]
        for session in self._sessions.values():
            if session is not source:
                session.document = with_classes(session.document, self.project.classes)
                session.send({"type": "classes", "classes": classes}, "classes")
