"""Strokes on some images, and another image of their kind, on which nobody drew or hardly anybody.

field    images of one folder of ``fields``
street   street scenes
many     repeated things, made of the same two textures
tiles    windows of one photograph
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from saccade.scribbles.simulate import CLASSES, simulate_strokes
from scripts.train_bundled.episodes import MANY, Photographs
from scripts.train_bundled.fields import Field, field_episode
from scripts.train_bundled.instances import like_episodes
from scripts.train_bundled.strokes import draw_like_people
from scripts.train_bundled.windows import (
    Episode,
    Image8,
    Labels,
    Rng,
    Size,
    crop,
    jitter,
    load_labels,
    load_photo,
)

SOURCES = {"field": 0.45, "street": 0.2, "many": 0.2, "tiles": 0.15}  # with their shares
_SHOWN = 1, 4  # images with strokes: from, below
_UNDRAWN = 0.6  # share of the other images that have no stroke at all
_TRIES = 20
_TILE = 0.3, 0.6  # of the shorter side of a photograph
_LEAST = 150  # pixels of a class that is asked for


@dataclass(frozen=True)
class Group:
    """Images of a kind.

    Attributes:
        shown: with strokes of all classes, together.
        asked: the one that is asked about, with few strokes or none.
        classes: K.
        one_image: they are parts of one image.
    """

    shown: list[Episode]
    asked: Episode
    classes: int
    one_image: bool = False


class Groups:
    """Draws groups.

    Args:
        photographs: of both sets.
        fields: of all folders.
        shares: of the sources.
    """

    def __init__(
        self,
        photographs: Photographs,
        fields: Sequence[Field],
        shares: Mapping[str, float] = SOURCES,
    ) -> None:
        self.photographs, self.fields, self.shares = photographs, fields, dict(shares)
        self.names = sorted({field.name for field in fields})

    def draw(self, rng: Rng, size: Size) -> Group | None:
        """A group of one source; None where what was drawn shows too little."""
        source = str(rng.choice(list(self.shares), p=list(self.shares.values())))
        count = int(rng.integers(*_SHOWN)) + 1
        if source == "field":
            group = self._field(rng, size, count)
        elif source == "street":
            group = self._street(rng, size, count)
        elif source == "many":
            group = self._many(rng, size, count)
        else:
            group = self._tiles(rng, size, count)
        return None if group is None else _with_few_strokes(rng, group)

    def _field(self, rng: Rng, size: Size, count: int) -> Group | None:
        name = self.names[rng.integers(len(self.names))]
        of_kind = [field for field in self.fields if field.name == name]
        chosen = rng.permutation(len(of_kind))[:count]
        found = [field_episode(rng, of_kind[number], size) for number in chosen]
        episodes = [one for one in found if one is not None]
        return Group(episodes[1:], episodes[0], 2) if len(episodes) > 1 else None

    def _many(self, rng: Rng, size: Size, count: int) -> Group | None:
        photos = [image for image, _ in self.photographs.bsds]
        episodes = like_episodes(rng, photos, size, count)
        return Group(episodes[1:], episodes[0], 2) if len(episodes) > 1 else None

    def _street(self, rng: Rng, size: Size, count: int) -> Group | None:
        chosen = rng.permutation(len(self.photographs.camvid))[:count]
        windows = []
        for number in chosen:
            path, labels_path = self.photographs.camvid[number]
            image, labels = crop(rng, size, load_photo(path), load_labels(labels_path))
            windows.append((jitter(rng, image), np.where(labels < MANY, labels, 255)))
        return _drawn(rng, windows)

    def _tiles(self, rng: Rng, size: Size, count: int) -> Group | None:
        path, labels_path = self.photographs.bsds[rng.integers(len(self.photographs.bsds))]
        found = self.photographs.object_of(rng, labels_path)
        if found is None:
            return None
        image, labels = jitter(rng, load_photo(path)), found
        windows: list[tuple[Image8, Labels]] = []
        for _ in range(_TRIES):
            window, part = crop(rng, size, image, labels, least=_TILE[0], most=_TILE[1])
            # Those with strokes show both; the one that is asked about may show one alone.
            if not windows or 0.05 < part.mean() < 0.95:
                windows.append((window, part))
            if len(windows) == count:
                break
        return _drawn(rng, windows, one_image=True)


def _drawn(
    rng: Rng, windows: Sequence[tuple[Image8, Labels]], *, one_image: bool = False
) -> Group | None:
    """Windows with strokes on all; classes are those that have some on the shown ones."""
    if len(windows) < 2:
        return None
    strokes = []
    for _, labels in windows:
        if one_image:
            both = len(np.unique(labels)) == 2
            strokes.append(draw_like_people(rng, labels) if both else np.full_like(labels, 255))
        else:
            drawn = simulate_strokes(labels, rng, styles=CLASSES, by_component=False, min_area=120)
            strokes.append(drawn)
    values = np.unique(np.concatenate([drawn.ravel() for drawn in strokes[1:]]))
    values = values[values != 255]
    if len(values) < 2:
        return None
    table = np.full(256, 255, np.uint8)
    table[values] = np.arange(len(values))
    episodes: list[Episode] = [
        (image, table[labels], table[drawn])
        for (image, labels), drawn in zip(windows, strokes, strict=True)
    ]
    return Group(episodes[1:], episodes[0], len(values), one_image)


def _with_few_strokes(rng: Rng, group: Group) -> Group | None:
    """Without most strokes on the image that is asked about, mostly without any."""
    image, truth, strokes = group.asked
    if (np.bincount(truth[truth != 255], minlength=group.classes) > _LEAST).sum() == 0:
        return None
    drawn = np.unique(strokes[strokes != 255])
    kept = rng.random(len(drawn)) < 0.5 if rng.random() > _UNDRAWN else np.zeros(len(drawn), bool)
    few = np.where(np.isin(strokes, drawn[kept]), strokes, 255).astype(np.uint8)
    return Group(group.shown, (image, truth, few), group.classes, group.one_image)
