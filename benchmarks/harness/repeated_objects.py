"""Repeated objects of which a person strokes a few, as in microscopy: pictures with known truth.

scikit-image's photograph of coins, and drawn cells; one, three or six objects have a stroke,
and as many places of the ground, at least two. Nothing is trained on them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.harness.datasets import UNLABELED, Labels, Pair
from saccade.scribbles.simulate import draw_through

STROKED = (1, 3, 6)
CELLS = 4  # pictures of them
_WORTH = 150  # pixels of an object that somebody would stroke
_KEEP_AWAY = 6  # pixels from the objects to the strokes of the ground


def repeated_objects() -> list[Pair]:
    """Coins and cells, each with several numbers of strokes; the same at every call."""
    pairs = []
    for name, image, truth in _pictures():
        for count in STROKED:
            strokes = _strokes(truth, count, np.random.default_rng(count))
            pairs.append(Pair(f"{name}-{count}", image, strokes, truth))
    return pairs


def _pictures() -> Iterator[tuple[str, NDArray[np.uint8], Labels]]:
    for number in range(CELLS):
        yield f"cells{number}", *_cells(np.random.default_rng(number))
    yield "coins", *_coins()


def _coins() -> tuple[NDArray[np.uint8], Labels]:
    """The coins by scikit-image's own example: a watershed of edges, as the ground is uneven."""
    from skimage import data, filters, segmentation

    gray = data.coins()
    markers = np.where(gray < 30, 1, np.where(gray > 150, 2, 0))
    coins = segmentation.watershed(filters.sobel(gray), markers) == 2
    truth = ndimage.binary_opening(ndimage.binary_fill_holes(coins), iterations=2)
    return np.repeat(gray[..., None], 3, 2), truth.astype(np.uint8)


def _cells(rng: np.random.Generator) -> tuple[NDArray[np.uint8], Labels]:
    """Sixty discs, each a little lighter or darker, under noise."""
    size = (360, 480)
    truth = np.zeros(size, np.uint8)
    image = np.array([60.0, 50, 70]) + rng.normal(0, 12, (*size, 3))
    y, x = np.mgrid[: size[0], : size[1]]
    for _ in range(60):
        row, column, radius = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(7, 14)
        disc = (y - row) ** 2 + (x - column) ** 2 < radius**2
        color = np.array([120, 140, 90]) + rng.normal(0, 10, 3)
        image[disc] = color + rng.normal(0, 12, (disc.sum(), 3))
        truth[disc] = 1
    return image.clip(0, 255).astype(np.uint8), truth


def _strokes(truth: Labels, count: int, rng: np.random.Generator) -> Labels:
    """Short ones in ``count`` of the objects, longer ones on the ground."""
    strokes = np.full(truth.shape, UNLABELED, np.uint8)
    parts, found = ndimage.label(truth)
    areas = np.bincount(parts.ravel(), minlength=found + 1)
    worth = np.flatnonzero(areas[1:] >= _WORTH) + 1
    for number in rng.choice(worth, count, replace=False):
        depth = ndimage.distance_transform_edt(parts == number)
        y, x = np.argwhere(depth >= depth.max() - 1)[0].tolist()
        line = draw_through(parts == number, (y, x), rng, length=(0.03, 0.06), margin=2)
        strokes[line] = 1
    ground = np.argwhere(ndimage.distance_transform_edt(truth == 0) > _KEEP_AWAY)
    for y, x in ground[rng.choice(len(ground), max(2, count), replace=False)].tolist():
        strokes[draw_through(truth == 0, (y, x), rng, length=(0.08, 0.2))] = 0
    return strokes
