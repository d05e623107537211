"""The images with strokes that a model keeps, and which classes they have together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.fitted.items import Drawn, Picture, Source, paired, read_drawn
from saccade.images import Reading, reading_of
from saccade.interactive.inputs import ground_class, provisional_remark
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import Preset
from saccade.interactive.stroked import Stroked, prepare_strokes


@dataclass(frozen=True)
class StrokedImage:
    """An image with strokes as a model keeps it.

    Attributes:
        name: as in `Picture`.
        digest: as in `Picture`.
        make: gives image and strokes, prepared for the classes of the model; a model from a file
            needs them only when it is fitted again.
        remarks: what was assumed when they were read, with the name.
    """

    name: str
    digest: str
    make: Callable[[], Stroked]
    remarks: tuple[str, ...] = ()

    @cached_property
    def ready(self) -> Stroked:
        """Image and strokes."""
        return self.make()

    @property
    def drawn(self) -> tuple[int, ...]:
        """The class values with strokes."""
        maps = self.ready.strokes
        shown = np.unique(maps.stroke_index)
        return tuple(maps.classes[k] for k in shown.tolist() if k < maps.count)

    def index_at(self, size: tuple[int, int]) -> NDArray[np.int64]:
        """The strokes (H, W) as class index; a file has those of large images smaller."""
        index = self.ready.strokes.stroke_index
        rows, columns = (np.arange(n) * m // n for n, m in zip(size, index.shape, strict=True))
        found: NDArray[np.int64] = index[rows][:, columns]
        return found

    def among(self, classes: tuple[int, ...], preset: Preset, *, ground: bool) -> StrokedImage:
        """The same strokes among other classes.

        Args:
            classes: the K class values.
            preset: of the fit.
            ground: whether there is a provisional ground; nothing that was assumed stays without.
        """
        maps = self.ready.strokes
        if maps.classes == classes and (maps.ground is not None) == ground:
            return self
        table = np.full(maps.count + 1, len(classes))
        for value in self.drawn:
            table[maps.classes.index(value)] = classes.index(value)
        index = table[maps.stroke_index]
        ready = prepare_strokes(self.ready.image, index, classes, preset, assume_ground=ground)
        return replace(self, make=lambda: ready)


def stroke(
    picture: Picture,
    drawn: Drawn,
    image: PreparedImage,
    classes: tuple[int, ...],
    preset: Preset,
    *,
    ground: bool,
) -> StrokedImage:
    """An image with new strokes.

    Args:
        picture: the image.
        drawn: its strokes.
        image: the same, prepared.
        classes: the K class values.
        preset: of the fit.
        ground: whether there is a provisional ground.
    """
    index = drawn.index(classes)
    ready = prepare_strokes(image, index, classes, preset, assume_ground=ground)
    remarks = remarks_of(picture, drawn)
    return StrokedImage(picture.name, picture.digest, lambda: ready, remarks)


@dataclass(frozen=True)
class Given:
    """What a caller handed in.

    Attributes:
        drawn: images with strokes.
        bare: images without.
        digests: of all that were read.
        how: they were read.
    """

    drawn: list[tuple[Picture, Drawn]]
    bare: list[Source]
    digests: frozenset[str]
    how: Reading


def read_all(
    images: object, strokes: object, unlabeled: int, known: Collection[str], how: Reading
) -> Given:
    """Images and strokes as callers hand them in; None for strokes where nobody drew.

    A thousand images without strokes are not read, unless some may have lost theirs.

    Args:
        images: as of `saccade.fit`.
        strokes: as of `saccade.fit`.
        unlabeled: value where nobody drew.
        known: digests of images that have strokes so far; images are read as these were, and as
            `reading_of` finds out where there are none.
        how: images are read.

    Raises:
        InputError: one cannot be read, or an image with strokes is there twice.
    """
    drawn: dict[str, tuple[Picture, Drawn]] = {}
    bare, digests = [], set()
    pairs = paired(images, strokes)
    if not known:
        read = [isinstance(image, Picture) for image, _ in pairs]  # as whoever read them wanted
        first = [
            image
            for (image, lines), done in zip(pairs, read, strict=True)
            if lines is not None and not done
        ]
        how = reading_of(first, channels=how.channels, window=how.window)
    for number, (image, lines) in enumerate(pairs, 1):
        source = Source(image, number)
        if lines is None and not known:
            source.check()
            bare.append(source)
            continue
        picture = source.read(how)
        digests.add(picture.digest)
        found = read_drawn(lines, picture, unlabeled)
        if found is None:
            bare.append(source)
            continue
        if picture.digest in drawn:
            raise InputError(
                f"{picture.name}: is the same image as {drawn[picture.digest][0].name}, "
                "each must be there once"
            )
        drawn[picture.digest] = picture, found
    return Given(list(drawn.values()), bare, frozenset(digests), how)


def ground_remark(stroked: Sequence[StrokedImage], classes: Sequence[int]) -> str:
    """What is said where one class alone was drawn on all images."""
    [drawn] = {value for one in stroked for value in one.drawn}
    return provisional_remark(drawn, next(value for value in classes if value != drawn))


def remarks_of(picture: Picture, drawn: Drawn) -> tuple[str, ...]:
    """What was assumed of an image and its strokes, one line each, with its name."""
    of_strokes = (f"strokes of {picture.name}: {line}" for line in drawn.remarks)
    return (*(f"{picture.name}: {line}" for line in picture.remarks), *of_strokes)


def classes_of(
    kept: Iterable[StrokedImage], drawn: Sequence[Drawn], wanted: Sequence[int] | None
) -> tuple[tuple[int, ...], bool]:
    """The class values of all strokes, ascending, and whether one class alone was drawn.

    Args:
        kept: images whose strokes stay.
        drawn: strokes that are new.
        wanted: the values that the caller allows; None: all.

    Raises:
        InputError: there are no strokes, or some of a class that is not wanted.
    """
    values = {value for lines in drawn for value in lines.classes}
    values |= {value for one in kept for value in one.drawn}
    if not values:
        raise InputError("no image has strokes, must be at least one")
    if wanted is not None and (unknown := values - set(wanted)):
        raise InputError(
            f"strokes hold label {min(unknown)}, which is not one of the classes "
            f"{', '.join(map(str, wanted))}"
        )
    known = values | set(wanted or ())
    if len(values) == 1:
        known.add(ground_class(next(iter(values)), sorted(known)))
    return tuple(sorted(known)), len(values) == 1
