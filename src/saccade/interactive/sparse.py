"""The light network evaluated only where a loss needs it, for many images side by side.

The dense network is :class:`saccade.models.ScribbleNet`. Up to the classifier's ReLU it is linear
and each output pixel depends on nine neighbours of nine taps each, so for a few thousand labelled
pixels it is far cheaper to gather those rows than to run it on the whole map. Every tensor has a
leading axis B, one entry an image with weights of its own.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.ops import tap_directions

Weights = dict[str, Tensor]

TAPS = 9


def directions(device: torch.device | None = None) -> Tensor:
    """The basis e of equation 1 for a 3x3 kernel, (9, 2) whole (y, x), row-major."""
    return tap_directions(3, device=device, dtype=torch.long)


def gather_rows(rows: Tensor, size: tuple[int, int], positions: Tensor) -> Tensor:
    """Rows (B, H*W, C) at ``positions`` (B, ..., 2), (y, x) integers clamped to the map."""
    height, width = size
    y = positions[..., 0].clamp(0, height - 1)
    x = positions[..., 1].clamp(0, width - 1)
    batch = torch.arange(rows.shape[0], device=rows.device)
    flat = y * width + x + (batch * rows.shape[1]).view(-1, *[1] * (y.ndim - 1))
    picked = rows.reshape(-1, rows.shape[2]).index_select(0, flat.reshape(-1))
    return picked.view(*y.shape, rows.shape[2])


def branch_inputs(
    rows: Tensor, size: tuple[int, int], centres: Tensor, offsets: Tensor
) -> tuple[Tensor, Tensor]:
    """What the GDC module's two branches read at ``centres``.

    Args:
        rows: fused features (B, H*W, C).
        size: (H, W) of the map.
        centres: (B, P, 2), (y, x); clamped to the map, which replicates its border.
        offsets: (B, P, 9, 2), the rounded offset of every tap, >= 0, in pixels.

    Returns:
        Columns (B, P, 9 * C) of the local and of the dynamic branch.
    """
    taps = directions(rows.device)
    limit = torch.tensor([size[0] - 1, size[1] - 1], device=rows.device)
    centres = centres.clamp_min(0).minimum(limit).unsqueeze(2)
    near = gather_rows(rows, size, centres + taps)
    far = gather_rows(rows, size, centres + offsets * taps)
    return near.flatten(2), far.flatten(2)


def around(pixels: Tensor) -> Tensor:
    """The nine neighbours (B, 9 * N, 2) that the classifier's convolution reads at (B, N, 2)."""
    return (pixels.unsqueeze(2) + directions(pixels.device)).flatten(1, 2)


def sparse_logits(
    weights: Weights, rows: Tensor, size: tuple[int, int], pixels: Tensor, offsets: Tensor
) -> Tensor:
    """Class scores (B, N, K) at ``pixels`` (B, N, 2).

    ``offsets`` is (B, 9 * N, 9, 2): the classifier's 3x3 convolution reads nine neighbours of each
    pixel, and each of them is a convolution position with offsets of its own.
    """
    near, far = branch_inputs(rows, size, around(pixels), offsets)
    local = near @ weights["local"] + weights["local_bias"]
    dynamic = far @ weights["dynamic"] + weights["dynamic_bias"]
    return classify(weights, torch.cat([local, dynamic], 2).view(*pixels.shape[:2], -1))


def classify(weights: Weights, neighbourhoods: Tensor) -> Tensor:
    """Scores (B, N, K) from the branches of nine neighbours, (B, N, 9 * 2 * C)."""
    hidden = F.relu(neighbourhoods @ weights["classifier"] + weights["classifier_bias"])
    return hidden @ weights["out"] + weights["out_bias"]


@torch.no_grad()
def loss_gradients(
    weights: Weights,
    rows: Tensor,
    size: tuple[int, int],
    pixels: Tensor,
    offsets: Tensor,
    targets: Tensor,
    share: Tensor,
) -> Weights:
    """Gradients of a weighted cross entropy of `sparse_logits`, written out.

    The network is four matrix products, of which autograd's bookkeeping takes most of the time.

    Args:
        weights: all of the network's tensors.
        rows: as for `sparse_logits`.
        size: likewise.
        pixels: likewise.
        offsets: likewise.
        targets: class (B, N) of each pixel.
        share: weight (B, N) of each pixel in the loss.
    """
    near, far = branch_inputs(rows, size, around(pixels), offsets)
    local = torch.baddbmm(weights["local_bias"], near, weights["local"])
    dynamic = torch.baddbmm(weights["dynamic_bias"], far, weights["dynamic"])
    windows = torch.cat([local, dynamic], 2).view(*pixels.shape[:2], -1)
    hidden = torch.baddbmm(weights["classifier_bias"], windows, weights["classifier"]).relu_()
    scores = torch.baddbmm(weights["out_bias"], hidden, weights["out"])
    index = targets.unsqueeze(2)
    to_scores = scores.softmax(2).scatter_add_(2, index, -scores.new_ones(()).expand_as(index))
    to_scores.mul_(share.unsqueeze(2))
    to_hidden = (to_scores @ weights["out"].mT).mul_(hidden > 0)
    to_branches = (to_hidden @ weights["classifier"].mT).view(*near.shape[:2], -1)
    to_local, to_dynamic = to_branches.tensor_split(2, 2)
    gradients = {}
    for name, inputs, slope in (
        ("local", near, to_local),
        ("dynamic", far, to_dynamic),
        ("classifier", windows, to_hidden),
        ("out", hidden, to_scores),
    ):
        gradients[name] = inputs.mT @ slope
        gradients[f"{name}_bias"] = slope.sum(1, keepdim=True)
    return gradients


def initial_weights(
    channels: int,
    classes: int,
    *,
    hidden: int | None = None,
    batch: int = 1,
    generator: torch.Generator | None = None,
    device: torch.device | None = None,
) -> Weights:
    """He-uniform start of the trainable layers, ``batch`` times the same draw."""
    hidden = hidden or channels

    def draw(fan_in: int, *shape: int) -> Tensor:
        uniform = torch.rand(shape, generator=generator) * 2 - 1
        return (uniform * math.sqrt(3 / fan_in)).to(device).expand(batch, *shape)

    def zeros(width: int) -> Tensor:
        return torch.zeros(batch, 1, width, device=device)

    return {
        "local": draw(TAPS * channels, TAPS * channels, channels),
        "local_bias": zeros(channels),
        "dynamic": draw(TAPS * channels, TAPS * channels, channels),
        "dynamic_bias": zeros(channels),
        "classifier": draw(TAPS * channels, TAPS * 2 * channels, hidden),
        "classifier_bias": zeros(hidden),
        "out": draw(3 * hidden, hidden, classes),
        "out_bias": zeros(classes),
    }
