"""Regions by colour alone: what a graph cut with colour mixtures would answer.

A colour that occurs on both sides of a border says little pixel by pixel, and much once borders are
dear: a minimal partition of the colours' odds at a quarter of the size, and another one with the
mixtures fitted again to the first, as GrabCut does. The evidence network weighs them like any other
evidence.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.colour import colour_log_odds
from saccade.refine.potts import edge_weights, potts

ROUNDS = 2
_STRENGTH = 50.0  # ten times that of the last partition: colours alone are weak evidence
_ITERATIONS, _ITERATIONS_OF_MANY = 100, 50  # of two classes, of more: those cost by the class
_FORBIDDEN = 1e3
_SAMPLES = 400  # of each class, for the second mixtures


@torch.no_grad()
def colour_regions(
    colours: Tensor, guide: Tensor, marks: Tensor, odds: Tensor, *, generator: torch.Generator
) -> Tensor:
    """Minimal partitions by the colours' odds.

    Args:
        colours: (3, h, w), what the mixtures are fitted to.
        guide: (3, h, w), standardised colours; borders follow its edges.
        marks: strokes (h, w), K where nobody drew.
        odds: of `colour_log_odds` with the strokes' labels (K, h, w).
        generator: of the mixtures.

    Returns:
        (2, K, h, w) in [0, 1]: the partition of `odds`, and that of the odds fitted again to it.
    """
    classes, size = len(odds), odds.shape[1:]
    small = tuple((n + 1) // 2 for n in size)
    weights = edge_weights(F.interpolate(guide[None], small, mode="area")[0])
    drawn = F.one_hot(marks, classes + 1)[..., :classes].movedim(2, 0).float()
    drawn = F.adaptive_max_pool2d(drawn, small).bool()
    forbidden = drawn.any(0) & ~drawn
    regions: list[Tensor] = []
    for _ in range(ROUNDS):
        if regions:
            labels = regions[-1].argmax(0)
            odds = colour_log_odds(colours, labels, classes, generator=generator, samples=_SAMPLES)
        at = F.interpolate(odds[None], small, mode="area")[0]
        costs = -at.log_softmax(0) if classes > 2 else F.softplus(-at)
        found = potts(
            costs.masked_fill(forbidden, _FORBIDDEN),
            weights,
            strength=_STRENGTH,
            iterations=_ITERATIONS if classes <= 2 else _ITERATIONS_OF_MANY,
        )
        regions.append(F.interpolate(found[None], size, mode="bilinear")[0])
    return torch.stack(regions)
