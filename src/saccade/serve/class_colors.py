"""The usual colors of classes on the page: far from each other, and seen on photographs."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from saccade.formats.palette import display_palette
from saccade.scribbles.document import StrokeClass

_FIRST = ("#5b8def", "#ff4d4d", "#ffd23f", "#1fc46e", "#c46bff", "#00d5e0", "#ff8c1a", "#ff6ec7")
_MOST = 64
_STEPS = 9
_LEAST_SPREAD, _LEAST_LIGHT = 90, 38
"""Of the largest to the smallest of red, green and blue, and of L*: no greys and no shadows."""


def class_colors(count: int) -> list[str]:
    """The usual colors of the classes 0, 1, ..., "#rrggbb"; from the 64th on those of VOC, lifted.

    >>> class_colors(2)
    ['#5b8def', '#ff4d4d']
    """
    chosen = list(_chosen())[:count]
    rest = display_palette(max(count, 1))[len(chosen) : count]
    return chosen + [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in rest.tolist()]


def lab(colors: list[str]) -> NDArray[np.float64]:
    """CIE L*a*b* (N, 3) of "#rrggbb"."""
    from skimage import color  # not at the top: it takes long

    values = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colors])
    found: NDArray[np.float64] = color.rgb2lab(values[None] / 255)[0]
    return found


def colors_of(classes: Sequence[StrokeClass]) -> dict[int, tuple[int, int, int]]:
    """Class value -> (r, g, b), of the classes that have a color."""
    return {
        c.value: (int(c.color[1:3], 16), int(c.color[3:5], 16), int(c.color[5:], 16))
        for c in classes
        if c.color
    }


@lru_cache(1)
def _chosen() -> tuple[str, ...]:
    """After the first ones always the color that is furthest from all before."""
    levels = np.linspace(0, 255, _STEPS).astype(int)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    grid = grid[grid.max(1) - grid.min(1) >= _LEAST_SPREAD]
    names = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in grid.tolist()]
    places = lab(names)
    names = [name for name, place in zip(names, places, strict=True) if place[0] >= _LEAST_LIGHT]
    places = places[places[:, 0] >= _LEAST_LIGHT]
    chosen = list(_FIRST)
    nearest = np.min([np.linalg.norm(places - one, axis=1) for one in lab(chosen)], axis=0)
    while len(chosen) < _MOST:
        best = int(nearest.argmax())
        chosen.append(names[best])
        nearest = np.minimum(nearest, np.linalg.norm(places - places[best], axis=1))
    return tuple(chosen)
