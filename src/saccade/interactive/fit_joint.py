"""Fitting one light network to the strokes of several images by the learned steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from saccade.interactive.fit_learned import bundled_net, learned_steps
from saccade.interactive.meta_steps import gradients_of, step_down
from saccade.interactive.presets import LearnedFitSettings
from saccade.interactive.run import Step
from saccade.models.scribble_net import ScribbleNet
from saccade.models.scribble_net.batched import load_weights, weights_of
from saccade.models.scribble_net.gathering import TAPS
from saccade.models.scribble_net.joint import joint_scores, row_table
from saccade.models.weights import Bundle
from saccade.ops import half_gaussian_offsets, round_positions

Labeled = tuple[Tensor, Tensor]
"""Fused features (1, C, h, w) of an image, and its labels (h, w)."""


def fit_jointly(
    images: Sequence[Labeled],
    classes: int,
    bundle: Bundle,
    settings: LearnedFitSettings,
    *,
    sigma: float,
    generator: torch.Generator,
    step: Step = lambda _: True,
) -> ScribbleNet:
    """`fit_learned` for several images, which may differ in size and in the classes they show.

    In every step each class has as many pixels as any other, and each image that shows it as many
    of them as any other such image.

    Args:
        images: fused features and labels, class index, K where there is no label. Each class has
            a label in one of them or in none.
        classes: K.
        bundle: the trained weights.
        settings: how many pixels and rounds.
        sigma: standard deviation of the offsets, a share of the shorter side of each map.
        generator: of the drawn pixels and offsets.
        step: progress; its False ends the fit early.

    >>> from saccade.models.weights import load_bundle
    >>> bundle, images = load_bundle(members=1), []
    >>> for size in ((16, 24), (12, 30)):
    ...     labels = torch.full(size, 2)
    ...     labels[1, 1:9], labels[9, 5:20] = 0, 1
    ...     images.append((bundle.fuse(torch.rand(1, 43, *size)), labels))
    >>> net = fit_jointly(images, 2, bundle, LearnedFitSettings(), sigma=0.2,
    ...                   generator=torch.Generator().manual_seed(0))
    >>> net(torch.rand(1, 43, 16, 24)).shape
    torch.Size([1, 2, 16, 24])
    """
    table = row_table([fused for fused, _ in images])
    device = table.rows.device
    net = bundled_net(bundle, classes, sigma).to(device)
    places = [_places([labels for _, labels in images], k) for k in range(classes)]
    scales = sigma * table.sizes.amin(1).to(table.rows.dtype)
    weights = weights_of(net)
    rates, schedule, per_class = learned_steps(bundle, settings, classes, device)
    present = torch.tensor([len(one) > 0 for one in places], device=device)
    share = present.repeat_interleave(per_class).to(table.rows.dtype)
    targets = torch.arange(classes, device=device).repeat_interleave(per_class)
    for done, index in enumerate(schedule):
        image, pixels = _sample(places, per_class, generator, device)
        offsets = _offsets(scales[image], generator)
        weights = {name: value.detach().requires_grad_() for name, value in weights.items()}
        with torch.enable_grad():
            scores = joint_scores(weights, table, image, pixels, offsets)[None]
        with torch.no_grad():
            gradients = gradients_of(scores, targets[None], (share / share.sum())[None], weights)
            weights = step_down(weights, rates, index, gradients)
        if not step((done + 1) / len(schedule)):
            break
    load_weights(net, weights)
    return net


def _places(labels: Sequence[Tensor], value: int) -> list[Tensor]:
    """(n, 3), image, y and x of each pixel of a class, of every image that shows it."""
    found = []
    for number, one in enumerate(labels):
        pixels = (one == value).nonzero()
        if len(pixels):
            found.append(torch.cat([torch.full_like(pixels[:, :1], number), pixels], 1))
    return found


def _sample(
    places: Sequence[Sequence[Tensor]],
    per_class: int,
    generator: torch.Generator,
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Image (K * n,) and pixels (K * n, 2) of a step; the first of all where a class has none."""
    drawn = []
    for shown in places:
        if not shown:
            drawn.append(torch.zeros(per_class, 3, dtype=torch.long, device=device))
            continue
        which, where = torch.rand((2, per_class), generator=generator, device=device)
        counts = torch.tensor([len(one) for one in shown], device=device)
        number = (which * len(shown)).long()
        row = (where * counts[number]).long() + (counts.cumsum(0) - counts)[number]
        drawn.append(torch.cat(list(shown))[row])
    both = torch.cat(drawn)
    return both[:, 0], both[:, 1:]


def _offsets(scales: Tensor, generator: torch.Generator) -> Tensor:
    """Whole offsets (9 * N, 9, 2) of pixels with standard deviations (N,)."""
    shape = (TAPS * len(scales), TAPS, 2)
    unit = half_gaussian_offsets(shape, 1.0, generator=generator, device=scales.device)
    scaled = unit * scales.repeat_interleave(TAPS).view(-1, 1, 1)
    return round_positions(scaled, "nearest").long()
