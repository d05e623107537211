"""The light network as a module: the reference for its other forward paths.

GDC paper, figure 3 and section IV-A; the rival branches are those of tables I and VII. Deviation:
borders replicate instead of padding with zeros, as sampled positions are clamped to the map.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.errors import InputError
from saccade.models.norms import build_norm
from saccade.nn import DeformConv2d, GaussianDynamicConv2d, UniformDynamicConv2d

Branch = Literal["gdc", "normal", "dilated", "deformable", "uniform"]
BRANCHES: tuple[Branch, ...] = ("gdc", "normal", "dilated", "deformable", "uniform")
RANDOM_BRANCHES = ("gdc", "uniform")
"""Those that sample other positions in every draw."""

RandomLayer = GaussianDynamicConv2d | UniformDynamicConv2d
_Layer = RandomLayer | DeformConv2d | nn.Conv2d


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

    Example:
        >>> net = ScribbleNet(in_channels=40, classes=2)
        >>> net(torch.rand(1, 40, 48, 64)).shape
        torch.Size([1, 2, 48, 64])
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
        # Their own start is replaced and must not draw from the global random state. Layers without
        # memory (device "meta") would not draw at all, but take ten times as long to build.
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            self.fuse = nn.Conv2d(in_channels, channels, 1)
            self.fuse_norm = build_norm(norm, channels)
            self.local = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="replicate")
            self.dynamic: _Layer = _branch(branch, channels, sigma, dilation)
            self.branch_norm = build_norm(norm, 2 * channels)
            self.classifier = nn.Conv2d(
                2 * channels, hidden, 3, padding=1, padding_mode="replicate"
            )
            self.out = nn.Conv2d(hidden, classes, 1)
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
