"""Whole objects: photographs of ``iseg`` with masks and strokes of people, and folds of them.

Segments of BSDS are parts of things; what a person strokes is a whole one. There are few such
photographs, so what they are worth is measured by cross-validation: a stage with ``hold = "I/N"``
trains without every N-th of them, and only those are scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from saccade.errors import InputError
from scripts.train_bundled.strokes import draw_like_people
from scripts.train_bundled.windows import Episode, Rng, Size, crop, jitter, load_labels, load_photo

KINDS = ("thin", "full", "dense")
DRAWN_BY_PEOPLE = 0.4  # share of episodes with a person's strokes; the rest are simulated
_LEAST_STROKE = 12  # pixels of each class that must be left in the window


@dataclass(frozen=True)
class Photo:
    """One photograph: its files, by kind of stroke where there are several."""

    image: Path
    mask: Path
    strokes: tuple[Path, ...]


def held_out(root: Path, hold: str) -> frozenset[str]:
    """Stems of fold I of N, ``hold`` = "I/N"; every kind of stroke is shared out evenly."""
    if not hold:
        return frozenset()
    fold, folds = (int(part) for part in hold.split("/"))
    stems: set[str] = set()
    for kind in KINDS:
        found = sorted(p.stem for p in (root / f"iseg/scribbles_{kind}").iterdir())
        stems.update(found[fold::folds])
    return frozenset(stems)


def photos(root: Path, without: frozenset[str]) -> list[Photo]:
    """The photographs of ``iseg`` with their strokes, but for the stems ``without``.

    Raises:
        InputError: none is left.
    """
    out = []
    for image in sorted((root / "iseg/images").iterdir()):
        if image.stem in without:
            continue
        drawn = [root / f"iseg/scribbles_{kind}/{image.stem}.png" for kind in KINDS]
        mask = next((root / "iseg/masks").glob(image.stem + ".*"))
        out.append(Photo(image, mask, tuple(path for path in drawn if path.is_file())))
    if not out:
        raise InputError(f"{root / 'iseg/images'}: all photographs are held out, need more of them")
    return out


def object_episode(rng: Rng, photo: Photo, size: Size) -> Episode | None:
    """Image, truth and strokes of ``size``; None where too little of the object is in the window.

    A person's strokes may lie outside of the window, so there they are asked for again.
    """
    image = load_photo(photo.image)
    truth = load_labels(photo.mask)
    strokes = load_labels(photo.strokes[rng.integers(len(photo.strokes))])
    image, truth, strokes = crop(rng, size, image, truth, strokes, least=0.75)
    if not 0.01 < (truth == 1).mean() < 0.75 or not (truth == 0).any():
        return None
    if rng.random() > DRAWN_BY_PEOPLE:
        strokes = draw_like_people(rng, truth)
    if min((strokes == k).sum() for k in (0, 1)) < _LEAST_STROKE:
        return None
    return jitter(rng, image), truth, strokes
