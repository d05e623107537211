"""Geodesic distances from strokes, by raster scans over whole rows.

The scans run in NumPy on the CPU, whatever the device of the maps: a step is three operations on
one row, and starting those costs a GPU, or PyTorch, several times what they take.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

STEP = 0.02
"""Cost of one pixel of path length, by default."""

_Floats = NDArray[np.float32]


def geodesic_distances(
    seeds: Tensor,
    guide: Tensor,
    *,
    step: float = STEP,
    rounds: int = 2,
    costs: Tensor | None = None,
) -> Tensor:
    """Distance of every pixel to each class's strokes along paths that avoid edges of ``guide``.

    Args:
        seeds: (B, K, H, W) bool, True on the strokes of each class.
        guide: (B, C, H, W), colours for instance; differences along a path add up.
        step: cost of one pixel of path length.
        rounds: passes in all four directions; two are close to the exact distance in photographs.
        costs: (B, K, H, W), the distance at which paths begin on the strokes; None: 0.

    Returns:
        (B, K, H, W), 0 on the strokes, with costs at most these; a class without strokes has a
        huge distance everywhere.
    """
    maps = guide.detach().to("cpu", torch.float32).numpy()
    starts = seeds.detach().cpu().numpy()
    begun = np.zeros((len(starts), 1, 1, 1)) if costs is None else costs.detach().cpu().numpy()
    found = [
        _distances(np.where(s, c.astype(np.float32), np.float32(1e4)), m, step, rounds)
        for s, m, c in zip(starts, maps, begun, strict=True)
    ]
    return torch.from_numpy(np.stack(found)).to(guide)


def _distances(begun: _Floats, guide: _Floats, step: float, rounds: int) -> _Floats:
    """The distances (K, H, W) in one image from where paths begin, far elsewhere."""
    below = np.abs(guide[:, :-1] - guide[:, 1:]).sum(0) + step
    beside = np.abs(guide[:, :, :-1] - guide[:, :, 1:]).sum(0) + step
    diagonal = step * 2**0.5
    falling = np.abs(guide[:, :-1, :-1] - guide[:, 1:, 1:]).sum(0) + diagonal
    rising = np.abs(guide[:, 1:, :-1] - guide[:, :-1, 1:]).sum(0) + diagonal
    downward, upward = _row_costs(below, falling, rising)
    rightward, leftward = _row_costs(beside.T, falling.T, rising.T)
    # Rows first, each with a column more on either side that no path comes from.
    rows = _bordered(begun.swapaxes(0, 1))
    for _ in range(rounds):
        _sweep(rows, downward)
        _sweep(rows[::-1], upward[::-1])
        columns = _bordered(rows[:, :, 1:-1].transpose(2, 1, 0))
        _sweep(columns, rightward)
        _sweep(columns[::-1], leftward[::-1])
        rows[:, :, 1:-1] = columns[:, :, 1:-1].transpose(2, 1, 0)
    return np.ascontiguousarray(rows[:, :, 1:-1].swapaxes(0, 1))


def _bordered(rows: _Floats) -> _Floats:
    return np.pad(rows, ((0, 0), (0, 0), (1, 1)), constant_values=np.inf)


def _row_costs(straight: _Floats, falling: _Floats, rising: _Floats) -> tuple[_Floats, _Floats]:
    """Costs of the three moves into each pixel of a row, from the row above and from that below.

    Args:
        straight: (H - 1, W), between (y, x) and (y + 1, x).
        falling: (H - 1, W - 1), between (y, x) and (y + 1, x + 1).
        rising: (H - 1, W - 1), between (y + 1, x) and (y, x + 1).

    Returns:
        Twice (H - 1, 3, 1, W): the moves that start one column left, in the same column and one
        column right; infinite where there is none.
    """
    height, width = straight.shape
    down, up = np.full((2, height, 3, 1, width), np.inf, np.float32)
    down[:, 1, 0] = up[:, 1, 0] = straight
    down[:, 0, 0, 1:], down[:, 2, 0, :-1] = falling, rising
    up[:, 0, 0, 1:], up[:, 2, 0, :-1] = rising, falling
    return down, up


def _sweep(rows: _Floats, costs: _Floats) -> None:
    """Each row of (H, K, W + 2) takes the cheapest of three paths from the row before, in place."""
    height, classes, bordered = rows.shape
    row, class_, column = rows.strides
    shape = (height, 3, classes, bordered - 2)
    sources = np.lib.stride_tricks.as_strided(rows, shape, (row, column, class_, column))
    paths = np.empty(shape[1:], np.float32)
    for source, cost, target in zip(sources[:-1], costs, rows[1:, :, 1:-1], strict=True):
        np.add(source, cost, out=paths)
        np.minimum(target, np.minimum(paths[0], paths[1], out=paths[0]), out=target)
        np.minimum(target, paths[2], out=target)
