"""Geodesic and Euclidean distances from strokes, by raster scans over whole rows in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def _sweep(distance: Tensor, guide: Tensor, step: float) -> Tensor:
    """One downward pass: each row takes the cheapest of three paths from the row above.

    ``distance`` (B, K, H, W), ``guide`` (B, C, H, W); a move costs its length times ``step`` plus
    the L1 difference of the guide.
    """
    rows = list(distance.unbind(2))
    diagonal = step * 2**0.5
    big = torch.finfo(distance.dtype).max / 4
    above, here = guide[:, :, :-1], guide[:, :, 1:]
    straight = (above - here).abs().sum(1) + step
    left = (above[..., :-1] - here[..., 1:]).abs().sum(1) + diagonal
    right = (above[..., 1:] - here[..., :-1]).abs().sum(1) + diagonal
    straight, left, right = (
        straight.unsqueeze(1),
        F.pad(left, (1, 0), value=big).unsqueeze(1),
        F.pad(right, (0, 1), value=big).unsqueeze(1),
    )
    costs = torch.stack([left, straight, right])  # (3, B, 1, H - 1, W)
    for i in range(1, len(rows)):
        padded = F.pad(rows[i - 1], (1, 1), value=big)
        paths = padded.unfold(2, rows[0].shape[2], 1).movedim(2, 0) + costs[..., i - 1, :]
        rows[i] = torch.minimum(rows[i], paths.amin(0))
    return torch.stack(rows, 2)


def geodesic_distances(
    seeds: Tensor, guide: Tensor, *, step: float = 0.02, rounds: int = 2
) -> Tensor:
    """Distance of every pixel to each class's strokes along paths that avoid edges of ``guide``.

    Args:
        seeds: (B, K, H, W) bool, True on the strokes of each class.
        guide: (B, C, H, W), colours for instance; differences along a path add up.
        step: cost of one pixel of path length.
        rounds: passes in all four directions; two are close to the exact distance in photographs.

    Returns:
        (B, K, H, W), 0 on the strokes; a class without strokes has a huge distance everywhere.
    """
    distance = torch.where(seeds, 0.0, 1e4).to(guide.dtype)
    for _ in range(rounds):
        for transpose in (False, True):
            if transpose:
                distance, guide = distance.transpose(2, 3), guide.transpose(2, 3)
            distance = _sweep(distance, guide, step)
            distance = _sweep(distance.flip(2), guide.flip(2), step).flip(2)
            if transpose:
                distance, guide = distance.transpose(2, 3), guide.transpose(2, 3)
    return distance
