"""What belongs to the folder and not to one of its images: classes, what is done, what counts.

It is kept in a small file beside the images, which no reader of images or strokes looks at.
"""

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from saccade.data.specs import read_classes
from saccade.errors import InputError
from saccade.files import atomic_write, read_json
from saccade.scribbles.document import StrokeClass, StrokeDocument
from saccade.serve.schemas import ClassModel, Strict, validation_message
from saccade.serve.settings import ServeSettings
from saccade.serve.stroke_file import complete_classes
from saccade.strict_json import json_text

FILE_NAME = ".saccade.json"
TEMPLATE_NAME = "classes.txt"
_LARGEST_CLASS = 254


class ProjectModel(Strict):
    """The file, as JSON."""

    saccade_folder: Literal[1]
    classes: list[ClassModel]
    done: list[str]
    shared: bool
    connected: bool = False


@dataclass(frozen=True)
class Project:
    """What is known of a folder.

    Attributes:
        classes: of all its images, by value.
        done: images that somebody called done, by their paths relative to the folder.
        shared: whether strokes on one image count for the others.
        connected: whether a class is only where it is connected to a stroke of it.
    """

    classes: tuple[StrokeClass, ...] = ()
    done: frozenset[str] = frozenset()
    shared: bool = True
    connected: bool = False

    def merged(self, classes: Iterable[StrokeClass], *, ours: bool = False) -> "Project":
        """With more classes; where a value is in both, `ours` says whose name and color stay."""
        table = {c.value: c for c in self.classes}
        for one in classes:
            if not (ours and one.value in table):
                table[one.value] = one
        return replace(self, classes=with_own_names(table.values()))


def with_own_names(classes: Iterable[StrokeClass]) -> tuple[StrokeClass, ...]:
    """Classes by value, each with a name and a color of its own.

    >>> [c.name for c in with_own_names([StrokeClass(1, "cell"), StrokeClass(2, "cell")])]
    ['cell', 'cell (2)']
    """
    found: dict[str, StrokeClass] = {}
    for one in sorted(classes, key=lambda c: c.value):
        name, count = one.name, 1
        while name in found:
            count += 1
            name = f"{one.name} ({one.value if count == 2 else count})"
        found[name] = replace(one, name=name)
    return complete_classes(StrokeDocument(tuple(found.values()))).classes


@dataclass
class ProjectFile:
    """Reads and writes the project of a folder. Safe to use from several threads.

    Attributes:
        folder: that has the file.
        remarks: what could not be read.
    """

    folder: Path
    remarks: tuple[str, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> Project:
        """The project, or a new one with the classes of `classes.txt`, if there is such a file."""
        path = self.folder / FILE_NAME
        try:
            if path.is_file() and not path.is_symlink():
                return _from_json(read_json(path), path)
        except InputError as error:
            self.remarks = (f"{error}; the folder begins anew, and the file is kept as .bak",)
            with self._lock:
                os.replace(path, path.with_name(f"{FILE_NAME}.bak"))
        return Project(self._template())

    def write(self, project: Project) -> None:
        """Keep the project.

        Raises:
            InputError, OSError: it cannot be written.
        """
        path = self.folder / FILE_NAME
        content = ProjectModel(
            saccade_folder=1,
            classes=[
                ClassModel(value=c.value, name=c.name, color=c.color) for c in project.classes
            ],
            done=sorted(project.done),
            shared=project.shared,
            connected=project.connected,
        ).model_dump()
        with self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(path, follow=False) as temporary:
                temporary.write_text(
                    json_text(content, ensure_ascii=False, indent=1) + "\n", "utf-8"
                )

    def key(self, image: Path) -> str:
        """What an image is called in the project."""
        return Path(os.path.relpath(image, self.folder)).as_posix()

    def _template(self) -> tuple[StrokeClass, ...]:
        path = self.folder / TEMPLATE_NAME
        if not path.is_file():
            return ()
        try:
            spec = read_classes(path)
        except InputError as error:
            self.remarks = (f"{path.name}: is not used ({error})".replace(f"{path}: ", ""),)
            return ()
        values = [value for value, _ in spec.mapping] or list(range(len(spec.names)))
        if max(values) > _LARGEST_CLASS:
            self.remarks = (
                f"{path.name}: is not used (value {max(values)}, expected 0 to {_LARGEST_CLASS})",
            )
            return ()
        colors: list[str | None] = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in spec.palette]
        colors = colors or [None] * len(values)
        made = (StrokeClass(*one) for one in zip(values, spec.names, colors, strict=True))
        return with_own_names(made)


def project_folder(settings: ServeSettings) -> Path:
    """Where the project of what is served is kept."""
    if settings.store is not None:
        return settings.store
    if not settings.paths:
        return settings.home / "sample"
    first = settings.paths[0]
    return first if first.is_dir() else first.parent


def with_classes(document: StrokeDocument, classes: Sequence[StrokeClass]) -> StrokeDocument:
    """Strokes with the classes of the folder, and those of their own that it has not."""
    known = {c.value for c in classes}
    used = {item.value for item in document.items}
    own = (c for c in document.classes if c.value in used - known)
    return replace(document, classes=with_own_names((*classes, *own)))


def _from_json(content: object, path: Path) -> Project:
    """A project from its file.

    Raises:
        InputError: something in it is not as `ProjectFile.write` writes it.
    """
    try:
        read = ProjectModel.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path.name}: {validation_message(error)}") from None
    classes = (StrokeClass(c.value, c.name, c.color) for c in read.classes)
    return Project(with_own_names(classes), frozenset(read.done), read.shared, read.connected)
