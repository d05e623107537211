"""The light network of the GDC paper, figure 3, optimised on one image.

Frozen features -> 1x1 fusion -> a 3x3 convolution beside the branch under test (GDC, or one of its
rivals in table I and VII) -> 3x3 convolution, ReLU, 1x1 convolution. Deviation: borders replicate
instead of padding with zeros, as sampled positions are clamped to the map.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.errors import InputError
from saccade.nn import DeformConv2d, GaussianDynamicConv2d, UniformDynamicConv2d
from saccade.ops import (
    half_gaussian_offsets,
    positions_at,
    round_positions,
    sampled_conv2d,
    sampled_sum,
    tap_directions,
    tap_products,
    uniform_offsets,
)

Branch = Literal["gdc", "normal", "dilated", "deformable", "uniform"]
BRANCHES: tuple[Branch, ...] = ("gdc", "normal", "dilated", "deformable", "uniform")
RANDOM_BRANCHES = ("gdc", "uniform")


_Random = GaussianDynamicConv2d | UniformDynamicConv2d
_Layer = _Random | DeformConv2d | nn.Conv2d


class ScribbleNet(nn.Module):
    """Per-pixel classifier over frozen features, for one image.

    Args:
        in_channels: channels of the features, 40 for the paper's two groups.
        classes: K.
        channels: width of the fused features and of each branch.
        hidden: width of the classifier's 3x3 convolution.
        branch: "gdc", "normal", "dilated", "deformable" or "uniform".
        sigma: of "gdc", as a share of the map's shortest side.
        dilation: of "dilated".
        norm: "none", "batch" or "group" normalisation and ReLU after fusion and both branches.
        generator: source of the initial weights; the global state where None.

    Raises:
        InputError: an unknown branch or norm.
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        *,
        channels: int = 16,
        hidden: int = 16,
        branch: Branch = "gdc",
        sigma: float = 0.2,
        dilation: int = 6,
        norm: str = "none",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.branch, self.norm = branch, norm
        self.sigma, self.dilation = sigma, dilation
        # Layers without memory: their own start would draw from the global random state.
        with torch.device("meta"):
            self.fuse = nn.Conv2d(in_channels, channels, 1)
            self.fuse_norm = _norm(norm, channels)
            self.local = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="replicate")
            self.dynamic: _Layer = _branch(branch, channels, sigma, dilation)
            self.branch_norm = _norm(norm, 2 * channels)
            self.classifier = nn.Conv2d(
                2 * channels, hidden, 3, padding=1, padding_mode="replicate"
            )
            self.out = nn.Conv2d(hidden, classes, 1)
        self.to_empty(device="cpu")
        self._start(generator)

    def _start(self, generator: torch.Generator | None) -> None:
        # Fan-in scaling for linear layers; the layers draw from one stream, so a seed fixes all.
        for name, parameter in self.named_parameters():
            with torch.no_grad():
                if "norm" in name and name.endswith("weight"):
                    parameter.fill_(1)
                elif parameter.ndim == 1 or "predictor" in name:
                    parameter.zero_()
                else:
                    bound = math.sqrt(3 / parameter[0].numel())
                    parameter.uniform_(-bound, bound, generator=generator)

    def fused(self, features: Tensor) -> Tensor:
        """Fusion of (B, Cin, H, W) to (B, C, H, W)."""
        fused: Tensor = self.fuse_norm(self.fuse(features))
        return fused

    def forward(self, features: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """Class scores (B, K, H, W) of ``features`` (B, Cin, H, W), with one draw of offsets."""
        fused = self.fused(features)
        random = self.branch in RANDOM_BRANCHES
        dynamic = self.dynamic(fused, generator=generator) if random else self.dynamic(fused)
        return self.classify(torch.cat([self.local(fused), dynamic], 1))

    def classify(self, branches: Tensor) -> Tensor:
        """Class scores (B, K, H, W) from both branches (B, 2 * C, H, W)."""
        scores: Tensor = self.out(F.relu(self.classifier(self.branch_norm(branches))))
        return scores

    def scores_at(
        self, features: Tensor, pixels: Tensor, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Class scores (N, K) at ``pixels`` (N, 2), (y, x), of one image (1, Cin, H, W).

        The same function as `forward`, evaluated only at the pixels' neighbourhoods. With batch
        or group norm the whole map is needed, and is computed.
        """
        if self.norm != "none":
            scores = self.forward(features, generator=generator)[0]
            return scores[:, pixels[:, 0], pixels[:, 1]].T
        fused = self.fused(features)
        height, width = fused.shape[2:]
        limit = torch.tensor([height - 1, width - 1], device=pixels.device)
        taps = tap_directions(3, device=pixels.device)
        around = (pixels.unsqueeze(1) + taps.long()).clamp_min(0).minimum(limit)
        flat = around[..., 0] * width + around[..., 1]
        unique, inverse = torch.unique(flat, return_inverse=True)
        centres = torch.stack([unique // width, unique % width], 1)
        local = sampled_conv2d(
            fused, self.local.weight, self.local.bias, positions=positions_at(centres, taps, 1.0)
        )
        dynamic = self._dynamic_at(fused, centres, taps, generator)
        branches = torch.cat([local, dynamic], 1)[0, :, :, 0]  # (2C, P)
        windows = branches.T[inverse].transpose(1, 2).flatten(1)  # (N, 2C * 9)
        hidden = F.relu(F.linear(windows, self.classifier.weight.flatten(1), self.classifier.bias))
        return F.linear(hidden, self.out.weight.flatten(1), self.out.bias)

    def _dynamic_at(
        self, fused: Tensor, centres: Tensor, taps: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        """The exchangeable branch at ``centres`` (P, 2): (1, C, P, 1)."""
        layer = self.dynamic
        if isinstance(layer, DeformConv2d):
            return _deformable_at(layer, fused, centres, taps)
        if isinstance(layer, nn.Conv2d):
            positions = positions_at(centres, taps, float(layer.dilation[0]))
        else:
            offsets = _offsets(layer, centres, fused, generator)
            positions = round_positions(positions_at(centres, taps, offsets), "nearest")
        return sampled_conv2d(fused, layer.weight, layer.bias, positions=positions)

    def draws(self, features: Tensor) -> Draws:
        """The deterministic part, computed once, ready for many draws (no gradient)."""
        return Draws(self, features)


class Draws:
    """Many draws of one network on one image: only what is random is computed again."""

    def __init__(self, net: ScribbleNet, features: Tensor) -> None:
        self.net = net
        with torch.no_grad():
            self._fused = net.fused(features)
            self._local = net.local(self._fused)
            if isinstance(net.dynamic, _Random):
                self._products = tap_products(self._fused, net.dynamic.weight)
            # Without a norm in between, the classifier's convolution is linear in both branches.
            self._split = net.norm == "none"
            if self._split:
                self._local = _convolve(net.classifier, self._local, 0) + _column(net.classifier)

    @torch.no_grad()
    def scores(self, generator: torch.Generator | None = None) -> Tensor:
        """Class scores (1, K, H, W) of a new draw."""
        layer = self.net.dynamic
        if isinstance(layer, _Random):
            positions = layer.draw(self._fused, generator)
            dynamic = sampled_sum(self._products, layer.bias, positions=positions)
        else:
            dynamic = layer(self._fused)
        if not self._split:
            return self.net.classify(torch.cat([self._local, dynamic], 1))
        hidden = _convolve(self.net.classifier, dynamic, dynamic.shape[1]).add_(self._local)
        scores: Tensor = self.net.out(hidden.relu_())
        return scores


def _convolve(layer: nn.Conv2d, maps: Tensor, first: int) -> Tensor:
    """What ``maps``, input channels ``first`` and on, add to a 3x3 convolution, without bias."""
    weight = layer.weight[:, first : first + maps.shape[1]]
    return F.conv2d(F.pad(maps, (1, 1, 1, 1), mode="replicate"), weight)


def _column(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias.view(1, -1, 1, 1)


def _offsets(
    layer: _Random, centres: Tensor, fused: Tensor, generator: torch.Generator | None
) -> Tensor:
    """Offsets (P, 9, 2) in pixels; without a generator from the layer's own stream."""
    size = (len(centres), 9, 2)
    device, side = fused.device, float(min(fused.shape[2:]))
    generator = layer._generator(device) if generator is None else generator
    if isinstance(layer, UniformDynamicConv2d):
        low, high = layer.low * side, layer.high * side
        return uniform_offsets(size, low, high, generator=generator, device=device)
    return half_gaussian_offsets(size, layer.sigma * side, generator=generator, device=device)


def _deformable_at(layer: DeformConv2d, fused: Tensor, centres: Tensor, taps: Tensor) -> Tensor:
    """`DeformConv2d` at chosen centres: its predictor and itself sample there only."""
    grid = positions_at(centres, taps, 1.0)
    predicted = sampled_conv2d(
        fused, layer.predictor.weight, layer.predictor.bias, positions=grid, border="zero"
    )
    offset = predicted.view(1, len(taps), 2, -1, 1)
    return sampled_conv2d(
        fused,
        layer.weight,
        layer.bias,
        positions=grid + offset,
        interpolation="bilinear",
        border="zero",
    )


def _branch(branch: Branch, channels: int, sigma: float, dilation: int) -> _Layer:
    if branch == "gdc":
        return GaussianDynamicConv2d(channels, channels, sigma=sigma, seed=0)
    if branch == "uniform":
        return UniformDynamicConv2d(channels, channels, seed=0)
    if branch == "deformable":
        return DeformConv2d(channels, channels)
    if branch in ("normal", "dilated"):
        rate = dilation if branch == "dilated" else 1
        return nn.Conv2d(
            channels, channels, 3, padding=rate, dilation=rate, padding_mode="replicate"
        )
    raise InputError(f"branch {branch!r} is unknown, use one of {', '.join(BRANCHES)}")


class _GroupNorm(nn.GroupNorm):
    """Group normalisation that takes maps of a single pixel too."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


def _norm(norm: str, channels: int) -> nn.Module:
    if norm == "none":
        return nn.Identity()
    if norm == "batch":
        # Statistics of each image: it is the only one that its network ever sees.
        return nn.Sequential(_GroupNorm(channels, channels), nn.ReLU())
    if norm == "group":
        return nn.Sequential(_GroupNorm(math.gcd(4, channels), channels), nn.ReLU())
    raise InputError(f"norm {norm!r} is unknown, use none, batch or group")
