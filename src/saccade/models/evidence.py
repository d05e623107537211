"""A class-agnostic network that turns evidence per class into scores.

What the strokes say about a class, the fitted network's probability, distances to its strokes, is
one stack of maps per class. The same U-shaped network reads every class's stack, so it works for
any number of classes; a softmax joins them. What it may know of the image itself comes from
:class:`ImageGuide`, which runs once per image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SEEDS = 48  # places of a stroke that are compared with, evenly spread
_UNLIKE = -1.0
_ROWS = 4


@dataclass(frozen=True)
class Guides:
    """What :class:`EvidenceNet` adds to its own maps, and features to match strokes by.

    ``add`` at scales 1, 1/2, 1/4, 1/8 of the evidence, each (B, C, h, w); ``embedding``
    (B, D, h / 2, w / 2), of length one.
    """

    add: tuple[Tensor, Tensor, Tensor, Tensor]
    embedding: Tensor


class _Block(nn.Module):
    """3x3 convolution, something added, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1, *, norm: bool
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            inputs, outputs, 3, stride, dilation, dilation=dilation, bias=not norm
        )
        self.norm = nn.BatchNorm2d(outputs) if norm else nn.Identity()

    def forward(self, x: Tensor, more: Tensor | None = None) -> Tensor:
        y: Tensor = self.norm(self.conv(x))
        if more is not None:
            y = y + more
        return F.relu(y, inplace=True)


class ImageGuide(nn.Module):
    """U-shaped network from features of the image to guides at four scales, 188 thousand weights.

    Args:
        inputs: channels of the features.
        out: channels of the guides, from fine to coarse.
        embedding: channels of the features to match by.
        norm: batch normalisation, for training; the bundled weights have it folded in.
    """

    def __init__(
        self,
        inputs: int = 43,
        out: tuple[int, int, int, int] = (8, 20, 32, 48),
        *,
        embedding: int = 16,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(inputs, 20, 1)
        self.same0 = _Block(20, 16, norm=norm)
        self.down1, self.same1 = _Block(16, 32, 2, norm=norm), _Block(32, 32, norm=norm)
        self.down2, self.same2 = _Block(32, 48, 2, norm=norm), _Block(48, 48, norm=norm)
        self.down3, self.same3 = _Block(48, 64, 2, norm=norm), _Block(64, 64, 1, 2, norm=norm)
        self.up2 = _Block(64 + 48, 48, norm=norm)
        self.up1 = _Block(48 + 32, 24, norm=norm)
        self.to0, self.to1 = nn.Conv2d(16, out[0], 1), nn.Conv2d(24, out[1], 1)
        self.to2, self.to3 = nn.Conv2d(48, out[2], 1), nn.Conv2d(64, out[3], 1)
        self.embed = nn.Conv2d(24, embedding, 1)

    def forward(self, maps: Tensor) -> Guides:
        """Guides from maps (B, C, h, w), each standardised."""
        x0 = self.same0(F.relu(self.stem(maps)))
        x1 = self.same1(self.down1(x0))
        x2 = self.same2(self.down2(x1))
        x3 = self.same3(self.down3(x2))
        y2 = self.up2(_join(x3, x2))
        y1 = self.up1(_join(y2, x1))
        add = self.to0(x0), self.to1(y1), self.to2(y2), self.to3(x3)
        return Guides(add, F.normalize(self.embed(y1), dim=1))


class EvidenceNet(nn.Module):
    """U-shaped network over five scales, 160 thousand weights.

    It answers with a correction and a gate; the gate scales the fitted network's own log odds.

    Args:
        evidence: maps of each class.
        widths: channels at the four finest scales.
        norm: batch normalisation, for training; the bundled weights have it folded in.
    """

    def __init__(
        self,
        evidence: int = 12,
        widths: tuple[int, int, int, int] = (8, 20, 32, 48),
        *,
        norm: bool = False,
    ) -> None:
        super().__init__()
        w0, w1, w2, w3 = widths
        self.sharpness = nn.Parameter(torch.tensor(2.0))
        self.enter = _Block(evidence, w0, norm=norm)
        self.down1, self.same1 = _Block(w0, w1, 2, norm=norm), _Block(w1 + 2, w1, norm=norm)
        self.down2, self.same2 = _Block(w1, w2, 2, norm=norm), _Block(w2, w2, norm=norm)
        self.rivals = nn.Conv2d(w2, w2, 1)
        self.down3, self.same3 = _Block(w2, w3, 2, norm=norm), _Block(w3, w3, 1, 2, norm=norm)
        self.down4, self.same4 = _Block(w3, w3, 2, norm=norm), _Block(w3, w3, 1, 2, norm=norm)
        self.up3 = _Block(2 * w3, 40, norm=norm)
        self.up2 = _Block(40 + w2, 28, norm=norm)
        self.up1 = _Block(28 + w1, 16, norm=norm)
        self.up0 = _Block(16 + w0, 8, norm=norm)
        self.leave = nn.Conv2d(8, 2, 1)

    def forward(self, evidence: Tensor, owner: Tensor, guides: Guides) -> Tensor:
        """Scores of each class; their softmax over an image's classes are the probabilities.

        Args:
            evidence: (N, E, h, w), one row for each class of each image; its first map is half the
                log odds of the class, the last but one marks its strokes.
            owner: (N,) index of the image a row belongs to.
            guides: of the images.

        Returns:
            (N, h, w).
        """
        # A few classes at a time: their maps stay in the cache and memory stays bounded.
        parts = [slice(0, len(owner))]
        if not self.training:
            parts = [slice(i, i + _ROWS) for i in range(0, len(owner), _ROWS)]
        seeds = F.max_pool2d(evidence[:, -2:-1], 2, ceil_mode=True)[:, 0] > 0
        match = _match(guides.embedding, seeds, owner, self.sharpness.exp())
        fine = [self._shrink(evidence[p], match[p], owner[p], guides) for p in parts]
        coarse = torch.cat([x[2] for x in fine])
        rivals = self.rivals(_highest(coarse, owner, len(guides.embedding)))
        scores = [
            self._answer(x, evidence[p, 0], owner[p], rivals, guides)
            for x, p in zip(fine, parts, strict=True)
        ]
        return torch.cat(scores)

    def _shrink(
        self, evidence: Tensor, match: Tensor, owner: Tensor, guides: Guides
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Maps of some rows at scales 1, 1/2 and 1/4."""
        x0 = self.enter(evidence, guides.add[0][owner])
        x1 = self.same1(torch.cat([self.down1(x0), match], 1), guides.add[1][owner])
        return x0, x1, self.down2(x1)

    def _answer(
        self,
        fine: tuple[Tensor, Tensor, Tensor],
        odds: Tensor,
        owner: Tensor,
        rivals: Tensor,
        guides: Guides,
    ) -> Tensor:
        """Scores of some rows, given what is strongest among all of their image."""
        x0, x1, x2 = fine
        x2 = self.same2(x2, (guides.add[2] + rivals)[owner])
        x3 = self.same3(self.down3(x2, guides.add[3][owner]))
        x4 = self.same4(self.down4(x3))
        y = self.up3(_join(x4, x3))
        y = self.up2(_join(y, x2))
        y = self.up1(_join(y, x1))
        y = self.up0(_join(y, x0))
        correction, gate = self.leave(y).unbind(1)
        scores: Tensor = correction + F.softplus(gate) * odds
        return scores


def _highest(maps: Tensor, owner: Tensor, count: int) -> Tensor:
    """The strongest answer among an image's classes, of ``count`` images: (B, C, h, w)."""
    return torch.stack([maps[owner == b].amax(0) for b in range(count)])


def _match(embedding: Tensor, seeds: Tensor, owner: Tensor, sharpness: Tensor) -> Tensor:
    """How like the strokes' features a place's are.

    Args:
        embedding: (B, D, h, w), of length one.
        seeds: (N, h, w) bool, where the strokes of a class are.
        owner: (N,) index of the image.
        sharpness: of the soft maximum over a stroke's places.

    Returns:
        (N, 2, h, w): cosine similarity, and by how much it exceeds the best of the other classes.
    """
    flat = embedding.flatten(2)
    own = torch.stack(
        [
            _likeness(flat[b], seed.flatten().nonzero()[:, 0], sharpness)
            for seed, b in zip(seeds, owner.tolist(), strict=True)
        ]
    )
    lead = own - _UNLIKE
    for b in range(len(embedding)):
        mine = (owner == b).nonzero()[:, 0]
        if len(mine) > 1:
            best, index = own[mine].topk(2, 0)
            order = torch.arange(len(mine), device=index.device).view(-1, 1)
            lead[mine] = own[mine] - torch.where(index[:1] == order, best[1:], best[:1])
    return torch.stack([own, lead], 1).view(len(own), 2, *embedding.shape[2:])


def _likeness(features: Tensor, places: Tensor, sharpness: Tensor) -> Tensor:
    """Soft maximum of the similarity of ``features`` (D, P) to those at ``places``: (P,)."""
    count = len(places)
    if count == 0:
        return features.new_full(features.shape[1:], _UNLIKE)
    if count > _SEEDS:
        spread = torch.linspace(0, count - 1, _SEEDS, device=places.device)
        places = places[spread.round().long()]
    like = features[:, places].T @ features
    soft: Tensor = ((sharpness * like).logsumexp(0) - math.log(len(places))) / sharpness
    return soft


def _grow(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(maps, size, mode="bilinear", align_corners=False)


def _join(coarse: Tensor, fine: Tensor) -> Tensor:
    return torch.cat([_grow(coarse, tuple(fine.shape[2:])), fine], 1)
