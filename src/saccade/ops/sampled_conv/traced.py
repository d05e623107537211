"""The sampled convolution as plain tensor operations, for `torch.compile` and export.

The loops of the eager path would be unrolled into a graph of hundreds of nodes, so a compiler
gets the whole column matrix instead and decides itself what to materialise.
"""

import torch
from torch import Tensor

from saccade.ops.sampled_conv.contract import contract


def traced_conv(rows: Tensor, matrix: Tensor, indices: Tensor, scales: Tensor | None) -> Tensor:
    """Same arguments and result as `chunked_conv`."""
    batch, pixels, channels = rows.shape
    points, taps, corners = indices.shape[1:]
    first = torch.arange(batch, device=indices.device).view(-1, 1, 1, 1) * pixels
    flat = (indices + first).reshape(-1)
    read = rows.reshape(-1, channels).index_select(0, flat)
    columns = read.view(batch, points, taps, corners, channels)
    if scales is not None:
        columns = columns * scales.to(rows.dtype).unsqueeze(-1)
    out = contract(columns.sum(3).reshape(batch * points, taps, channels), matrix)
    return out.view(batch, points, out.shape[1])
