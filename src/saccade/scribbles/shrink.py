"""Strokes at another size, with none of them lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shrink_strokes(
    strokes: NDArray[np.integer], classes: int, size: tuple[int, int]
) -> NDArray[np.int64]:
    """Strokes (H, W) at another size (h, w), with no stroke lost.

    Every pixel that holds a stroke keeps one; where two classes meet in a pixel, the one with
    fewer stroke pixels in the image wins, as it can afford the loss less. A class that would be
    lost by that gets the nearest free pixel, if there is one.

    Returns:
        (h, w) class index, K where nobody drew.
    """
    if size[0] > strokes.shape[0]:  # enlarged: each pixel becomes a block
        grown = np.kron(
            np.where((strokes >= 0) & (strokes < classes), strokes, classes),
            np.ones((size[0] // strokes.shape[0], size[1] // strokes.shape[1]), np.int64),
        )
        return grown.astype(np.int64)
    y, x = np.nonzero((strokes >= 0) & (strokes < classes))
    return shrink_places(y, x, strokes[y, x].astype(np.int64), classes, strokes.shape, size)


def shrink_places(
    y: NDArray[np.int64],
    x: NDArray[np.int64],
    values: NDArray[np.int64],
    classes: int,
    shape: tuple[int, ...],
    size: tuple[int, int],
) -> NDArray[np.int64]:
    """`shrink_strokes` of strokes that are given by their places.

    Args:
        y: (n,) rows.
        x: (n,) columns.
        values: (n,) class index.
        classes: K.
        shape: (H, W) of the image.
        size: (h, w), not larger.

    >>> one = np.array([3])
    >>> shrink_places(one, one, np.array([0]), 2, (4, 4), (2, 2)).tolist()
    [[2, 2], [2, 0]]
    """
    out = np.full(size, classes, np.int64)
    rows, columns = y * size[0] // shape[0], x * size[1] // shape[1]
    for k in np.argsort(-np.bincount(values, minlength=classes)):
        mine = values == k
        out[rows[mine], columns[mine]] = k
    for k in np.setdiff1d(values, out[rows, columns]):  # all its pixels went to rarer classes
        free = np.argwhere(out == classes)
        if len(free):
            centre = np.array([y[values == k].mean(), x[values == k].mean()])
            places = (free + 0.5) * np.divide(shape, size) - 0.5
            out[tuple(free[np.square(places - centre).sum(1).argmin()])] = k
    return out
