"""Corners of shapes: checked, and turned about a point."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.shapes import OddShapeError

FAR = 1e7
"""Coordinates beyond are no place in an image."""


def checked_points(flat: Any, fewest: int = 3) -> NDArray[np.float64]:
    """Return [x, y, x, y, ...] or [[x, y], ...] as (N, 2).

    Args:
        flat: the coordinates.
        fewest: number of points that are needed.

    Raises:
        OddShapeError: anything else, fewer points, NaN or infinity.
    """
    try:
        points = np.asarray(flat, dtype=np.float64)
        if points.ndim > 2 or (points.ndim == 2 and points.shape[1] != 2):
            raise ValueError
        points = points.reshape(-1, 2)
    except (TypeError, ValueError, OverflowError) as error:
        raise OddShapeError("points that are not x, y, x, y, ...") from error
    if len(points) < fewest:
        raise OddShapeError(f"fewer than {fewest} point{'s' * (fewest > 1)}")
    if not np.isfinite(points).all() or np.abs(points).max() > FAR:
        raise OddShapeError("a coordinate that is not finite")
    return points


def checked_number(number: Any, what: str) -> float:
    """Return a number, or a text of one, as a float.

    Raises:
        OddShapeError: it is none, is not finite, or beyond every image.
    """
    try:
        value = float("nan") if isinstance(number, bool) else float(number)
    except (TypeError, ValueError, OverflowError):
        value = float("nan")
    if not np.isfinite(value) or abs(value) > FAR:
        raise OddShapeError(f"{what} is no finite number")
    return value


def turned(
    points: NDArray[np.float64], degrees: float, centre: tuple[float, float]
) -> NDArray[np.float64]:
    """Return points (N, 2) turned about a centre (x, y), clockwise as an image is seen.

    Example:
        >>> turned(np.array([[2.0, 0.0]]), 90, (1.0, 0.0)).tolist()
        [[1.0, 1.0]]
    """
    quarter, rest = divmod(degrees, 90)
    if rest:
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    else:  # exactly, as corners lie on whole numbers
        cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[int(quarter) % 4]
    x, y = (points - centre).T
    moved = np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1)
    return np.asarray(moved + np.array(centre), dtype=np.float64)
