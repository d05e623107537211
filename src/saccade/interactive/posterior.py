"""From a fitted network to class probabilities at the size of the image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.colour import colour_log_odds
from saccade.interactive.evidence import REGIONS, evidence_maps
from saccade.interactive.fitting import PAPER_CHANNELS, Step
from saccade.interactive.presets import Average, Placing, PottsSettings
from saccade.interactive.regions import colour_regions
from saccade.interactive.scene import Scene, brightness
from saccade.models.scribble_net import RANDOM_BRANCHES, ScoresOfDraws, ScribbleNet
from saccade.refine.guided import enlarged_rows, guided_distributions
from saccade.refine.potts import edge_weights, potts

Maps = NDArray[np.float32]

_FORBIDDEN = 1e3
_FLOOR = 1e-4
_REGION_FLOOR = 0.05  # what is left to a class outside of its region


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
    placing: Placing = "independent",
    fused: Tensor | None = None,
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
        placing: whether the draws are "independent" of each other or spread "even"ly.
        fused: the network's fusion of the maps (1, C, h, w), where it is known already.
    """
    count = draws if net.branch in RANDOM_BRANCHES else 1
    inputs = net.fuse.in_channels
    prepared = ScoresOfDraws(net, maps[:, :inputs], fused)
    total = squares = kept = torch.zeros(())
    draw_scores = prepared.even if placing == "even" else prepared.independent
    for done, found in enumerate(draw_scores(count, generator)):
        scores = found[0].masked_fill(absent.view(-1, 1, 1), -1e4)
        p = scores.softmax(0)
        total, squares = total + p, squares + p.square()
        if average != "softmax":
            kept = kept + (scores if average == "logits" else _votes(p))
        if not step((done + 1) / count):
            count = done + 1
            break
    mean = total / count
    spread = (squares / count - mean.square()).clamp_min(0).sqrt().mean(0)
    if average == "logits":
        mean = (kept / count).softmax(0)
    elif average == "vote":
        mean = kept / count
    return Belief(mean, spread)


def _votes(p: Tensor) -> Tensor:
    return F.one_hot(p.argmax(0), len(p)).movedim(2, 0).to(p)


@torch.no_grad()
def gather_evidence(
    scene: Scene, belief: Belief, marks: Tensor, grown: Tensor, *, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """What `EvidenceNet` reads.

    Args:
        scene: the image.
        belief: answer of the fitted network.
        marks: strokes at half size (h, w), K where nobody drew.
        grown: the same, grown to superpixels.
        generator: of the colour models.

    Returns:
        Evidence (P, E, h, w) of the P classes that somebody drew, and their indices (P,).
    """
    classes = len(belief.mean)
    own = F.one_hot(marks, classes + 1)[..., :-1].movedim(2, 0).bool()
    present = own.flatten(1).any(1).nonzero()[:, 0]
    odds = colour_log_odds(scene.lab, grown, classes, generator=generator)[present]
    guide = scene.maps[0, PAPER_CHANNELS:]
    index = torch.full((classes + 1,), len(present), device=marks.device)
    index[present] = torch.arange(len(present), device=marks.device)
    regions = colour_regions(scene.lab, guide, index[marks], odds, generator=generator)
    maps = evidence_maps(belief.mean[present], belief.spread, own[present], guide, odds, regions)
    return maps, present


@torch.no_grad()
def weigh_evidence(
    scene: Scene, maps: Tensor, present: Tensor, classes: int, *, judges: int = 1
) -> Tensor:
    """Probabilities (K, h, w) of all evidence, 0 for classes that are not ``present``.

    The evidence network's answer, times the regions by colour alone to the power of 1 / P: the two
    err at other places, and the more classes there are the less colours alone are worth.

    Args:
        scene: the image.
        maps: of `gather_evidence`.
        present: likewise.
        classes: K.
        judges: how many of the bundle's are asked, if it has as many; their mean counts.
    """
    owner = torch.zeros_like(present)
    said = [
        judge.evidence.to(maps.device)(maps, owner, scene.guides(index))
        for index, judge in enumerate(scene.bundle.judges[:judges])
    ]
    scores = torch.stack(said).mean(0)
    regions = maps[:, REGIONS].mean(1) + _REGION_FLOOR
    out = maps.new_zeros(classes, *scores.shape[1:])
    out[present] = (scores + regions.log() / len(present)).softmax(0)
    return out


@torch.no_grad()
def sharpen(scene: Scene, mean: Tensor, marks: Tensor, settings: PottsSettings) -> Tensor:
    """Probabilities (K, h, w) moved to image edges, strokes kept; see `saccade.refine.potts`."""
    weights = edge_weights(scene.maps[0, PAPER_CHANNELS:], settings.contrast)
    unary = _costs(mean, marks)
    strength = _strength(settings, mean)
    return potts(unary, weights, strength=strength, iterations=settings.iterations)


def _strength(settings: PottsSettings, mean: Tensor) -> float:
    """The price of a border: the more classes, the flatter their probabilities, so the lower.

    Classes that nobody drew have no probability anywhere and do not count.
    """
    drawn = int((mean > 0).flatten(1).any(1).sum())
    return settings.strength * 2 / max(2, drawn)


@torch.no_grad()
def sharpen_fine(scene: Scene, mean: Tensor, marks: Tensor, settings: PottsSettings) -> Tensor:
    """`sharpen` once more at the working size.

    Args:
        scene: the image.
        mean: probabilities (K, h, w) at half size.
        marks: strokes at the working size, K where nobody drew.
        settings: of the preset.

    Returns:
        Regions and probabilities mixed, at the working size.
    """
    strips = guided_distributions(mean, scene.half_grey, scene.grey)
    fine = torch.cat([strip for _, strip in strips], 1)
    regions = potts(
        _costs(fine, marks),
        scene.work_edges(settings.contrast),
        strength=_strength(settings, mean) / 2,
        iterations=settings.fine_iterations,
    )
    return mixed(regions, fine)


def mixed(regions: Tensor, mean: Tensor) -> Tensor:
    """The regions decide the mask, the doubt before them stays visible in the numbers."""
    return 0.75 * regions + 0.25 * mean


@torch.no_grad()
def tempered(mean: Tensor, temperature: float) -> Tensor:
    """Probabilities (K, h, w) to the power of 1 / ``temperature``, made to sum to 1 again.

    Above 1 they are less sure; which class is likeliest stays.
    """
    if temperature == 1:
        return mean
    powers = mean.pow(1 / temperature)
    return powers.div_(powers.sum(0))


def _costs(mean: Tensor, marks: Tensor) -> Tensor:
    """-log of probabilities (K, h, w), other classes forbidden on strokes ``marks`` (h, w)."""
    costs = mean.clamp_min(_FLOOR).log_().neg_()
    y, x = (marks < len(mean)).nonzero(as_tuple=True)  # few, so not a map for each class
    drawn = marks[y, x]
    own = costs[drawn, y, x]
    costs[:, y, x] = _FORBIDDEN
    costs[drawn, y, x] = own
    return costs


@torch.no_grad()
def enlarge(scene: Scene, mean: Tensor, doubt: Tensor, *, radius: int = 1) -> tuple[Maps, Maps]:
    """Bring half-size maps, or what `sharpen_fine` gives, to the full size, strip by strip.

    Args:
        scene: the image.
        mean: probabilities (K, h, w); they follow the image's edges.
        doubt: (1, h, w); enlarged smoothly, texture is no reason to doubt.
        radius: of the guided filter's windows, in pixels of the maps.

    Returns:
        Probabilities (K, H, W), renormalised, and doubt (H, W).
    """
    height, width = scene.size
    probabilities = np.empty((len(mean), height, width), np.float32)
    uncertainty = np.empty((height, width), np.float32)
    strips: Iterable[tuple[int, Tensor]] = [(0, mean)]
    if tuple(mean.shape[1:]) != scene.size:
        grey = brightness(scene.rgb).to(mean.device)
        guide = F.interpolate(grey[None, None].float() / 255, mean.shape[1:], mode="area")[0]
        strips = guided_distributions(mean, guide, grey, radius=radius)
    for top, strip in strips:
        rows = slice(top, top + strip.shape[1])
        probabilities[:, rows] = strip.cpu().numpy()
        smooth = enlarged_rows(doubt[None], top, strip.shape[1], scene.size)
        uncertainty[rows] = smooth[0, 0].cpu().numpy()
    return probabilities, uncertainty


def coarse_labels(
    mean: Tensor, classes: tuple[int, ...], size: tuple[int, int]
) -> NDArray[np.int32]:
    """The likeliest class of probabilities (K, h, w), in blocks, as class values (H, W)."""
    small = np.asarray(classes, np.int32)[mean.argmax(0).cpu().numpy()]
    rows = np.arange(size[0]) * small.shape[0] // size[0]
    columns = np.arange(size[1]) * small.shape[1] // size[1]
    return np.asarray(small[rows][:, columns])
