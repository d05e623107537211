"""The fusion network: cues about each class to a score of each class.

What is known about a class at a pixel (the fitted network's probability, colors, distances to its
strokes) is one stack of maps per class, the `CUES`. The same U-shaped network reads the stack of
every class, so it works for any number of classes; a softmax joins them. What it may know of the
image itself comes from :class:`ImageEncoder`, which runs once per image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.models.features import INPUT_CHANNELS
from saccade.models.similarity import UNLIKE, at_strokes, few_of, hard_and_soft_maximum

CUES = (
    "network",  # half the log odds of the class by the fitted network
    "color",  # a quarter of the log odds by color alone
    "spread",  # four times the standard deviation of the network's answer over draws
    "geodesic_lead",  # (nearest other - own) / (nearest other + own) geodesic distance
    "geodesic",  # log of 1 + the geodesic distance to its strokes
    "euclidean_lead",  # as geodesic_lead, straight lines
    "euclidean",  # distance to its strokes over the shorter side
    "share",  # half the log of its share of the strokes; 0 with fewer than three classes
    "color_region",  # a minimal partition by color alone
    "color_region_refitted",  # the same with the colors fitted again to that partition
    "strokes",  # 1 on its strokes
    "other_strokes",  # 1 on the strokes of the other classes
    "object",  # half the log odds of the class by the object network, 0 where it is not asked; in
    # images of a kind by the regression, see `saccade.interactive.regression`
    "object_lead",  # a quarter of by how much they exceed those of the best other class
    "last",  # 2 p - 1 of its probability p in the mask that the strokes correct, 0 without one
)
"""What the fusion network reads of each class, in the order of its input channels.

`saccade.interactive.cues` computes them; training and prediction share that function.
"""
CUE = {name: channel for channel, name in enumerate(CUES)}
"""Channel of a cue by its name."""
_GATED = [CUE["network"], CUE["object"]]

_CLASSES_AT_ONCE = 4


@dataclass(frozen=True)
class ImageEncoding:
    """What the fusion network knows of images.

    Attributes:
        add: maps that join its own at scales 1, 1/2, 1/4 and 1/8 of the cues, each (B, C, h, w).
        embedding: (B, D, h / 2, w / 2), vectors of length one by which places are compared with
            strokes.
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


class ImageEncoder(nn.Module):
    """U-shaped network from features of the image to maps at four scales, 188 thousand weights.

    Args:
        inputs: channels of `PreparedImage.inputs`.
        out: channels of the maps, from fine to coarse.
        embedding: channels of the vectors by which places are compared with strokes.
        norm: batch normalisation, for training; the bundled weights have it folded in.
    """

    def __init__(
        self,
        inputs: int = INPUT_CHANNELS,
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

    def forward(self, inputs: Tensor) -> ImageEncoding:
        """Encode features and colors (B, C, h, w), each channel standardized."""
        x0 = self.same0(F.relu(self.stem(inputs)))
        x1 = self.same1(self.down1(x0))
        x2 = self.same2(self.down2(x1))
        x3 = self.same3(self.down3(x2))
        y2 = self.up2(_join(x3, x2))
        y1 = self.up1(_join(y2, x1))
        add = self.to0(x0), self.to1(y1), self.to2(y2), self.to3(x3)
        return ImageEncoding(add, F.normalize(self.embed(y1), dim=1))


class FusionNet(nn.Module):
    """U-shaped network over five scales, 160 thousand weights.

    It answers with a correction and two gates, which scale the log odds of the fitted network and
    of the object network.

    Args:
        cues: channels of each class.
        widths: channels at the four finest scales.
        norm: batch normalisation, for training; the bundled weights have it folded in.
    """

    def __init__(
        self,
        cues: int = len(CUES),
        widths: tuple[int, int, int, int] = (8, 20, 32, 48),
        *,
        norm: bool = False,
    ) -> None:
        super().__init__()
        w0, w1, w2, w3 = widths
        self.sharpness = nn.Parameter(torch.tensor(2.0))
        self.enter = _Block(cues, w0, norm=norm)
        self.down1, self.same1 = _Block(w0, w1, 2, norm=norm), _Block(w1 + 2, w1, norm=norm)
        self.down2, self.same2 = _Block(w1, w2, 2, norm=norm), _Block(w2, w2, norm=norm)
        self.rivals = nn.Conv2d(w2, w2, 1)
        self.down3, self.same3 = _Block(w2, w3, 2, norm=norm), _Block(w3, w3, 1, 2, norm=norm)
        self.down4, self.same4 = _Block(w3, w3, 2, norm=norm), _Block(w3, w3, 1, 2, norm=norm)
        self.up3 = _Block(2 * w3, 40, norm=norm)
        self.up2 = _Block(40 + w2, 28, norm=norm)
        self.up1 = _Block(28 + w1, 16, norm=norm)
        self.up0 = _Block(16 + w0, 8, norm=norm)
        self.leave = nn.Conv2d(8, 1 + len(_GATED), 1)

    def forward(
        self,
        cues: Tensor,
        image_index: Tensor,
        encoding: ImageEncoding,
        elsewhere: Sequence[Tensor | None] | None = None,
    ) -> Tensor:
        """Scores of each class; their softmax over an image's classes are the probabilities.

        Args:
            cues: (N, len(CUES), h, w), one row for each class of each image.
            image_index: (N,) index of the image that a row belongs to.
            encoding: of the images.
            elsewhere: of each row vectors (D, n) at strokes in other images, `stroke_vectors`.

        Returns:
            (N, h, w).
        """
        # A few classes at a time: their maps stay in the cache and memory stays bounded.
        parts = [slice(0, len(image_index))]
        if not self.training:
            step = _CLASSES_AT_ONCE
            parts = [slice(i, i + step) for i in range(0, len(image_index), step)]
        similarity = _similarity(
            encoding.embedding,
            _at_half(cues[:, CUE["strokes"]]),
            image_index,
            self.sharpness.exp(),
            elsewhere or [None] * len(cues),
        )
        fine = [self._encode(cues[p], similarity[p], image_index[p], encoding) for p in parts]
        coarse = torch.cat([x[2] for x in fine])
        rivals = self.rivals(_strongest(coarse, image_index, len(encoding.embedding)))
        scores = [
            self._decode(x, cues[p][:, _GATED], image_index[p], rivals, encoding)
            for x, p in zip(fine, parts, strict=True)
        ]
        return torch.cat(scores)

    def _encode(
        self, cues: Tensor, similarity: Tensor, image_index: Tensor, encoding: ImageEncoding
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Maps of some rows at scales 1, 1/2 and 1/4."""
        x0 = self.enter(cues, encoding.add[0][image_index])
        x1 = self.same1(torch.cat([self.down1(x0), similarity], 1), encoding.add[1][image_index])
        return x0, x1, self.down2(x1)

    def _decode(
        self,
        fine: tuple[Tensor, Tensor, Tensor],
        odds: Tensor,
        image_index: Tensor,
        rivals: Tensor,
        encoding: ImageEncoding,
    ) -> Tensor:
        """Scores of some rows, given what is strongest among all of their image."""
        x0, x1, x2 = fine
        x2 = self.same2(x2, (encoding.add[2] + rivals)[image_index])
        x3 = self.same3(self.down3(x2, encoding.add[3][image_index]))
        x4 = self.same4(self.down4(x3))
        y = self.up3(_join(x4, x3))
        y = self.up2(_join(y, x2))
        y = self.up1(_join(y, x1))
        y = self.up0(_join(y, x0))
        answer = self.leave(y)
        scores: Tensor = answer[:, 0] + (F.softplus(answer[:, 1:]) * odds).sum(1)
        return scores


def _strongest(maps: Tensor, image_index: Tensor, count: int) -> Tensor:
    """The strongest answer among an image's classes, of ``count`` images: (B, C, h, w)."""
    return torch.stack([maps[image_index == b].amax(0) for b in range(count)])


def _at_half(strokes: Tensor) -> Tensor:
    """Strokes (N, h, w) at the size of the embedding, none lost."""
    return F.max_pool2d(strokes[:, None].float(), 2, ceil_mode=True)[:, 0] > 0


def stroke_vectors(encoding: ImageEncoding, strokes: Tensor) -> list[Tensor]:
    """What an image with strokes tells the fusion network of other images.

    Args:
        encoding: of one image.
        strokes: (P, h, w) bool, of each class.

    Returns:
        (D, n) for each class.
    """
    flat = encoding.embedding[0].flatten(1)
    return [at_strokes(flat, own.flatten().nonzero()[:, 0]) for own in _at_half(strokes)]


def few_vectors(vectors: Tensor) -> Tensor:
    """At most as many of (D, n) as one stroke has, evenly spread."""
    return vectors[:, few_of(torch.arange(vectors.shape[1], device=vectors.device))]


def _similarity(
    embedding: Tensor,
    strokes: Tensor,
    image_index: Tensor,
    sharpness: Tensor,
    elsewhere: Sequence[Tensor | None],
) -> Tensor:
    """How similar a place is to the strokes of each class.

    Args:
        embedding: (B, D, h, w), of length one.
        strokes: (N, h, w) bool, where the strokes of a class are.
        image_index: (N,) index of the image that a row belongs to.
        sharpness: of the soft maximum over a stroke's places.
        elsewhere: of each row, vectors (D, n) at its strokes in other images.

    Returns:
        (N, 2, h, w): cosine similarity, and by how much it exceeds the best of the other classes.
    """
    flat = embedding.flatten(2)
    similarity = torch.stack(
        [
            hard_and_soft_maximum(flat[b], own.flatten().nonzero()[:, 0], sharpness, other)[1]
            for own, b, other in zip(strokes, image_index.tolist(), elsewhere, strict=True)
        ]
    )
    lead = similarity - UNLIKE
    for b in range(len(embedding)):
        rows = (image_index == b).nonzero()[:, 0]
        if len(rows) > 1:
            best, index = similarity[rows].topk(2, 0)
            order = torch.arange(len(rows), device=index.device).view(-1, 1)
            lead[rows] = similarity[rows] - torch.where(index[:1] == order, best[1:], best[:1])
    return torch.stack([similarity, lead], 1).view(len(similarity), 2, *embedding.shape[2:])


def _grow(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(maps, size, mode="bilinear", align_corners=False)


def _join(coarse: Tensor, fine: Tensor) -> Tensor:
    return torch.cat([_grow(coarse, tuple(fine.shape[2:])), fine], 1)
