"""Many like things and thin structures: cells, membranes, vessels, roads.

Somebody draws on a few of them and means all. Of each folder of ``fields`` every second image from
the seventh on is shown, by the fusion network only where it has no strokes: those with strokes are
fitted to when the others are scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from saccade.errors import InputError
from saccade.scribbles.clicks import SHORT
from saccade.scribbles.simulate import draw_through
from scripts.train_bundled.sessions import deep_place
from scripts.train_bundled.windows import Episode, Rng, Size, crop, jitter, load_labels, load_photo

FIELDS = ("membranes", "nuclei-fluo", "nuclei-plate", "nuclei-tissue", "roads", "vessels")
"""The folders, and the data sets of a recipe that they are."""

FIRST, EVERY = 6, 2
_THINGS = 1, 7  # how many have a stroke
_GROUND = 1, 7  # strokes on the rest
_AREAS = 0.01, 0.9


@dataclass(frozen=True)
class Field:
    """An image and the mask of its structures; ``stroked`` where somebody drew on it."""

    name: str
    image: Path
    mask: Path
    stroked: bool


def fields(root: Path, *, drawn: bool = False) -> list[Field]:
    """The images that training may see.

    Args:
        root: of the data.
        drawn: whether those on which somebody drew come first, which nobody scores.

    Raises:
        InputError: there are none.
    """
    found = []
    for name in FIELDS:
        folder = root / "fields" / name
        paths = sorted((folder / "images").iterdir())
        for path in (*(paths[: FIRST - 1] if drawn else ()), *paths[FIRST::EVERY]):
            mask = next((folder / "masks").glob(f"{path.stem}.*"))
            stroked = (root / "fields" / name / "scribbles" / f"{path.stem}.png").is_file()
            found.append(Field(name, path, mask, stroked))
    if not found:
        raise InputError(f"{root / 'fields'}: no images, expected folders with images and masks")
    return found


def field_episode(rng: Rng, field: Field, size: Size) -> Episode | None:
    """Image, truth and strokes of ``size``; None where the window shows too little of them."""
    truth = (load_labels(field.mask) > 0).astype(np.uint8)
    image, truth = crop(rng, size, load_photo(field.image), truth, least=0.35)
    if not _AREAS[0] < truth.mean() < _AREAS[1]:
        return None
    strokes = np.full_like(truth, 255)
    for value, many in ((1, _THINGS), (0, _GROUND)):
        parts, count = ndimage.label(truth == value)
        areas = np.bincount(parts.ravel(), minlength=count + 1).astype(float)
        areas[0] = 0
        if areas.sum() < 50:
            return None
        for _ in range(int(rng.integers(*many))):
            part = parts == int(rng.choice(count + 1, p=areas / areas.sum()))
            place = deep_place(rng, part, deepest=False)
            stroke = draw_through(part, place, rng, length=SHORT)
            strokes[stroke & (truth == value)] = value
    return jitter(rng, image), truth, strokes
