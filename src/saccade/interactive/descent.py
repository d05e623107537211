"""Fitting the light network from a random start, as the GDC paper does (section V-A)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.interactive.fitting import PAPER_CHANNELS, Step
from saccade.interactive.presets import DescentSettings, NetworkSettings
from saccade.interactive.scene import Scene, shrink_strokes
from saccade.models.scribble_net import ScoresAtPixels, ScribbleNet
from saccade.scribbles.superpixels import expand_strokes, superpixels

_GLANCES = 4
"""A watcher sees the network at the ends of all but the last of so many parts of the steps."""


@torch.enable_grad()
def fit_descent(
    scene: Scene,
    strokes: NDArray[np.integer],
    classes: int,
    settings: DescentSettings,
    network: NetworkSettings,
    *,
    generator: torch.Generator,
    step: Step,
    warm: ScribbleNet | None = None,
    watch: Callable[[ScribbleNet], None] | None = None,
) -> ScribbleNet:
    """Optimise from a random start (GDC paper, section V-A, equations 5 and 6).

    ``strokes`` (H, W) are at the full size, values outside of [0, K) where nobody drew. A ``warm``
    network is changed. ``watch`` is given the half fitted network a few times.
    """
    device = scene.maps.device
    maps = scene.maps[:, :PAPER_CHANNELS]
    net = warm or ScribbleNet(
        maps.shape[1],
        classes,
        channels=network.channels,
        hidden=network.hidden,
        branch=network.branch,
        sigma=network.sigma,
        dilation=network.dilation,
        norm=network.norm,
        generator=torch.Generator().manual_seed(generator.initial_seed()),
    ).to(device)
    labels = training_labels(scene, strokes, classes, settings)
    pixels = torch.from_numpy(np.argwhere(labels < classes)).to(device)
    targets = torch.from_numpy(labels[labels < classes]).to(device)
    weight = class_weights(targets, classes, settings.class_weight)
    scores = ScoresAtPixels(net, maps, pixels, generator=generator)
    optimizer = _optimizer(net, settings)
    glances = {settings.steps * part // _GLANCES for part in range(1, _GLANCES)}
    for done in range(settings.steps):
        loss = F.cross_entropy(scores(generator), targets, weight)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if settings.optimizer == "adam":
            optimizer.param_groups[0]["lr"] = settings.lr * (1 - (done + 1) / settings.steps) ** 0.9
        if not step((done + 1) / settings.steps):
            break
        if watch is not None and done + 1 in glances:
            watch(net)
    return net


def training_labels(
    scene: Scene, strokes: NDArray[np.integer], classes: int, settings: DescentSettings
) -> NDArray[np.int64]:
    """Labels at half size, K where there is none, grown to superpixels where settings say so."""
    if not settings.superpixels:
        return shrink_strokes(strokes, classes, scene.half)
    small = shrink_strokes(strokes, classes, scene.work)
    segments = superpixels(
        scene.small,
        pixels_per_segment=settings.pixels_per_superpixel,
        compactness=settings.compactness,
    )
    grown = expand_strokes(small, segments, classes, conflict=settings.conflict)
    return shrink_strokes(grown, classes, scene.half)


def class_weights(targets: Tensor, classes: int, rule: str) -> Tensor:
    """Weight of each class (K,): N / (K n_c), n_c / N as the paper prints (eq. 6), or 1."""
    counts = torch.bincount(targets, minlength=classes).float()
    if rule == "paper":
        return counts / counts.sum()
    if rule == "none":
        return torch.ones_like(counts)
    return counts.sum() / (classes * counts.clamp_min(1))


def _optimizer(net: nn.Module, settings: DescentSettings) -> torch.optim.Optimizer:
    if settings.optimizer == "adam":
        return torch.optim.Adam(net.parameters(), lr=settings.lr)
    return torch.optim.SGD(
        net.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
