"""Fitting the light network to strokes: a few gradient steps from a learned start.

The start and one learning rate per step and tensor come with the bundled weights; both were
trained so that these very steps, on strokes, segment photographs well (gradient-based
meta-learning; MAML with per-step rates). The same function runs in that training, for a batch of
images, and in the product, for one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.sparse import TAPS, Weights, loss_gradients, sparse_logits
from saccade.ops import half_gaussian_offsets, round_positions

_GRADIENT_LIMIT = 8.0


@dataclass(frozen=True)
class Labelled:
    """The labelled half-size pixels of a batch of images.

    ``pixels`` (B, K, L, 2), (y, x), padded to the longest list; ``counts`` (B, K), how many of
    them are real.
    """

    pixels: Tensor
    counts: Tensor

    def sample(self, per_class: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Pixels (B, K * n, 2) and targets (B, K * n), equally many of each class."""
        batch, classes = self.counts.shape
        draw = torch.rand(
            (batch, classes, per_class), generator=generator, device=self.pixels.device
        )
        index = (draw * self.counts.unsqueeze(2)).long()
        pixels = self.pixels.gather(2, index.unsqueeze(3).expand(-1, -1, -1, 2)).flatten(1, 2)
        targets = torch.arange(classes, device=pixels.device).repeat_interleave(per_class)
        return pixels, targets.expand(batch, -1)


def labelled_pixels(strokes: Tensor, classes: int) -> Labelled:
    """Collect the pixels of each class from ``strokes`` (B, H, W), values >= K are no class."""
    lists = [[(s == k).nonzero() for k in range(classes)] for s in strokes]
    longest = max(1, max(len(p) for row in lists for p in row))
    pixels = strokes.new_zeros((len(lists), classes, longest, 2), dtype=torch.long)
    for b, row in enumerate(lists):
        for k, points in enumerate(row):
            pixels[b, k, : len(points)] = points
    counts = torch.tensor([[len(p) for p in row] for row in lists], device=strokes.device)
    return Labelled(pixels, counts)


def half_gaussian(
    shape: tuple[int, ...], scale: float, generator: torch.Generator, device: torch.device
) -> Tensor:
    """Rounded offsets |N(0, scale)|, in pixels (equation 3)."""
    offsets = half_gaussian_offsets(shape, scale, generator=generator, device=device)
    return round_positions(offsets, "nearest").long()


def adapt(
    weights: Weights,
    rates: Weights,
    rows: Tensor,
    size: tuple[int, int],
    labelled: Labelled,
    *,
    sigma: float = 0.2,
    per_class: int = 128,
    generator: torch.Generator,
    create_graph: bool = False,
) -> Weights:
    """Run one gradient step for each row of ``rates``.

    Args:
        weights: the start, each tensor with a leading axis B.
        rates: learning rate of every step and tensor, {name: (S,)}.
        rows: fused features (B, H*W, C).
        size: (H, W) of the half-size map.
        labelled: what the strokes say; every class needs at least one pixel.
        sigma: standard deviation of the offsets as a share of the shortest side.
        per_class: pixels of each class in a step, drawn with replacement.
        generator: source of the drawn pixels and offsets.
        create_graph: keep the graph through the steps, for meta-learning.
    """
    steps = next(iter(rates.values())).shape[0]
    batch, classes = labelled.counts.shape
    present = (labelled.counts > 0).repeat_interleave(per_class, 1).to(rows.dtype)
    scale = sigma * min(size)
    share = present / present.sum(1, keepdim=True)
    find = _traced_gradients if create_graph else loss_gradients
    for step in range(steps):
        pixels, targets = labelled.sample(per_class, generator)
        shape = (batch, TAPS * classes * per_class, TAPS, 2)
        offsets = half_gaussian(shape, scale, generator, rows.device)
        gradients = _clipped(find(weights, rows, size, pixels, offsets, targets, share))
        weights = {
            name: value - rates[name][step] * gradients[name] for name, value in weights.items()
        }
        if not create_graph:
            weights = {name: value.detach() for name, value in weights.items()}
    return weights


def _clipped(gradients: Weights) -> Weights:
    """Each image's gradient, no longer than it ever is where the steps converge.

    The learned step sizes are large; without a limit strokes of two classes that look alike can
    make every step undo more than the last one did, until nothing is finite.
    """
    square = torch.stack([g.flatten(1).square().sum(1) for g in gradients.values()]).sum(0)
    scale = (_GRADIENT_LIMIT * torch.rsqrt(square.clamp_min(1e-12))).clamp_max(1)
    return {name: g * scale.view(-1, 1, 1) for name, g in gradients.items()}


def _traced_gradients(
    weights: Weights,
    rows: Tensor,
    size: tuple[int, int],
    pixels: Tensor,
    offsets: Tensor,
    targets: Tensor,
    share: Tensor,
) -> Weights:
    """`loss_gradients` by autograd, to be differentiated again."""
    scores = sparse_logits(weights, rows, size, pixels, offsets)
    losses = F.cross_entropy(scores.movedim(2, 1), targets, reduction="none") * share
    gradients = torch.autograd.grad(losses.sum(), list(weights.values()), create_graph=True)
    return dict(zip(weights, gradients, strict=True))
