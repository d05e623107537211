"""The object network: what belongs to the thing that somebody clicked.

An encoder sees the image once. For each class a decoder reads hints at half the size, where its
strokes are, where those of the other classes are and what the last mask was, and answers with the
log odds of the class. At a quarter of the way down two more hints are found: how similar each
place is to the strokes, in an embedding of the encoder's maps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.models.lite_encoder import CHANNELS, LiteEncoder
from saccade.models.similarity import hard_and_soft_maximum

HINTS = ("strokes", "other_strokes", "last")
"""What the decoder reads of a class at each place: 1 on its strokes, 1 on the strokes of other
classes, 2 p - 1 of the last mask's probability p (0 where there was none)."""

_WIDTHS = (24, 40, 64, 96)  # at strides 2, 4, 8, 16
_HINT_WIDTHS = (16, 24, 32, 64)
_EMBEDDING = 32
_SIMILARITIES = 4  # hard and soft maximum, to own and to other strokes


@dataclass(frozen=True)
class ObjectMaps:
    """What the object network knows of B images of H x W.

    Attributes:
        skips: maps (B, C, H / s, W / s) for s = 2, 4, 8, 16.
        embedding: (B, D, H / 8, W / 8), of length one.
    """

    skips: tuple[Tensor, Tensor, Tensor, Tensor]
    embedding: Tensor

    @property
    def half_size(self) -> tuple[int, int]:
        """(H / 2, W / 2), the size of hints and answers."""
        return self.skips[0].shape[2], self.skips[0].shape[3]

    def rows(self, index: Tensor) -> ObjectMaps:
        """Those of some images, one for each row (N,) of hints."""
        a, b, c, d = (skip[index] for skip in self.skips)
        return ObjectMaps((a, b, c, d), self.embedding[index])


def _conv(inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)


class _Residual(nn.Module):
    """Group normalization, ReLU, dilated 3x3 convolution, ReLU, 3x3 convolution, added."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first = nn.Conv2d(channels, channels, 3, 1, dilation, dilation)
        self.second = _conv(channels, channels)
        nn.init.zeros_(self.second.weight)  # begins as the identity

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(F.relu(self.first(F.relu(self.norm(x)))))
        return x + y


class ObjectNet(nn.Module):
    """Encoder and decoder, 1.9 million weights.

    >>> net = ObjectNet()
    >>> maps = net.encode(torch.zeros(1, 3, 64, 96))
    >>> hints = torch.zeros(2, len(HINTS), 32, 48)
    >>> net.decode(maps.rows(torch.tensor([0, 0])), hints).shape
    torch.Size([2, 32, 48])
    """

    def __init__(self) -> None:
        super().__init__()
        w2, w4, w8, w16 = _WIDTHS
        h2, h4, h8, h16 = _HINT_WIDTHS
        like = _SIMILARITIES
        self.encoder = LiteEncoder()
        self.skips = nn.ModuleList(_conv(*pair, 1) for pair in zip(CHANNELS, _WIDTHS, strict=True))
        self.context = nn.Sequential(_Residual(w16, 2), _Residual(w16, 3))
        self.embed8, self.embed16 = _conv(CHANNELS[2], 64, 1), _conv(w16, 64, 1)
        self.embed = _conv(64, _EMBEDDING, 1)
        self.sharpness = nn.Parameter(torch.tensor(2.0))

        self.hint2, self.hint4 = _conv(len(HINTS), h2), _conv(h2, h4, stride=2)
        self.hint8, self.hint16 = _conv(h4, h8, stride=2), _conv(h8 + like, h16, stride=2)
        self.enter = _conv(w16 + h16, w16)
        self.whole = nn.Linear(2 * w16, w16)
        self.at16 = nn.Sequential(_Residual(w16, 1), _Residual(w16, 2), _Residual(w16, 4))
        self.up8, self.join8, self.at8 = _conv(w16, w8, 1), _conv(h8 + like, w8, 1), _Residual(w8)
        self.up4, self.join4, self.at4 = _conv(w8, w4, 1), _conv(h4, w4, 1), _Residual(w4)
        self.up2, self.join2, self.at2 = _conv(w4, w2, 1), _conv(h2, w2, 1), _conv(w2, w2)
        self.leave = _conv(w2, 1)

    def encode(self, rgb: Tensor) -> ObjectMaps:
        """See images, once.

        Args:
            rgb: (B, 3, H, W), intensities in [0, 255]; H and W multiples of 16.
        """
        return self.project(self.encoder(rgb))

    def project(self, maps: list[Tensor]) -> ObjectMaps:
        """From the encoder's maps to what the decoder reads of them."""
        a, b, c, d = (skip(one) for skip, one in zip(self.skips, maps, strict=True))
        d = self.context(d)
        embedding = self.embed(F.relu(self.embed8(maps[2]) + _grow(self.embed16(d), c)))
        return ObjectMaps((a, b, c, d), F.normalize(embedding, dim=1))

    def decode(self, maps: ObjectMaps, hints: Tensor) -> Tensor:
        """Log odds of each class against the rest.

        Args:
            maps: of the image of each row of ``hints``.
            hints: (N, len(HINTS), H / 2, W / 2).

        Returns:
            (N, H / 2, W / 2).
        """
        skip2, skip4, skip8, skip16 = maps.skips
        like = _similarities(maps.embedding, hints[:, :2], self.sharpness.exp())
        hint2 = F.relu(self.hint2(hints))
        hint4 = F.relu(self.hint4(hint2))
        hint8 = torch.cat([F.relu(self.hint8(hint4)), like.to(hint4.dtype)], 1)
        hint16 = F.relu(self.hint16(hint8))
        x = self.enter(torch.cat([skip16.expand(len(hints), -1, -1, -1), hint16], 1)) + skip16
        x = self.at16(x + self._whole(x, hints[:, :1]))
        x = self.at8(_grow(self.up8(x), skip8) + skip8 + self.join8(hint8))
        x = self.at4(_grow(self.up4(x), skip4) + skip4 + self.join4(hint4))
        x = F.relu(_grow(self.up2(x), skip2) + skip2 + self.join2(hint2))
        scores: Tensor = self.leave(F.relu(self.at2(x)))
        return scores[:, 0]

    def _whole(self, x: Tensor, strokes: Tensor) -> Tensor:
        """What is at the strokes and what is in the image as a whole, told to every place."""
        own = F.adaptive_max_pool2d(strokes, x.shape[2:])
        at_strokes = (x * own).sum((2, 3)) / own.sum((2, 3)).clamp_min(1)
        told: Tensor = self.whole(torch.cat([at_strokes, x.mean((2, 3))], 1))
        return told[..., None, None]


def _similarities(embedding: Tensor, strokes: Tensor, sharpness: Tensor) -> Tensor:
    """Cosine similarity of places to strokes.

    Args:
        embedding: (N or 1, D, h, w), of length one.
        strokes: (N, 2, H, W), own and other.
        sharpness: of the soft maximum.

    Returns:
        (N, 4, h, w): hard and soft maximum over the places of own strokes, of the others.
    """
    size = embedding.shape[2:]
    flat = embedding.flatten(2).float().expand(len(strokes), -1, -1)
    there = (F.adaptive_max_pool2d(strokes, size) > 0).flatten(2)
    maxima = [
        torch.stack(hard_and_soft_maximum(features, one.nonzero()[:, 0], sharpness))
        for features, both in zip(flat, there, strict=True)
        for one in both
    ]
    return torch.stack(maxima).view(len(strokes), _SIMILARITIES, *size)


def _grow(maps: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(maps, like.shape[2:], mode="bilinear", align_corners=False)
