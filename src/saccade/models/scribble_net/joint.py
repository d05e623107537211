"""Scores at some pixels of several images of any sizes, all by the same weights.

As `batched`, but one table has the rows of all images, and each pixel says where in it its image
begins and how large that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.models.scribble_net.batched import Weights, neighbors, scores_of_columns
from saccade.models.scribble_net.gathering import TAPS
from saccade.ops import tap_directions


@dataclass(frozen=True)
class RowTable:
    """Fused features of several images, one after another in raster order.

    Attributes:
        rows: (R, C).
        first: (I,) row at which each image begins.
        sizes: (I, 2), (height, width) of each.
    """

    rows: Tensor
    first: Tensor
    sizes: Tensor


def row_table(maps: Sequence[Tensor]) -> RowTable:
    """From fused features (1, C, H, W) of each image.

    >>> table = row_table([torch.zeros(1, 4, 2, 3), torch.zeros(1, 4, 5, 1)])
    >>> table.rows.shape, table.first.tolist(), table.sizes.tolist()
    (torch.Size([11, 4]), [0, 6], [[2, 3], [5, 1]])
    """
    rows = torch.cat([one[0].flatten(1).T for one in maps])
    sizes = torch.tensor([one.shape[2:] for one in maps], device=rows.device)
    counts = sizes.prod(1)
    return RowTable(rows, counts.cumsum(0) - counts, sizes)


def joint_scores(
    weights: Weights, table: RowTable, image: Tensor, pixels: Tensor, offsets: Tensor
) -> Tensor:
    """Class scores (N, K) at some pixels.

    Args:
        weights: of one network, `weights_of`.
        table: of the images.
        image: (N,) index of the image of each pixel.
        pixels: (N, 2), (y, x) there.
        offsets: (9 * N, 9, 2), whole and >= 0, as in `batched_scores`.

    Example:
        >>> from saccade.models.scribble_net.batched import initial_weights
        >>> table = row_table([torch.rand(1, 4, 2, 3), torch.rand(1, 4, 5, 1)])
        >>> pixels, image = torch.tensor([[0, 1], [4, 0]]), torch.tensor([0, 1])
        >>> offsets = torch.zeros(18, 9, 2, dtype=torch.long)
        >>> joint_scores(initial_weights(4, 3), table, image, pixels, offsets).shape
        torch.Size([2, 3])
    """
    of_window = image.repeat_interleave(TAPS)
    limit = (table.sizes[of_window] - 1).unsqueeze(1)
    centers = neighbors(pixels[None])[0].unsqueeze(1).clamp_min(0).minimum(limit)
    taps = tap_directions(3, device=pixels.device, dtype=torch.long)
    first = table.first[of_window].unsqueeze(1)
    columns = []
    for positions in (centers + taps, centers + offsets * taps):
        y, x = positions.clamp_min(0).minimum(limit).unbind(2)
        index = first + y * (limit[..., 1] + 1) + x
        columns.append(table.rows[index.flatten()].view(1, len(of_window), -1))
    return scores_of_columns(weights, *columns)[0]
