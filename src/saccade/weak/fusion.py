"""Localization maps of several dilations fused into one, and turned into object regions."""

from typing import Literal, get_args

import torch
from torch import Tensor

from saccade.errors import InputError

Fusion = Literal["anti-noise", "average", "first"]
Threshold = Literal["share", "high-share", "quantile"]


def fuse_maps(maps: Tensor, fusion: Fusion = "anti-noise") -> Tensor:
    """Fuse the maps of the blocks (MDC paper, section 3.2).

    Args:
        maps: (..., D, K, h, w) in [0, 1]; the first of the D blocks is that of dilation 1.
        fusion: "anti-noise" H = H0 + mean of the others (paper); "average" of all blocks, the
            paper's ablation; "first" H0 alone, the ordinary class activation map.

    Returns:
        (..., K, h, w): in [0, 2] for "anti-noise", else in [0, 1].

    Raises:
        InputError: an unknown fusion or maps of too few axes.
    """
    if fusion not in get_args(Fusion):
        raise InputError(f"fusion is {fusion!r}, must be one of {', '.join(get_args(Fusion))}")
    if maps.ndim < 4:
        raise InputError(f"maps have shape {tuple(maps.shape)}, must be (..., D, K, h, w)")
    blocks = maps.unbind(-4)
    if fusion == "first" or (fusion == "anti-noise" and len(blocks) == 1):
        return blocks[0]
    if fusion == "average":
        return torch.stack(blocks).mean(0)
    return blocks[0] + torch.stack(blocks[1:]).mean(0)


def object_regions(fused: Tensor, share: float = 0.3, kind: Threshold = "share") -> Tensor:
    """Where each class is: the three readings of the paper's "top 30 %".

    Args:
        fused: (..., h, w), not negative.
        share: the 30 %.
        kind: "share": at least `share` of the map's maximum; "high-share": at least 1 - `share`
            of it; "quantile": the largest `share` of the map's different values.

    Returns:
        bool of the same shape; False everywhere in a map that is zero everywhere.

    Raises:
        InputError: an unknown kind, or a share outside (0, 1).
    """
    if kind not in get_args(Threshold):
        raise InputError(f"kind is {kind!r}, must be one of {', '.join(get_args(Threshold))}")
    if not 0 < share < 1:
        raise InputError(f"share is {share!r}, must be between 0 and 1")
    if kind == "quantile":
        flat = fused.reshape(-1, *fused.shape[-2:])
        limits = torch.stack([torch.quantile(one.unique(), 1 - share) for one in flat])
        limit = limits.reshape(*fused.shape[:-2], 1, 1)
    else:
        peak = fused.amax((-2, -1), keepdim=True)
        limit = peak * (share if kind == "share" else 1 - share)
    return (fused >= limit) & (fused > 0)
