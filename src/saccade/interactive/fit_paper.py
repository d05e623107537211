"""Fitting the light network from a random start, as the GDC paper does (section V-A).

Deviation: Adam and other class weights may be asked for; see `PaperFitSettings`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.interactive.presets import NetworkSettings, PaperFitSettings
from saccade.interactive.run import Step
from saccade.models.scribble_net import ScoresAtPixels, ScribbleNet

_PREVIEWS = 4
"""The network is shown at the ends of all but the last of so many parts of the steps."""


@torch.enable_grad()
def fit_paper(
    features: Tensor,
    labels: Tensor,
    classes: int,
    settings: PaperFitSettings,
    network: NetworkSettings,
    *,
    generator: torch.Generator,
    step: Step = lambda _: True,
    warm_start: ScribbleNet | None = None,
    watch: Callable[[ScribbleNet], None] | None = None,
) -> ScribbleNet:
    """Optimize from a random start (GDC paper, section V-A, equations 5 and 6).

    Args:
        features: (1, C, h, w) of the frozen extractor.
        labels: (h, w) class index, K where there is no label.
        classes: K.
        settings: of the optimisation.
        network: what is built.
        generator: of the offsets; its seed decides the start.
        step: progress; its False ends the fit early.
        warm_start: a network to go on from, which is changed.
        watch: given the half fitted network a few times.

    >>> labels = torch.full((8, 9), 2)
    >>> labels[1, 1:5], labels[6, 3:8] = 0, 1
    >>> net = fit_paper(torch.rand(1, 40, 8, 9), labels, 2, PaperFitSettings(steps=2),
    ...                 NetworkSettings(), generator=torch.Generator().manual_seed(0))
    >>> net(torch.rand(1, 40, 8, 9)).shape
    torch.Size([1, 2, 8, 9])
    """
    net = warm_start or random_net(
        network, features.shape[1], classes, seed=generator.initial_seed()
    ).to(features.device)
    pixels, targets = (labels < classes).nonzero(), labels[labels < classes]
    weight = class_weights(targets, classes, settings.class_weight)
    sample = settings.statistics or labels.numel()
    scores = ScoresAtPixels(net, features, pixels, sample=sample, generator=generator)
    optimizer = _optimizer(net, settings)
    previews = {settings.steps * part // _PREVIEWS for part in range(1, _PREVIEWS)}
    for done in range(settings.steps):
        loss = F.cross_entropy(scores(generator), targets, weight)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if settings.optimizer == "adam":
            optimizer.param_groups[0]["lr"] = settings.lr * (1 - (done + 1) / settings.steps) ** 0.9
        if not step((done + 1) / settings.steps):
            break
        if watch is not None and done + 1 in previews:
            watch(net)
    return net


def random_net(network: NetworkSettings, inputs: int, classes: int, *, seed: int) -> ScribbleNet:
    """The light network at a random start, on the CPU.

    >>> random_net(NetworkSettings(), 40, 3, seed=0)(torch.rand(1, 40, 8, 9)).shape
    torch.Size([1, 3, 8, 9])
    """
    return ScribbleNet(
        inputs,
        classes,
        channels=network.channels,
        hidden=network.hidden,
        branch=network.branch,
        sigma=network.sigma,
        dilation=network.dilation,
        norm=network.norm,
        generator=torch.Generator().manual_seed(seed),
    )


def class_weights(targets: Tensor, classes: int, rule: str) -> Tensor:
    """Weight of each class (K,): N / (K n_c), n_c / N as the paper prints (eq. 6), or 1.

    >>> class_weights(torch.tensor([0, 0, 0, 1]), 2, "inverse")
    tensor([0.6667, 2.0000])
    """
    counts = torch.bincount(targets, minlength=classes).float()
    if rule == "paper":
        return counts / counts.sum()
    if rule == "none":
        return torch.ones_like(counts)
    return counts.sum() / (classes * counts.clamp_min(1))


def _optimizer(net: nn.Module, settings: PaperFitSettings) -> torch.optim.Optimizer:
    if settings.optimizer == "adam":
        return torch.optim.Adam(net.parameters(), lr=settings.lr)
    return torch.optim.SGD(
        net.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
