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

from saccade.models.scribble_net.batched import Weights, batched_scores, whole_offsets
from saccade.models.scribble_net.gathering import TAPS

_GRADIENT_LIMIT = 8.0


@dataclass(frozen=True)
class LabeledPixels:
    """The labelled half-size pixels of a batch of images.

    ``pixels`` (B, K, L, 2), (y, x), padded to the longest list; ``counts`` (B, K), how many of
    them are real.
    """

    pixels: Tensor
    counts: Tensor

    def sample(self, per_class: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Pixels (B, K * n, 2) and targets (B, K * n), n of each class, with replacement."""
        batch, classes = self.counts.shape
        uniform = torch.rand(
            (batch, classes, per_class), generator=generator, device=self.pixels.device
        )
        index = (uniform * self.counts.unsqueeze(2)).long()
        pixels = self.pixels.gather(2, index.unsqueeze(3).expand(-1, -1, -1, 2)).flatten(1, 2)
        targets = torch.arange(classes, device=pixels.device).repeat_interleave(per_class)
        return pixels, targets.expand(batch, -1)


def labeled_pixels(labels: Tensor, classes: int) -> LabeledPixels:
    """Collect the pixels of each class from ``labels`` (B, H, W), values >= K are no class."""
    lists = [[(image == k).nonzero() for k in range(classes)] for image in labels]
    longest = max(1, max(len(p) for row in lists for p in row))
    pixels = labels.new_zeros((len(lists), classes, longest, 2), dtype=torch.long)
    for b, row in enumerate(lists):
        for k, points in enumerate(row):
            pixels[b, k, : len(points)] = points
    counts = torch.tensor([[len(p) for p in row] for row in lists], device=labels.device)
    return LabeledPixels(pixels, counts)


def take_meta_steps(
    weights: Weights,
    rates: Weights,
    rows: Tensor,
    size: tuple[int, int],
    labeled: LabeledPixels,
    *,
    sigma: float = 0.2,
    per_class: int = 128,
    generator: torch.Generator,
    create_graph: bool = False,
) -> Weights:
    """Take one gradient step for each row of ``rates``; the start is left alone.

    The loss is the cross entropy at sampled pixels, equally many of each class that has any.

    Args:
        weights: the start, each tensor with a leading axis B.
        rates: learning rate of every step and tensor, {name: (S,)}.
        rows: fused features (B, H * W, C).
        size: (H, W) of the half-size map.
        labeled: of each image; at least one class needs a pixel.
        sigma: standard deviation of the offsets as a share of the map's shortest side.
        per_class: pixels of each class in a step, sampled with replacement.
        generator: of the sampled pixels and offsets.
        create_graph: keep the graph through the steps, for meta-training.

    Example:
        >>> from saccade.models.scribble_net.batched import initial_weights
        >>> start = initial_weights(channels=16, classes=2)
        >>> rates = {name: torch.full((8,), 0.1) for name in start}
        >>> labels = torch.full((1, 48, 64), 2)  # nothing labelled
        >>> labels[0, 4, 5:30], labels[0, 40, 5:30] = 0, 1
        >>> labeled, generator = labeled_pixels(labels, classes=2), torch.Generator()
        >>> rows = torch.rand(1, 48 * 64, 16)
        >>> weights = take_meta_steps(start, rates, rows, (48, 64), labeled, generator=generator)
        >>> weights["out"].shape
        torch.Size([1, 16, 2])
    """
    steps = next(iter(rates.values())).shape[0]
    batch, classes = labeled.counts.shape
    present = (labeled.counts > 0).repeat_interleave(per_class, 1).to(rows.dtype)
    scale = sigma * min(size)
    share = present / present.sum(1, keepdim=True)
    for step in range(steps):
        pixels, targets = labeled.sample(per_class, generator)
        shape = (batch, TAPS * classes * per_class, TAPS, 2)
        offsets = whole_offsets(shape, scale, generator, rows.device)
        if not create_graph:
            weights = {name: value.detach().requires_grad_() for name, value in weights.items()}
        with torch.enable_grad():
            scores = batched_scores(weights, rows, size, pixels, offsets)
        with torch.set_grad_enabled(create_graph):
            weights = step_down(weights, rates, step, gradients_of(scores, targets, share, weights))
    return weights


def step_down(weights: Weights, rates: Weights, step: int, gradients: Weights) -> Weights:
    """Weights after one step, with the rates {name: (S,)} of that step."""
    clipped = _clipped(gradients)
    return {name: value - rates[name][step] * clipped[name] for name, value in weights.items()}


def gradients_of(scores: Tensor, targets: Tensor, share: Tensor, weights: Weights) -> Weights:
    """Gradients of the cross entropy (B, N) of ``scores`` (B, N, K), weighted by ``share``.

    The slope of a cross entropy in the scores is the softmax less the target, and starting there
    saves autograd's way through the loss.
    """
    slope = (scores.softmax(2) - F.one_hot(targets, scores.shape[2])) * share.unsqueeze(2)
    values = list(weights.values())
    if torch.is_grad_enabled():
        gradients = torch.autograd.grad(scores, values, slope, create_graph=True)
    else:
        # The same gradients of one number: for a slope, autograd would import SymPy first.
        with torch.enable_grad():
            total = (scores * slope).sum()
        gradients = torch.autograd.grad(total, values)
    return dict(zip(weights, gradients, strict=True))


def _clipped(gradients: Weights) -> Weights:
    """Each image's gradient, no longer than it ever is where the steps converge.

    The learned step sizes are large; without a limit strokes of two classes that look alike can
    make every step undo more than the last one did, until nothing is finite.
    """
    square = torch.stack([g.flatten(1).square().sum(1) for g in gradients.values()]).sum(0)
    scale = (_GRADIENT_LIMIT * torch.rsqrt(square.clamp_min(1e-12))).clamp_max(1)
    return {name: g * scale.view(-1, 1, 1) for name, g in gradients.items()}
