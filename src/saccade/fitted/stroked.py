"""The images with strokes that a model keeps, and which classes they have together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from saccade.errors import InputError
from saccade.fitted.items import Drawn, Picture, paired, read_drawn, read_picture
from saccade.interactive.inputs import ground_class, provisional_remark
from saccade.interactive.presets import Preset
from saccade.interactive.shared import Stroked, prepare_strokes


@dataclass(frozen=True)
class StrokedImage:
    """An image with strokes as a model keeps it.

    Attributes:
        name: as in `Picture`.
        digest: as in `Picture`.
        ready: image and strokes, prepared for the classes of the model.
    """

    name: str
    digest: str
    ready: Stroked

    @property
    def drawn(self) -> tuple[int, ...]:
        """The class values with strokes."""
        maps = self.ready.strokes
        shown = np.unique(maps.stroke_index)
        return tuple(maps.classes[k] for k in shown.tolist() if k < maps.count)

    def among(self, classes: tuple[int, ...], preset: Preset) -> StrokedImage:
        """The same strokes among other classes."""
        maps = self.ready.strokes
        if maps.classes == classes:
            return self
        table = np.full(maps.count + 1, len(classes))
        for value in self.drawn:
            table[maps.classes.index(value)] = classes.index(value)
        index = table[maps.stroke_index]
        return replace(self, ready=prepare_strokes(self.ready.image, index, classes, preset))


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


def read_all(images: object, strokes: object, unlabeled: int) -> list[tuple[Picture, Drawn | None]]:
    """Images and strokes as callers hand them in; None for strokes where nobody drew.

    Raises:
        InputError: one cannot be read, or an image is there twice.
    """
    found: dict[str, tuple[Picture, Drawn | None]] = {}
    for number, (image, lines) in enumerate(paired(images, strokes), 1):
        picture = read_picture(image, number)
        drawn = read_drawn(lines, picture, unlabeled)
        if picture.digest in found:
            raise InputError(
                f"{picture.name}: is the same image as {found[picture.digest][0].name}, "
                "each must be there once"
            )
        found[picture.digest] = picture, drawn
    return list(found.values())


def remarks_of(
    items: Sequence[tuple[Picture, Drawn | None]], classes: tuple[int, ...], single: bool
) -> tuple[str, ...]:
    """What was assumed, one line each, with the name of the image."""
    lines = []
    for picture, drawn in items:
        lines += [f"{picture.name}: {line}" for line in picture.remarks]
        lines += [f"strokes of {picture.name}: {line}" for line in (drawn.remarks if drawn else ())]
    if single:
        stroked = next(value for _, drawn in items if drawn for value in drawn.classes)
        lines.append(provisional_remark(stroked, next(v for v in classes if v != stroked)))
    return tuple(lines)
