"""Thin structures among images of a kind: membranes, vessels, one to three pixels wide.

A minimal partition has short borders, and thin things have long ones: it takes them for noise. The
fusion network is shown masks at half the size, where they nearly vanish, and finds too few. Both
help what is round, so whether a kind is thin is found out once, on the images that were fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from saccade.interactive.presets import Preset

KEPT = 0.7
"""A kind is thin where the partition keeps less of all but the largest class."""
_STRENGTH = 0.1  # of the partition there, as a share of the preset's
_REGRESSION = 0.7  # weight of the regression beside the fusion network there


def share_kept(before: Sequence[Tensor], after: Sequence[Tensor]) -> float:
    """How much of all but the largest class is left by a partition, over some images.

    Args:
        before: probabilities (K, h, w) of each image.
        after: the same, refined.

    >>> p = torch.tensor([[[0.9, 0.2, 0.4, 0.8]], [[0.1, 0.8, 0.6, 0.2]]])
    >>> share_kept([p], [p]), share_kept([p], [p.lerp(torch.tensor([[[0.7]], [[0.3]]]), 0.5)])
    (1.0, 0.5)
    """
    count = len(before[0])
    labels = [one.argmax(0) for one in before]
    areas = torch.stack([x.flatten().bincount(minlength=count) for x in labels]).sum(0)
    largest = int(areas.argmax())
    others = int(areas.sum() - areas[largest])
    kept = sum(
        int(((x != largest) & (one.argmax(0) == x)).sum())
        for x, one in zip(labels, after, strict=True)
    )
    return kept / others if others else 1.0


def for_thin(preset: Preset) -> Preset:
    """The preset with a partition that leaves thin structures."""
    if preset.refine is None:
        return preset
    weak = replace(preset.refine, strength=_STRENGTH * preset.refine.strength)
    return replace(preset, refine=weak, refine_several=None)


def with_regression(probabilities: Tensor, odds: Tensor, stroked: Tensor) -> Tensor:
    """Weighted geometric mean of the fusion network's and the regression's probabilities.

    Args:
        probabilities: (K, h, w), 0 for classes that nobody drew.
        odds: (P, h, w) log odds of the regression.
        stroked: (P,) the classes that were drawn.

    Returns:
        (K, h, w), with sum 1.
    """
    floor = torch.finfo(probabilities.dtype).tiny
    fused = probabilities[stroked].clamp_min(floor).log()
    mean = torch.lerp(fused, torch.nn.functional.logsigmoid(odds), _REGRESSION)
    out = torch.zeros_like(probabilities)
    out[stroked] = mean.softmax(0)
    return out
