"""Simulated sessions at half the size of a view: first strokes, then corrections of the mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.scribbles.clicks import depth_inside, draw_disc
from scripts.train_bundled.things import Mask
from scripts.train_bundled.windows import Rng

Share = NDArray[np.float32]  # (h, w), in [0, 1]

_DISC = 1.0, 4.0  # radius of a click, in pixels of half the view
_WIDTH = 0.5, 2.5  # half the width of a line
_LENGTH = 18.0, 90.0  # of a line
_SURE = 0.25  # what a pixel at half size covers of the object at most where it is ground


@dataclass
class Session:
    """What somebody means and has drawn so far.

    Attributes:
        soft: (h, w) share of each pixel that is meant, in [0, 1].
        target: (h, w) bool, what is meant.
        own: (h, w) bool, strokes on it.
        other: (h, w) bool, strokes on the rest.
    """

    soft: Share
    target: Mask
    own: Mask
    other: Mask

    def draw(self, rng: Rng, region: Mask, *, deepest: float, discs: float) -> None:
        """A disc or a line in a region, on the side that the region belongs to."""
        if not region.any():
            return
        y, x = deep_place(rng, region, deepest=rng.random() < deepest)
        meant = bool(self.target[y, x])
        into = self.own if meant else self.other
        if rng.random() < discs:
            height, width = region.shape
            drawn = draw_disc((height, width), (y, x), rng.uniform(*_DISC))
            drawn &= self.target == meant
        else:
            drawn = line(rng, region & (self.target == meant), y, x)
        into |= drawn


def begin(rng: Rng, soft: Share) -> Session:
    """The first strokes: a click, two, or several as people stroke.

    Args:
        rng: of the person.
        soft: (h, w) share of each pixel that is meant.
    """
    target = soft >= 0.5
    session = Session(soft, target, np.zeros_like(target), np.zeros_like(target))
    kind = rng.random()
    inside, outside = 1, 1
    if kind < 0.55:
        outside = 0
    elif kind < 0.60:
        inside = 0
    elif kind > 0.75:
        inside, outside = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    for region, count in ((target, inside), (~target, outside)):
        for _ in range(count):
            session.draw(rng, region, deepest=0.6, discs=0.6)
    return session


def correct(rng: Rng, session: Session, probability: Share) -> None:
    """One more click or line where the mask is wrong; borders, where pixels are mixed, are not.

    Args:
        rng: of the person.
        session: which gets the stroke.
        probability: (h, w) of the mask.
    """
    wrong = (probability > 0.5) != session.target
    wrong &= (session.soft < _SURE) | (session.soft > 1 - _SURE)
    wrong &= ~(session.own | session.other)
    parts, count = ndimage.label(wrong)
    if count == 0:
        return
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    largest = rng.random() < 0.8
    part = int(areas.argmax()) if largest else int(rng.choice(count + 1, p=areas / areas.sum()))
    if areas[part] >= 3:
        session.draw(rng, parts == part, deepest=0.8, discs=0.7)


def deep_place(rng: Rng, region: Mask, *, deepest: bool) -> tuple[int, int]:
    """The place (y, x) farthest from the region's border, or one that is nearly as far."""
    (top, left), depth = depth_inside(region)
    place = int(depth.argmax())
    if not deepest:
        places = np.flatnonzero(depth.ravel() > 0.4 * depth.max())
        place = int(places[rng.integers(len(places))])
    y, x = divmod(place, depth.shape[1])
    return top + y, left + x


def line(rng: Rng, region: Mask, y: int, x: int) -> Mask:
    """A bent line through a place that ends at the region's border."""
    height, width = region.shape
    drawn = np.zeros_like(region)
    drawn[y, x] = True
    longest = rng.uniform(*_LENGTH)
    for half in (0.0, np.pi):
        angle = half + rng.uniform(0, np.pi)
        at_y, at_x = float(y), float(x)
        for _ in range(int(rng.uniform(0.2, 0.5) * longest)):
            angle += rng.normal(0, 0.25)
            at_y, at_x = at_y + np.sin(angle), at_x + np.cos(angle)
            row, column = round(at_y), round(at_x)
            if not (0 <= row < height and 0 <= column < width) or not region[row, column]:
                break
            drawn[row, column] = True
    width_half = rng.uniform(*_WIDTH)
    if width_half >= 1:
        drawn = ndimage.binary_dilation(drawn, iterations=round(width_half - 0.5))
    return np.asarray(drawn & region)
