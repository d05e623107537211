"""Distances to strokes through a stack: those of the nearest slices, as if drawn on this one.

A slice that nobody drew on is near to the strokes of its neighbours. A stroke is projected onto
it, and paths begin there at the cost of the way between the slices: the difference of intensities
at that place, and the length. Where a thing has ended in between, the difference is large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from saccade.interactive.cues import Distances
from saccade.scribbles.distances import STEP, geodesic_distances

_NEAREST = 4  # planes with strokes of a class that are looked at, for each plane
_FAR = 50.0

Place = tuple[int, int]
"""(t, z)."""


@dataclass(frozen=True)
class PlaneStrokes:
    """Strokes of one plane at half size.

    Attributes:
        rows: (n,) which of the P classes each pixel has.
        y: (n,) where they are.
        x: (n,).
        values: (D, n) standardized intensities there.
    """

    rows: Tensor
    y: Tensor
    x: Tensor
    values: Tensor


def plane_strokes(strokes_half: Tensor, guide: Tensor, stroked: Tensor) -> PlaneStrokes:
    """Strokes of a plane.

    Args:
        strokes_half: (h, w) class index, other values where nobody drew.
        guide: (D, h, w) standardized intensities.
        stroked: (P,) class indices in the order of rows.
    """
    own = strokes_half == stroked.view(-1, 1, 1)
    rows, y, x = own.nonzero(as_tuple=True)
    return PlaneStrokes(rows, y, x, guide[:, y, x])


def stack_distances(
    place: Place,
    guide: Tensor,
    planes: Mapping[Place, PlaneStrokes],
    classes: int,
    *,
    depth: float = 1.0,
) -> Distances:
    """Distances of one plane to the strokes of its own and of the nearest others.

    Args:
        place: (t, z) of the plane.
        guide: (D, h, w) its standardized intensities.
        planes: strokes of planes; each class is on one of them.
        classes: P.
        depth: distance of slices in pixels at half size; times are one pixel apart.

    >>> guide, strokes = torch.zeros(3, 4, 6), torch.full((4, 6), 2)
    >>> strokes[0, 0], strokes[3, 5] = 0, 1
    >>> drawn = plane_strokes(strokes, guide, torch.tensor([0, 1]))
    >>> found = stack_distances((0, 2), guide, {(0, 0): drawn}, 2, depth=2.0)
    >>> found.euclidean[0, 0, 0] * 4, round(float(found.geodesic[0, 0, 0]), 3)
    (tensor(4.), 0.08)
    """
    size = (guide.shape[1], guide.shape[2])
    costs = torch.full((classes, *size), torch.inf, device=guide.device)
    straight = np.full((classes, *size), np.inf, np.float32)
    for row in range(classes):
        for way, strokes in _nearest(place, planes, row, depth):
            mine = strokes.rows == row
            y, x = strokes.y[mine], strokes.x[mine]
            change = (guide[:, y, x] - strokes.values[:, mine]).abs().sum(0) + STEP * way
            costs[row, y, x] = torch.minimum(costs[row, y, x], change)
            flat = _straight(size, y, x)
            straight[row] = np.minimum(straight[row], np.sqrt(flat**2 + way**2))
    geodesic = geodesic_distances(costs.isfinite()[None], guide[None], costs=costs[None])[0]
    euclidean = torch.from_numpy(straight).to(guide.device) / min(size)
    return Distances(geodesic.clamp_max(_FAR), euclidean)


def _nearest(
    place: Place, planes: Mapping[Place, PlaneStrokes], row: int, depth: float
) -> Sequence[tuple[float, PlaneStrokes]]:
    """The nearest planes with strokes of a class, and how far away they are."""
    showing = [
        (abs(place[0] - t) + depth * abs(place[1] - z), (t, z))
        for (t, z), strokes in planes.items()
        if bool((strokes.rows == row).any())
    ]
    return [(float(way), planes[other]) for way, other in sorted(showing)[:_NEAREST]]


def _straight(size: tuple[int, int], y: Tensor, x: Tensor) -> NDArray[np.float64]:
    free = np.ones(size, bool)
    free[y.cpu().numpy(), x.cpu().numpy()] = False
    return np.asarray(ndimage.distance_transform_edt(free))
