"""Scores at chosen pixels of one image, prepared once for many optimisation steps.

A loss on a few thousand labelled pixels needs their 3x3 neighbours and what those read, a tenth of
the map. A normalisation needs statistics of the whole map: those of the fused features follow
exactly from the mean and the covariance of the frozen ones, those of both branches are estimated
from the pixels at hand and a sample of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.models.norms import affine
from saccade.models.scribble_net.gathering import (
    TAPS,
    RowIndex,
    gather,
    raster_index,
    row_index,
)
from saccade.models.scribble_net.module import RandomLayer, ScribbleNet
from saccade.nn import DeformConv2d, UniformDynamicConv2d
from saccade.ops import (
    half_gaussian_offsets,
    positions_at,
    sampled_conv2d,
    tap_directions,
    uniform_offsets,
)

SAMPLE = 1024
"""Further pixels for the statistics. Masks are as good as with those of the whole map."""


@dataclass(frozen=True)
class Points:
    """Where both branches are computed.

    ``centres`` (Q, 2) are (y, x), first the P that the classifier reads, then the sample;
    ``share`` (Q,) how much of the map each stands for, with sum 1; ``windows`` the rows of the P
    that each pixel's 3x3 window reads, N * 9.
    """

    centres: Tensor
    share: Tensor
    windows: RowIndex


def points_around(
    pixels: Tensor, size: tuple[int, int], *, sample: int, generator: torch.Generator
) -> Points:
    """The 3x3 windows around ``pixels`` (N, 2), and at most ``sample`` of the other pixels.

    The sample is systematic in raster order from a random start, so that each of the others is
    equally likely and every part of the map is there.
    """
    count = size[0] * size[1]
    around = raster_index(
        pixels.unsqueeze(1) + tap_directions(3, device=pixels.device).long(), size
    )
    near, windows = torch.unique(around, return_inverse=True)
    free = torch.ones(count, dtype=torch.bool, device=pixels.device)
    free[near] = False
    others = free.nonzero()[:, 0]
    taken = min(sample, len(others))
    if taken:
        start = torch.rand(1, generator=generator, device=generator.device).to(pixels.device)
        chosen = (start + torch.arange(taken, device=pixels.device)) * (len(others) / taken)
        others = others[chosen.long().clamp_max(len(others) - 1)]
    flat = torch.cat([near, others[:taken]])
    share = torch.full((len(flat),), 1 / count, device=pixels.device)
    # Without a sample, the windows speak for the whole map.
    share[len(near) :] *= (count - len(near)) / max(1, taken)
    centres = torch.stack([flat // size[1], flat % size[1]], 1)
    return Points(centres, share / share.sum(), row_index(windows.flatten(), len(near)))


class ScoresAtPixels:
    """Class scores at fixed pixels as a function of the network's parameters.

    Args:
        net: the network; its parameters may change between calls.
        features: (1, Cin, H, W), constant.
        pixels: (N, 2), (y, x).
        sample: with a norm, how many further pixels its statistics come from.
        generator: of the sample's start.

    Example:
        >>> net, generator = ScribbleNet(in_channels=40, classes=2), torch.Generator()
        >>> pixels = torch.tensor([[3, 4], [47, 0]])
        >>> scores = ScoresAtPixels(net, torch.rand(1, 40, 48, 64), pixels, generator=generator)
        >>> scores(generator).shape
        torch.Size([2, 2])
    """

    def __init__(
        self,
        net: ScribbleNet,
        features: Tensor,
        pixels: Tensor,
        *,
        sample: int = SAMPLE,
        generator: torch.Generator,
    ) -> None:
        self.net = net
        self.size = (features.shape[2], features.shape[3])
        self.rows = features[0].flatten(1).T.contiguous()
        self.taps = tap_directions(3, device=features.device)
        sample = 0 if net.norm == "none" else sample
        self.points = points_around(pixels, self.size, sample=sample, generator=generator)
        self._local_rows = self._read(self.points.centres.unsqueeze(1) + self.taps)
        self._branch_rows: RowIndex | None = None
        if isinstance(net.dynamic, nn.Conv2d):
            steps = self.taps * net.dynamic.dilation[0]
            self._branch_rows = self._read(self.points.centres.unsqueeze(1) + steps)
        elif isinstance(net.dynamic, RandomLayer):
            # (2, Q * 9) in full: arithmetic that broadcasts nine numbers is slow.
            self._centers = (self.points.centres.T + 0.5).repeat_interleave(TAPS, 1)
            self._steps = self.taps.T.repeat(1, len(self.points.centres))
        self._share = self.points.share.to(self.rows.dtype)
        precise = self.rows.double()
        mean = precise.mean(0)
        self._mean = mean.to(self.rows.dtype)
        covariance = precise.T @ precise / len(precise) - torch.outer(mean, mean)
        self._covariance = covariance.to(self.rows.dtype)

    def __call__(self, generator: torch.Generator | None = None) -> Tensor:
        """Class scores (N, K) with one draw of offsets."""
        net = self.net
        fused = self._fused()
        local = _convolve_rows(gather(fused, self._local_rows), net.local)
        branches = torch.cat([local, self._dynamic(fused, generator)], 1)
        windows = gather(self._normalized(branches), self.points.windows)
        return F.linear(
            F.relu(_convolve_rows(windows, net.classifier)), net.out.weight.flatten(1), net.out.bias
        )

    def _read(self, positions: Tensor) -> RowIndex:
        return row_index(raster_index(positions, self.size).flatten(), len(self.rows))

    def _fused(self) -> Tensor:
        """Fused features (H * W, C)."""
        layer = self.net.fuse
        weight = layer.weight.flatten(1)
        assert layer.bias is not None
        if self.net.norm == "none":
            return F.linear(self.rows, weight, layer.bias)
        mean = weight @ self._mean + layer.bias
        variance = ((weight @ self._covariance) * weight).sum(1)
        scale, shift = affine(self.net.fuse_norm, mean, variance)
        return F.linear(self.rows, weight * scale.unsqueeze(1), layer.bias * scale + shift).relu_()

    def _normalized(self, branches: Tensor) -> Tensor:
        """The branches (P, 2 * C) of the windows, out of all (Q, 2 * C)."""
        if self.net.norm == "none":
            return branches
        mean = self._share @ branches
        variance = self._share @ (branches - mean).square()
        scale, shift = affine(self.net.branch_norm, mean, variance)
        near = branches[: len(self.points.windows.starts)]
        return torch.addcmul(shift, near, scale).relu_()

    def _dynamic(self, fused: Tensor, generator: torch.Generator | None) -> Tensor:
        """The exchangeable branch (Q, C)."""
        layer = self.net.dynamic
        if isinstance(layer, DeformConv2d):
            return self._deformable(layer, fused)
        if isinstance(layer, nn.Conv2d):
            assert self._branch_rows is not None
            return _convolve_rows(gather(fused, self._branch_rows), layer)
        reach = _offsets(layer, self._steps.shape, self.size, self.rows.device, generator)
        y, x = torch.addcmul(self._centers, reach, self._steps).floor_()
        flat = y.clamp_(0, self.size[0] - 1).int().mul_(self.size[1])
        flat += x.clamp_(0, self.size[1] - 1).int()
        return _convolve_rows(gather(fused, row_index(flat, len(self.rows))), layer)

    def _deformable(self, layer: DeformConv2d, fused: Tensor) -> Tensor:
        """`DeformConv2d` at the points: its predictor and itself sample there only."""
        maps = fused.view(1, *self.size, -1).permute(0, 3, 1, 2)
        grid = positions_at(self.points.centres, self.taps, 1.0)
        predictor = layer.predictor
        predicted = sampled_conv2d(
            maps, predictor.weight, predictor.bias, positions=grid, border="zero"
        )
        branch = sampled_conv2d(
            maps,
            layer.weight,
            layer.bias,
            positions=grid + predicted.view(1, TAPS, 2, -1, 1),
            interpolation="bilinear",
            border="zero",
        )
        return branch[0, :, :, 0].T


def _convolve_rows(columns: Tensor, layer: nn.Conv2d | RandomLayer) -> Tensor:
    """A 3x3 convolution (P, Cout) of rows gathered for it (P * 9, Cin)."""
    matrix = layer.weight.permute(0, 2, 3, 1).flatten(1)  # (Cout, 9 * Cin)
    return F.linear(columns.view(-1, matrix.shape[1]), matrix, layer.bias)


def _offsets(
    layer: RandomLayer,
    shape: torch.Size,
    size: tuple[int, int],
    device: torch.device,
    generator: torch.Generator | None,
) -> Tensor:
    """Offsets in pixels of a map; without a generator from the layer's own stream."""
    side = float(min(size))
    generator = layer._generator(device) if generator is None else generator
    if isinstance(layer, UniformDynamicConv2d):
        low, high = layer.low * side, layer.high * side
        return uniform_offsets(shape, low, high, generator=generator, device=device)
    return half_gaussian_offsets(shape, layer.sigma * side, generator=generator, device=device)
