"""The frozen feature extractor: first layer and first linear bottlenecks of MobileNetV2.

GDC paper, section IV-A: two groups of feature maps, 16 and 24 channels. They are torchvision's
``features[1]`` (stride 2) and ``features[2]`` (stride 4) of ``mobilenet_v2``. The network is kept
with its batch normalisation folded into the convolutions, since it never trains.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = (16, 24)
FEATURE_CHANNELS = sum(CHANNELS)
INPUT_CHANNELS = FEATURE_CHANNELS + 3
"""Features and CIE Lab: what the networks of the presets `fast` and `best` see."""


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)


class MobileNetHead(nn.Module):
    """``features[0:3]`` of MobileNetV2 1.0 with folded normalisation, 8 thousand parameters."""

    shift: Tensor
    scale: Tensor
    same_padding = False
    """Whether layers of stride 2 pad as TensorFlow does, from which 8-bit models come."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv(3, 32, 3, stride=2)
        self.depthwise1 = _conv(32, 32, 3, groups=32)
        self.project1 = _conv(32, 16, 1)
        self.expand2 = _conv(16, 96, 1)
        self.depthwise2 = _conv(96, 96, 3, stride=2, groups=96)
        self.project2 = _conv(96, 24, 1)
        # What the weights were trained on: (image - shift) / scale for images in [-1, 1].
        # On the CPU even where `saccade.models.weights` builds the layers without memory.
        self.register_buffer("shift", torch.zeros(1, 3, 1, 1, device="cpu"), persistent=False)
        self.register_buffer("scale", torch.ones(1, 3, 1, 1, device="cpu"), persistent=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features of ``image`` (B, 3, H, W), values in [-1, 1].

        Returns:
            (B, 16, ceil(H / 2), ceil(W / 2)) and (B, 24, ceil(H / 4), ceil(W / 4)).
        """
        x = F.relu6(self._halved(self.stem, (image - self.shift) / self.scale))
        fine = self.project1(F.relu6(self.depthwise1(x)))
        x = F.relu6(self.expand2(fine))
        return fine, self.project2(F.relu6(self._halved(self.depthwise2, x)))

    def _halved(self, conv: nn.Conv2d, x: Tensor) -> Tensor:
        if not self.same_padding:
            halved: Tensor = conv(x)
            return halved
        # One pixel after, and before where the size is odd.
        left, top = x.shape[3] % 2, x.shape[2] % 2
        padded = F.pad(x, (left, 1, top, 1))
        return F.conv2d(padded, conv.weight, conv.bias, conv.stride, groups=conv.groups)


def normalized_lab(image: Tensor) -> Tensor:
    """CIE Lab of ``image`` (B, H, W, 3) uint8, as (B, 3, H, W) scaled to about [-1, 1].

    Lightness is divided by 50 and has 1 taken off, a and b are divided by 50.

    >>> white = torch.full((1, 1, 1, 3), 255, dtype=torch.uint8)
    >>> normalized_lab(white).flatten().round(decimals=2).abs().tolist()
    [1.0, 0.0, 0.0]
    """
    # Of the 256 levels there are, not of each pixel: powers are slow.
    levels = torch.arange(256, device=image.device).float() / 255
    levels = torch.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92)
    x = levels.index_select(0, image.flatten().int()).view(image.shape).movedim(3, 1)
    matrix = x.new_tensor(
        [
            [0.412453 / 0.95047, 0.357580 / 0.95047, 0.180423 / 0.95047],
            [0.212671, 0.715160, 0.072169],
            [0.019334 / 1.08883, 0.119193 / 1.08883, 0.950227 / 1.08883],
        ]
    )
    xyz = torch.einsum("ij,bjhw->bihw", matrix, x)
    f = torch.where(xyz > 0.008856, xyz.clamp_min(1e-8) ** (1 / 3), 7.787 * xyz + 16 / 116)
    lightness = (116 * f[:, 1] - 16) / 50 - 1
    return torch.stack([lightness, 10 * (f[:, 0] - f[:, 1]), 4 * (f[:, 1] - f[:, 2])], 1)


class Statistics(NamedTuple):
    """Mean and variance (C,) of each channel of half-size maps."""

    mean: Tensor
    variance: Tensor


# What standardizes nothing: 1e-5 is added to the variance.
UNCHANGED = Statistics(
    torch.zeros(INPUT_CHANNELS), torch.full((INPUT_CHANNELS,), 1 - 1e-5, dtype=torch.float32)
)


def statistics_of(several: Iterable[Tensor]) -> Statistics:
    """Of several maps (1, C, h, w), `UNCHANGED` ones, each of which counts alike.

    >>> statistics_of([torch.zeros(1, 2, 3, 3), torch.full((1, 2, 3, 3), 2.0)])
    Statistics(mean=tensor([1., 1.]), variance=tensor([1., 1.]))
    """
    moments = [(maps.mean((0, 2, 3)), maps.square().mean((0, 2, 3))) for maps in several]
    mean = torch.stack([first for first, _ in moments]).mean(0)
    variance = torch.stack([second for _, second in moments]).mean(0) - mean.square()
    return Statistics(mean, variance.clamp_min(0))


def half_size_features(
    head: MobileNetHead,
    image: Tensor,
    extra: Tensor | None = None,
    statistics: Statistics | None = None,
) -> Tensor:
    """Both groups at half size, concatenated and standardized per image.

    Args:
        head: the extractor.
        image: (B, 3, H, W), values in [-1, 1].
        extra: further maps (B, E, H, W) that join at half size, colour for instance.
        statistics: of a larger image that these are tiles of, which standardize them instead.

    Returns:
        (B, 40 + E, ceil(H / 2), ceil(W / 2)), each channel of each image with mean 0, variance 1.
    """
    maps = raw_half_size_features(head, image, extra)
    if statistics is None:
        variance, mean = torch.var_mean(maps, (2, 3), keepdim=True, correction=0)
    else:
        mean, variance = (x.view(1, -1, 1, 1) for x in statistics)
    return (maps - mean) * torch.rsqrt(variance + 1e-5)


def raw_half_size_features(
    head: MobileNetHead, image: Tensor, extra: Tensor | None = None
) -> Tensor:
    """`half_size_features` as they are, neither centered nor scaled."""
    size = (-(-image.shape[2] // 2), -(-image.shape[3] // 2))
    groups = [F.interpolate(g, size, mode="bilinear", align_corners=False) for g in head(image)]
    if extra is not None:
        groups.append(F.interpolate(extra, size, mode="area"))
    # The extractor's maps are channels-last where its weights are; whoever reads single channels
    # wants each in one piece.
    return torch.cat([g.contiguous() for g in groups], 1)
