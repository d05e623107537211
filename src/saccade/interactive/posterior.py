"""From a fitted network to class probabilities at the size of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.evidence import evidence_maps
from saccade.interactive.fitting import PAPER_CHANNELS, Step
from saccade.interactive.presets import Average, PottsSettings
from saccade.interactive.scene import Scene
from saccade.models.scribble_net import RANDOM_BRANCHES, ScribbleNet
from saccade.refine.guided import guided_strips
from saccade.refine.potts import edge_weights, potts

_FORBIDDEN = 1e3
_FLOOR = 1e-4


@dataclass(frozen=True)
class Belief:
    """What a fitted network says of an image, at half size.

    ``mean`` (K, h, w) are the probabilities averaged over draws, ``spread`` (h, w) their standard
    deviation over draws, averaged over the classes.
    """

    mean: Tensor
    spread: Tensor


@torch.no_grad()
def draw(
    net: ScribbleNet,
    maps: Tensor,
    *,
    draws: int,
    average: Average,
    absent: Tensor,
    generator: torch.Generator,
    step: Step,
) -> Belief:
    """Average the network over draws of its sampling positions (GDC paper, section V-A).

    Args:
        net: fitted network.
        maps: (1, C, h, w).
        draws: how many; one where the branch is not random.
        average: of the softmax, of the scores, or of the winners' votes.
        absent: (K,), True for classes without a stroke; they get probability 0.
        generator: of the offsets.
        step: progress; its False stops after the draw at hand.
    """
    count = draws if net.branch in RANDOM_BRANCHES else 1
    inputs = net.fuse.in_channels
    prepared = net.draws(maps[:, :inputs])
    total = squares = torch.zeros(())
    for done in range(count):
        scores = prepared.scores(generator)[0].masked_fill(absent.view(-1, 1, 1), -1e4)
        p = scores.softmax(0)
        if average == "logits":
            p = scores
        elif average == "vote":
            p = F.one_hot(p.argmax(0), len(p)).movedim(2, 0).to(scores)
        total, squares = total + p, squares + p.square()
        if not step((done + 1) / count):
            count = done + 1
            break
    mean = total / count
    spread = (squares / count - mean.square()).clamp_min(0).sqrt().mean(0)
    return Belief(mean.softmax(0) if average == "logits" else mean, spread)


@torch.no_grad()
def weigh_evidence(scene: Scene, net: ScribbleNet, belief: Belief, marks: Tensor) -> Tensor:
    """Probabilities (K, h, w) of the evidence network, from belief and strokes ``marks``."""
    lab = scene.maps[:, PAPER_CHANNELS:]
    maps = evidence_maps(belief.mean[None], belief.spread[None], marks[None], lab)
    guide = torch.cat([net.fused(scene.maps), lab], 1)
    module = scene.bundle.evidence.to(maps.device)
    absent = ~F.one_hot(marks, len(belief.mean) + 1).flatten(0, 1).any(0)[:-1]
    scores: Tensor = module(maps, guide)[0]
    return scores.masked_fill(absent.view(-1, 1, 1), -1e4).softmax(0)


@torch.no_grad()
def sharpen(scene: Scene, mean: Tensor, marks: Tensor, settings: PottsSettings) -> Tensor:
    """Probabilities (K, h, w) moved to image edges, strokes kept; see `saccade.refine.potts`."""
    unary = -mean.clamp_min(_FLOOR).log()
    classes = len(mean)
    drawn = F.one_hot(marks, classes + 1)[..., :classes].movedim(2, 0).bool()
    unary = torch.where(drawn.any(0) & ~drawn, _FORBIDDEN, unary)
    weights = edge_weights(scene.maps[0, PAPER_CHANNELS:], settings.contrast)
    return potts(unary, weights, strength=settings.strength, iterations=settings.iterations)


@torch.no_grad()
def enlarge(scene: Scene, maps: Tensor) -> NDArray[np.float32]:
    """Maps (K, h, w) with values in [0, 1] at the full size, along the image's edges."""
    height, width = scene.size
    out = np.empty((len(maps), height, width), np.float32)
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    grey = torch.from_numpy((scene.rgb @ weights).astype(np.uint8)).to(maps.device)
    guide = F.interpolate(grey[None, None].float() / 255, maps.shape[1:], mode="area")[0]
    for top, strip in guided_strips(maps, guide, grey):
        out[:, top : top + strip.shape[1]] = strip.cpu().numpy()
    return out
