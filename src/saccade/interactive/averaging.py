"""The fitted network's answer, averaged over draws of its sampling positions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.presets import Average, Placement
from saccade.interactive.run import Step
from saccade.models.scribble_net import RANDOM_BRANCHES, ScoresOfDraws, ScribbleNet


@dataclass(frozen=True)
class AveragedPrediction:
    """What a fitted network says of an image, at half the working size.

    Attributes:
        mean: (K, h, w), the probabilities averaged over draws.
        spread: (h, w), their standard deviation over draws, averaged over the classes.
    """

    mean: Tensor
    spread: Tensor


@torch.no_grad()
def average_draws(
    net: ScribbleNet,
    inputs: Tensor,
    stroked: Tensor,
    *,
    draws: int,
    average: Average = "softmax",
    placement: Placement = "independent",
    generator: torch.Generator,
    step: Step = lambda _: True,
    fused: Tensor | None = None,
) -> AveragedPrediction:
    """Average the network over draws of its sampling positions (GDC paper, section V-A).

    Args:
        net: the fitted network.
        inputs: (1, C, h, w), what it sees.
        stroked: (P,) indices of the classes that have a stroke; the others get probability 0.
        draws: how many; one where the branch is not random.
        average: of the softmax, of the scores, or of the winners' votes.
        placement: whether the draws are "independent" of each other or spread "even"ly.
        generator: of the offsets.
        step: progress; its False stops after the draw at hand.
        fused: the network's first 1x1 convolution of the inputs, where it is known already.

    >>> net = ScribbleNet(4, 3, generator=torch.Generator().manual_seed(0))
    >>> found = average_draws(net, torch.rand(1, 4, 8, 9), torch.tensor([0, 2]), draws=5,
    ...                       generator=torch.Generator().manual_seed(0))
    >>> found.mean.shape, found.mean[1].max().item(), found.spread.shape
    (torch.Size([3, 8, 9]), 0.0, torch.Size([8, 9]))
    """
    count = draws if net.branch in RANDOM_BRANCHES else 1
    prepared = ScoresOfDraws(net, inputs, fused)
    drawn = prepared.even if placement == "even" else prepared.independent
    total = squares = other = torch.zeros(())
    for done, batch in enumerate(drawn(count, generator)):
        scores = _only(batch[0], stroked)
        p = scores.softmax(0)
        total, squares = total + p, squares + p.square()
        if average != "softmax":
            other = other + (scores if average == "logits" else _votes(p))
        if not step((done + 1) / count):
            count = done + 1
            break
    mean = total / count
    spread = (squares / count - mean.square()).clamp_min(0).sqrt().mean(0)
    if average == "logits":
        mean = (other / count).softmax(0)
    elif average == "vote":
        mean = other / count
    return AveragedPrediction(mean, spread)


def _only(scores: Tensor, stroked: Tensor) -> Tensor:
    """Scores (K, h, w) in which classes without a stroke have no chance."""
    absent = torch.ones(len(scores), dtype=torch.bool, device=scores.device)
    absent[stroked] = False
    return scores.masked_fill(absent.view(-1, 1, 1), -1e4)


def _votes(p: Tensor) -> Tensor:
    return F.one_hot(p.argmax(0), len(p)).movedim(2, 0).to(p)
