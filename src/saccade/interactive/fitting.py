"""Fitting the light network to one image: from the learned start, or as the paper does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.interactive.adapt import adapt, labelled_pixels
from saccade.interactive.presets import DescentSettings, LearnedSettings, NetworkSettings
from saccade.interactive.scene import Scene, shrink_strokes
from saccade.interactive.sparse import Weights
from saccade.models.scribble_net import ScribbleNet
from saccade.models.weights import Bundle
from saccade.scribbles.superpixels import expand_strokes, superpixels

Step = Callable[[float], bool]
"""Told the fraction done after each step; answers whether to go on."""

PAPER_CHANNELS = 40


@torch.enable_grad()
def fit_learned(
    scene: Scene,
    marks: Tensor,
    classes: int,
    settings: LearnedSettings,
    *,
    sigma: float,
    generator: torch.Generator,
    step: Step,
    warm: ScribbleNet | None = None,
) -> ScribbleNet:
    """Adapt the bundled start to the strokes.

    Args:
        scene: the image.
        marks: strokes at half size (h, w), K where nobody drew.
        classes: K.
        settings: of the preset.
        sigma: standard deviation of the offsets.
        generator: of the drawn pixels and offsets.
        step: progress; its False ends the fit early.
        warm: a network fitted before, to go on from; it is changed.
    """
    net = warm or bundled_net(scene, classes, sigma)
    with torch.no_grad():
        rows = net.fused(scene.maps).flatten(2).transpose(1, 2).contiguous()
    labelled = labelled_pixels(marks[None], classes)
    weights = {k: v.requires_grad_() for k, v in weights_of(net).items()}
    rates = {k: v.exp().to(rows.device) for k, v in scene.bundle.rates.items()}
    total = len(next(iter(rates.values())))
    # Few classes leave room for more pixels of each at the same cost.
    per_class = max(16, 2 * settings.per_class // classes)
    first = total // 2 if warm else 0
    more = total // 2 if warm else total * (settings.repeats - 1)
    schedule = [*range(first, total), *[total - 1] * more]
    for done, index in enumerate(schedule):
        one = {k: v[index : index + 1] for k, v in rates.items()}
        weights = adapt(
            weights,
            one,
            rows,
            scene.half,
            labelled,
            sigma=sigma,
            per_class=per_class,
            generator=generator,
        )
        if not step((done + 1) / len(schedule)):
            break
    load_weights(net, weights)
    return net


def bundled_net(scene: Scene, classes: int, sigma: float) -> ScribbleNet:
    """The network at the bundled start, no class preferred."""
    bundle: Bundle = scene.bundle
    channels, inputs = bundle.fuse.weight.shape[:2]
    hidden = bundle.start["classifier"].shape[1]
    net = ScribbleNet(
        inputs,
        classes,
        channels=channels,
        hidden=hidden,
        sigma=sigma,
        generator=torch.Generator(),  # all it draws is replaced
    )
    net.fuse.load_state_dict(bundle.fuse.state_dict())
    start = {k: v.unsqueeze(0) for k, v in bundle.start.items()}
    start["out"] = torch.zeros(1, hidden, classes)
    start["out_bias"] = torch.zeros(1, 1, classes)
    load_weights(net, start)
    return net.to(scene.maps.device)


_LAYERS = {"local": "local", "dynamic": "dynamic", "classifier": "classifier", "out": "out"}


def weights_of(net: ScribbleNet) -> Weights:
    """The trainable layers as matrices with a leading axis of one image; inverse of below."""
    out: Weights = {}
    for name in _LAYERS:
        layer = getattr(net, name)
        matrix = layer.weight.detach().permute(2, 3, 1, 0).flatten(0, 2)  # (taps * in, out)
        out[name] = matrix.unsqueeze(0).clone()
        out[f"{name}_bias"] = layer.bias.detach().view(1, 1, -1).clone()
    return out


def load_weights(net: ScribbleNet, weights: Weights) -> None:
    """Write matrices (1, taps * in, out) and biases (1, 1, out) into the network's layers."""
    with torch.no_grad():
        for name in _LAYERS:
            layer = getattr(net, name)
            outputs, inputs, high, wide = layer.weight.shape
            matrix = weights[name].detach()[0].view(high, wide, inputs, outputs)
            layer.weight.copy_(matrix.permute(3, 2, 0, 1))
            layer.bias.copy_(weights[f"{name}_bias"].detach().view(-1))


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
) -> ScribbleNet:
    """Optimise from a random start (GDC paper, section V-A, equations 5 and 6).

    ``strokes`` (H, W) are at the full size, values outside of [0, K) where nobody drew. A ``warm``
    network is changed.
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
    optimizer = _optimizer(net, settings)
    for done in range(settings.steps):
        scores = net.scores_at(maps, pixels, generator=generator)
        loss = F.cross_entropy(scores, targets, weight)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if settings.optimizer == "adam":
            optimizer.param_groups[0]["lr"] = settings.lr * (1 - (done + 1) / settings.steps) ** 0.9
        if not step((done + 1) / settings.steps):
            break
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
