"""Scores at some pixels of several images side by side, each image with weights of its own.

For a few thousand labelled pixels it is far cheaper to read the rows that they depend on than to
compute whole maps: each score reads nine neighbours, and each of those nine positions a branch.
The layers are matrices (B, taps * in, out), so that one product serves all images. Branch "gdc"
without a norm; the fusion is done before, as it is not trained here.

Differentiable as often as wanted in the weights and in the map.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from saccade.models.scribble_net.gathering import TAPS, raster_index
from saccade.models.scribble_net.module import ScribbleNet
from saccade.ops import half_gaussian_offsets, round_positions, tap_directions

Weights = dict[str, Tensor]
"""The trained layers by name: matrices (B, taps * in, out), their biases (B, 1, out)."""

LAYERS = ("local", "dynamic", "classifier", "out")


def batched_scores(
    weights: Weights, rows: Tensor, size: tuple[int, int], pixels: Tensor, offsets: Tensor
) -> Tensor:
    """Class scores (B, N, K) at some pixels of each image.

    Args:
        weights: of each image; `weights_of` makes them from a network, `initial_weights` anew.
        rows: fused features (B, H * W, C) in raster order.
        size: (H, W).
        pixels: (B, N, 2), (y, x).
        offsets: (B, 9 * N, 9, 2), whole and >= 0, in pixels: the classifier's 3x3 convolution
            reads nine neighbours of each pixel, and each has offsets of its own for its nine taps.
            `whole_offsets` draws them.

    Example:
        >>> net, generator = ScribbleNet(in_channels=40, classes=2), torch.Generator()
        >>> rows = net.fused(torch.rand(1, 40, 48, 64)).flatten(2).mT
        >>> pixels = torch.tensor([[[3, 4], [47, 0], [9, 9]]])
        >>> offsets = whole_offsets((1, 9 * 3, 9, 2), 0.2 * 48, generator, rows.device)
        >>> batched_scores(weights_of(net), rows, (48, 64), pixels, offsets).shape
        torch.Size([1, 3, 2])
    """
    near, far = _branch_inputs(rows, size, neighbors(pixels), offsets)
    return scores_of_columns(weights, near, far)


def scores_of_columns(weights: Weights, near: Tensor, far: Tensor) -> Tensor:
    """Class scores (B, N, K) from what both branches read.

    Args:
        weights: of each image.
        near: (B, 9 * N, 9 * C), what the local branch reads at the 3x3 window of each pixel.
        far: (B, 9 * N, 9 * C), what the dynamic branch reads there.
    """
    local = _product(weights, "local", near)
    dynamic = _product(weights, "dynamic", far)
    windows = torch.cat([local, dynamic], 2).view(len(near), near.shape[1] // TAPS, -1)
    return _product(weights, "out", _product(weights, "classifier", windows).relu())


def whole_offsets(
    shape: tuple[int, ...], scale: float, generator: torch.Generator, device: torch.device
) -> Tensor:
    """Offsets |N(0, scale)| rounded to whole pixels, int64 (GDC paper, equation 3)."""
    offsets = half_gaussian_offsets(shape, scale, generator=generator, device=device)
    return round_positions(offsets, "nearest").long()


def initial_weights(
    channels: int,
    classes: int,
    *,
    hidden: int | None = None,
    batch: int = 1,
    generator: torch.Generator | None = None,
    device: torch.device | None = None,
) -> Weights:
    """A random start (He, uniform), the same for all ``batch`` images; biases are 0."""
    hidden = hidden or channels

    def sample(fan_in: int, *shape: int) -> Tensor:
        uniform = torch.rand(shape, generator=generator) * 2 - 1
        return (uniform * math.sqrt(3 / fan_in)).to(device).expand(batch, *shape)

    def zeros(width: int) -> Tensor:
        return torch.zeros(batch, 1, width, device=device)

    return {
        "local": sample(TAPS * channels, TAPS * channels, channels),
        "local_bias": zeros(channels),
        "dynamic": sample(TAPS * channels, TAPS * channels, channels),
        "dynamic_bias": zeros(channels),
        "classifier": sample(TAPS * channels, TAPS * 2 * channels, hidden),
        "classifier_bias": zeros(hidden),
        "out": sample(3 * hidden, hidden, classes),
        "out_bias": zeros(classes),
    }


def weights_of(net: ScribbleNet) -> Weights:
    """Copies of a network's trained layers, for a batch of one image."""
    weights: Weights = {}
    for name in LAYERS:
        layer = getattr(net, name)
        matrix = layer.weight.detach().permute(2, 3, 1, 0).flatten(0, 2)  # (taps * in, out)
        weights[name] = matrix.unsqueeze(0).clone()
        weights[f"{name}_bias"] = layer.bias.detach().view(1, 1, -1).clone()
    return weights


@torch.no_grad()
def load_weights(net: ScribbleNet, weights: Weights) -> None:
    """Write the weights of the first image into a network; inverse of `weights_of`."""
    for name in LAYERS:
        layer = getattr(net, name)
        outputs, inputs, height, width = layer.weight.shape
        matrix = weights[name][0].view(height, width, inputs, outputs)
        layer.weight.copy_(matrix.permute(3, 2, 0, 1))
        layer.bias.copy_(weights[f"{name}_bias"].view(-1))


def _product(weights: Weights, layer: str, inputs: Tensor) -> Tensor:
    return torch.baddbmm(weights[f"{layer}_bias"], inputs, weights[layer])


def neighbors(pixels: Tensor) -> Tensor:
    """The 3x3 windows (B, 9 * N, 2) around ``pixels`` (B, N, 2); some may be outside."""
    return (pixels.unsqueeze(2) + _directions(pixels.device)).flatten(1, 2)


def _branch_inputs(
    rows: Tensor, size: tuple[int, int], centres: Tensor, offsets: Tensor
) -> tuple[Tensor, Tensor]:
    """Columns (B, P, 9 * C) that the local and the dynamic branch read at ``centres`` (B, P, 2).

    Centres are moved into the map first: a neighbour outside is the border's pixel itself.
    """
    taps = _directions(rows.device)
    limit = torch.tensor([size[0] - 1, size[1] - 1], device=rows.device)
    centres = centres.clamp_min(0).minimum(limit).unsqueeze(2)
    near = _rows_at(rows, size, centres + taps)
    far = _rows_at(rows, size, centres + offsets * taps)
    return near.flatten(2), far.flatten(2)


def _rows_at(rows: Tensor, size: tuple[int, int], positions: Tensor) -> Tensor:
    """Rows of (B, H * W, C) at ``positions`` (B, P, 9, 2): (B, P, 9, C)."""
    first = torch.arange(len(rows), device=rows.device) * rows.shape[1]
    index = raster_index(positions, size) + first.view(-1, 1, 1)
    return rows.flatten(0, 1).index_select(0, index.flatten()).view(*index.shape, -1)


def _directions(device: torch.device) -> Tensor:
    return tap_directions(3, device=device, dtype=torch.long)
