"""Scores of many draws of a fitted network: only what is random is computed again.

Both branches are normalised channel by channel or in groups that do not span them, and the
classifier's convolution is linear in them, so the fixed branch passes through it once.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.models.norms import affine
from saccade.models.scribble_net.gathering import TAPS
from saccade.models.scribble_net.module import RandomLayer, ScribbleNet
from saccade.nn import UniformDynamicConv2d
from saccade.ops import sampled_sum, tap_directions, tap_products
from saccade.ops.quasi import half_gaussian_quantiles, lattice_uniforms

SEQUENCES = 4096
"""Sequences of evenly spread offsets, from which each tap of each pixel takes one."""


class ScoresOfDraws:
    """Class scores of whole maps for many draws of the sampling positions (no gradient).

    Args:
        net: the network; its parameters must not change afterwards.
        features: (1, Cin, H, W).
        fused: the network's fusion of them (1, C, H, W), where it is known already.

    Example:
        >>> net, generator = ScribbleNet(in_channels=40, classes=2), torch.Generator()
        >>> draws = ScoresOfDraws(net, torch.rand(1, 40, 48, 64))
        >>> prediction = sum(scores.softmax(1) for scores in draws.even(4, generator)) / 4
        >>> prediction.shape
        torch.Size([1, 2, 48, 64])
    """

    @torch.no_grad()
    def __init__(self, net: ScribbleNet, features: Tensor, fused: Tensor | None = None) -> None:
        self.net = net
        self._size = (features.shape[2], features.shape[3])
        fused = net.fused(features) if fused is None else fused
        self._fused = fused.contiguous(memory_format=torch.channels_last)
        self._canvas = features.new_empty(
            self._size[0] + 2, self._size[1] + 2, self._fused.shape[1]
        )
        if isinstance(net.dynamic, RandomLayer):
            self._products = tap_products(self._fused, net.dynamic.weight)
        local = self._convolved(_as_rows(net.local(self._fused)), 0)
        assert net.classifier.bias is not None
        self._local = local + net.classifier.bias

    def independent(self, count: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Class scores (1, K, H, W) of ``count`` draws, one after the other."""
        for _ in range(count):
            yield self._independent(generator)

    @torch.no_grad()
    def _independent(self, generator: torch.Generator) -> Tensor:
        layer = self.net.dynamic
        if not isinstance(layer, RandomLayer):
            return self._scores(_as_rows(layer(self._fused)))
        positions = layer.draw(self._fused, generator)
        dynamic = sampled_sum(self._products, layer.bias, positions=positions)
        return self._scores(_as_rows(dynamic))

    def even(self, count: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Class scores (1, K, H, W) of ``count`` draws whose offsets are spread evenly.

        Each is distributed as any draw; together they differ less from the mean of infinitely many
        than independent ones, see `saccade.ops.quasi`. Without chance, all are the same.
        """
        layer = self.net.dynamic
        if not isinstance(layer, RandomLayer):
            yield from self.independent(count, generator)
            return
        table = self._products.view(-1, self._products.shape[-1])
        for bags in _even_bags(layer, self._size, count, generator, table.device):
            with torch.no_grad():  # not around the loop: what the caller does is his
                dynamic = F.embedding_bag(bags, table, mode="sum")
                scores = self._scores(dynamic if layer.bias is None else dynamic.add_(layer.bias))
            yield scores

    def _scores(self, dynamic: Tensor) -> Tensor:
        """Class scores (1, K, H, W) from the exchangeable branch (H * W, C)."""
        out = self.net.out
        hidden = self._convolved(dynamic, dynamic.shape[1]).add_(self._local).relu_()
        assert out.bias is not None
        scores = torch.addmm(out.bias.unsqueeze(1), out.weight.flatten(1), hidden.T)
        return scores.view(1, -1, *self._size)

    def _convolved(self, branch: Tensor, first: int) -> Tensor:
        """What a branch (H * W, C), channels ``first`` and on, adds to the classifier's 3x3.

        Returns:
            (H * W, hidden), without the bias.
        """
        channels = slice(first, first + branch.shape[1])
        inside = self._canvas[1:-1, 1:-1]
        if self.net.norm == "none":
            inside.copy_(branch.view_as(inside))
        else:
            mean = branch.mean(0)  # torch.var_mean takes ten times as long along this axis
            variance = (branch - mean).square_().mean(0)
            scale, shift = affine(self.net.branch_norm, mean, variance, channels)
            torch.addcmul(shift, branch.view_as(inside), scale, out=inside)
            inside.relu_()
        _replicate_border(self._canvas)
        maps = self._canvas.permute(2, 0, 1).unsqueeze(0)  # channels-last
        weight = self.net.classifier.weight[:, channels]
        return _as_rows(F.conv2d(maps, weight.contiguous(memory_format=torch.channels_last)))


def _even_bags(
    layer: RandomLayer,
    size: tuple[int, int],
    count: int,
    generator: torch.Generator,
    device: torch.device,
) -> Iterator[Tensor]:
    """Rows (H * W, 9) of the table (H * W * 9, C) of tap products, for one draw after the other."""
    height, width = size
    taps = tap_directions(3, device=device, dtype=torch.int32)
    tap = torch.arange(TAPS, device=device, dtype=torch.int32).repeat(height * width)
    # All at full length: arithmetic on whole numbers that broadcasts nine of them is slow.
    pixel = torch.arange(height * width, device=device, dtype=torch.int32).repeat_interleave(TAPS)
    y, x = pixel // width, pixel % width
    sequence = torch.randint(
        SEQUENCES, tap.shape, generator=generator, device=generator.device, dtype=torch.int32
    )
    chosen = sequence.to(device).mul_(TAPS).add_(tap)
    uniforms = lattice_uniforms(count, SEQUENCES, generator=generator, device=device)
    offsets = (_quantiles(layer, uniforms, float(min(size))) + 0.5).floor_().int()
    for offset in offsets:  # (R, 2)
        steps = (offset.unsqueeze(1) * taps).view(-1, 2)  # (R * 9, 2)
        rows = steps[:, 0].contiguous().index_select(0, chosen).add_(y).clamp_(0, height - 1)
        columns = steps[:, 1].contiguous().index_select(0, chosen).add_(x).clamp_(0, width - 1)
        flat = torch.add(tap, rows, alpha=width * TAPS).add_(columns, alpha=TAPS)
        yield flat.view(-1, TAPS)


def _quantiles(layer: RandomLayer, uniforms: Tensor, side: float) -> Tensor:
    """Offsets in pixels of a map whose shortest side is given."""
    if isinstance(layer, UniformDynamicConv2d):
        return uniforms * ((layer.high - layer.low) * side) + layer.low * side
    return half_gaussian_quantiles(uniforms, layer.sigma * side)


def _replicate_border(canvas: Tensor) -> None:
    """Fill the outermost pixels of ``canvas`` (H + 2, W + 2, C) with their neighbours inside."""
    canvas[0], canvas[-1] = canvas[1], canvas[-2]
    canvas[:, 0], canvas[:, -1] = canvas[:, 1], canvas[:, -2]


def _as_rows(maps: Tensor) -> Tensor:
    """(1, C, H, W) as (H * W, C), without a copy where it is channels-last."""
    return maps[0].permute(1, 2, 0).reshape(-1, maps.shape[1])
