"""A model fitted to the strokes of all images of the folder; runs on workers."""

import copy
import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from saccade.errors import InputError
from saccade.fitted import Model, fit
from saccade.fitted.items import Picture, digest_of
from saccade.interactive.inputs import ground_class
from saccade.scribbles.document import Line, StrokeDocument, rasterize
from saccade.scribbles.strokes import Strokes
from saccade.serve.errors import SupersededError
from saccade.serve.library import Entry, Library
from saccade.serve.stroke_file import StrokeFile

MOST_IMAGES = 64
"""Of a fit: each keeps its features."""


@dataclass(frozen=True)
class DrawnImage:
    """An image with strokes.

    Attributes:
        entry: the image.
        size: (H, W).
        document: its strokes.
        stamp: changes with the image and its strokes.
    """

    entry: Entry
    size: tuple[int, int]
    document: StrokeDocument
    stamp: str


def collect_strokes(
    library: Library, opened: Mapping[str, StrokeDocument]
) -> tuple[list[DrawnImage], list[str]]:
    """The images with strokes, and a line for each whose image or strokes cannot be read.

    Args:
        library: the images.
        opened: strokes by image id, where they may be newer than those on the disk.
    """
    found, skipped = [], []
    for entry in library.entries():
        if entry.id not in opened and not entry.has_strokes:
            continue
        try:
            width, height = library.size(entry)
            document = opened.get(entry.id)
            if document is None:
                document = StrokeFile(entry).read((height, width))
            if document.items or document.pins:
                stamp = f"{library.version(entry)} {strokes_digest(document)}"
                found.append(DrawnImage(entry, (height, width), document, stamp))
        except (InputError, OSError) as error:
            skipped.append(f"{entry.name}: its strokes do not count ({error})")
    return found, skipped


def strokes_digest(document: StrokeDocument) -> str:
    """A text that tells strokes apart, whatever their ids and the names of their classes."""
    found = hashlib.sha256()
    for item in document.items:
        if isinstance(item, Line):
            points = [(float(x), float(y)) for x, y in item.points]
            found.update(repr((item.value, float(item.width), points)).encode())
        else:
            found.update(repr((item.value, item.x, item.y, item.mask.shape)).encode())
            found.update(item.mask.tobytes())
    return found.hexdigest()


@dataclass(frozen=True)
class FolderFit:
    """What is fitted to the strokes of a folder; never changed, a newer one takes its place.

    Attributes:
        model: fitted to all strokes.
        number: counts the fits.
        stamps: of the images with strokes, by id.
        digests: by which the model knows them, by id.
        wanted: the classes of a fit where one class alone is drawn; else None.
        remarks: what was left out.
    """

    model: Model
    number: int = 0
    stamps: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    wanted: tuple[int, ...] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        """How many images have strokes that it was fitted to."""
        return len(self.model.stroked)

    def serves(self, classes: set[int], preset: str) -> bool:
        """Whether it makes the mask of an image with strokes of these classes."""
        return classes <= set(self.model.classes) and preset == self.model.preset_name

    def others(self, image: str) -> int:
        """How many of them are not the image of an id."""
        own = self.digests.get(image)
        return sum(one.digest != own for one in self.model.stroked)


@dataclass(frozen=True)
class FitJob:
    """What to fit.

    Attributes:
        drawn: the images with strokes.
        classes: the class values of the folder.
        before: the last fit, whose features are used again.
        base: a model that the folder began with.
        preset: of the fit, "fast" or "best".
        seed: of the fit.
        device: of the fit.
        remarks: of `collect_strokes`.
    """

    drawn: Sequence[DrawnImage]
    classes: tuple[int, ...]
    before: FolderFit | None
    base: Model | None
    preset: str
    seed: int
    device: str
    remarks: tuple[str, ...] = ()


def fit_folder(job: FitJob, library: Library, cancelled: threading.Event) -> FolderFit | None:
    """Fit to the strokes of a folder, or None where there are none.

    Raises:
        SupersededError: it was cancelled.
        InputError: the strokes cannot be fitted.
    """
    number = job.before.number + 1 if job.before else 1
    drawn, remarks = list(job.drawn), list(job.remarks)
    if len(drawn) > MOST_IMAGES:
        remarks.append(f"strokes on {len(drawn)} images: those on the last {MOST_IMAGES} count")
        drawn = drawn[-MOST_IMAGES:]
    wanted = _wanted(drawn, job)
    before = job.before if job.before is not None and job.before.wanted == wanted else None
    stamps: dict[str, str] = {}
    digests: dict[str, str] = {}
    changed: list[tuple[Picture, Strokes | None]] = []
    for one in drawn:
        if cancelled.is_set():
            raise SupersededError
        image = one.entry.id
        if before is not None and before.stamps.get(image) == one.stamp:
            digest = before.digests[image]
        else:
            try:
                picture, strokes = _read(one, library)
            except (InputError, OSError) as error:
                remarks.append(f"{one.entry.name}: its strokes do not count ({error})")
                continue
            digest = picture.digest
            if strokes is None or digest in digests.values():
                continue
            changed.append((picture, strokes))
        stamps[image], digests[image] = one.stamp, digest
    if not stamps and job.base is None:
        return None
    if before is not None:
        gone = set(before.digests.values()) - set(digests.values())
        # By their digests they are known; their pixels are not looked at.
        changed += [(Picture("", np.zeros((1, 1, 3), np.uint8), one), None) for one in sorted(gone)]
    model = _fitted(before, changed, job, wanted, cancelled)
    if cancelled.is_set():
        raise SupersededError
    return FolderFit(model, number, stamps, digests, wanted, tuple(remarks))


def _wanted(drawn: Sequence[DrawnImage], job: FitJob) -> tuple[int, ...] | None:
    """The two classes of a fit where one alone is drawn; None where several are."""
    values = {item.value for one in drawn for item in one.document.items}
    if len(values) != 1 or job.base is not None:
        return None
    value = values.pop()
    return tuple(sorted((value, ground_class(value, job.classes))))


def picture_of(entry: Entry, library: Library) -> Picture:
    """An image for a model, as the page shows it.

    Raises:
        InputError: it cannot be read.
    """
    read = library.read(entry)
    return Picture(entry.name, read.pixels, digest_of(read.pixels), read.remarks)


def _read(one: DrawnImage, library: Library) -> tuple[Picture, Strokes | None]:
    """An image and its strokes; no strokes where none can be seen."""
    picture = picture_of(one.entry, library)
    if picture.size != one.size:
        raise InputError("the image has changed its size")
    strokes = rasterize(one.document, one.size)
    return picture, strokes if strokes.classes else None


def _fitted(
    before: FolderFit | None,
    changed: Sequence[tuple[Picture, Strokes | None]],
    job: FitJob,
    wanted: tuple[int, ...] | None,
    cancelled: threading.Event,
) -> Model:
    start = before.model if before is not None else job.base
    images, strokes = [picture for picture, _ in changed], [drawn for _, drawn in changed]
    if start is None:
        # The page shows colors, so the model is fitted to colors, whatever channels a file has.
        return fit(
            images,
            strokes,
            preset=job.preset,
            seed=job.seed,
            device=job.device,
            classes=wanted,
            cancel=cancelled.is_set,
        )
    if not changed:
        return start
    model = copy.copy(start)  # what others use meanwhile stays as it is
    return model.update(images, strokes, cancel=cancelled.is_set)
