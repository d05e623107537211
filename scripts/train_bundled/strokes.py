"""Simulated strokes: what people begin with, and what they add after a look at the mask."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from saccade.scribbles.simulate import (
    DENSE,
    FULL,
    THIN,
    StrokeStyle,
    draw_through,
    simulate_strokes,
)
from scripts.train_bundled.windows import Labels, Rng


def draw_like_people(rng: Rng, truth: Labels) -> Labels:
    """Strokes in an object and around it.

    People who draw little start in the middle of a thing and go round it not far away; the places
    are measured on the human strokes of the shared photographs.
    """
    style = int(rng.choice(3, p=[0.5, 0.32, 0.18]))
    if style == 2 or rng.random() < 0.25:
        return simulate_strokes(truth, rng, styles=(THIN, FULL, DENSE)[style])
    inside = ndimage.distance_transform_edt(truth == 1)
    outside = ndimage.distance_transform_edt(truth != 1)
    extent = max(float(np.ptp(places)) + 1 for places in np.nonzero(truth == 1))
    deep = rng.uniform(0.3, 0.7) if style == 0 else rng.uniform(0.05, 0.35)
    near = extent * (rng.uniform(0.03, 0.12) if style == 0 else rng.uniform(0.02, 0.06))
    far = near + max(
        8.0, extent * (rng.uniform(0.1, 0.35) if style == 0 else rng.uniform(0.06, 0.2))
    )
    where = np.full_like(truth, 255)
    where[inside > deep * inside.max()] = 1
    where[(outside > near) & (outside < far) & (truth == 0)] = 0
    if not (where == 0).any():
        return simulate_strokes(truth, rng, styles=(THIN, FULL)[style])
    width = int(rng.integers(3, 6))
    length = ((0.2, 0.5), (0.45, 0.95)) if style == 0 else ((0.3, 0.9), (0.4, 1.0))
    strokes = ((3, 3), (1, 1)) if style == 0 else ((3, 4), (1, 3))
    styles = {k: StrokeStyle(strokes[k], length[k], width, 1.0) for k in (0, 1)}
    return simulate_strokes(where, rng, styles=styles)


def draw_more(rng: Rng, truth: Labels, strokes: Labels, most: int = 12) -> Labels:
    """Strokes and one to ``most`` more of them: what somebody adds after a look at the mask.

    Half of them lie anywhere, half where the nearest stroke is of the wrong class. Without them a
    network takes the places and the number of strokes for a hint at the size of the thing, and each
    stroke that a person would not have begun with misleads it.
    """
    strokes = strokes.copy()
    for _ in range(int(rng.integers(1, most + 1))):
        free = (strokes == 255) & (truth != 255)
        if rng.random() < 0.5:
            nearest = ndimage.distance_transform_edt(
                strokes == 255, return_distances=False, return_indices=True
            )
            wrong = free & (strokes[tuple(nearest)] != truth)
            free = wrong if wrong.any() else free
        places = np.argwhere(free)
        if len(places) == 0:
            break
        y, x = places[rng.integers(len(places))].tolist()
        longest = rng.uniform(0.05, 0.45)
        stroke = draw_through(truth == truth[y, x], (y, x), rng, length=(longest / 2, longest))
        strokes[stroke] = truth[y, x]
    return strokes
