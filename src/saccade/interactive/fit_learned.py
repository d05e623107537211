"""Fitting the light network to one image by a few steps from the learned start."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.interactive.meta_steps import labeled_pixels, take_meta_steps
from saccade.interactive.presets import LearnedFitSettings
from saccade.interactive.run import Step
from saccade.models.scribble_net import ScribbleNet
from saccade.models.scribble_net.batched import Weights, load_weights, weights_of
from saccade.models.weights import Bundle


def fit_learned(
    fused_inputs: Tensor,
    labels: Tensor,
    classes: int,
    bundle: Bundle,
    settings: LearnedFitSettings,
    *,
    sigma: float,
    generator: torch.Generator,
    step: Step = lambda _: True,
) -> ScribbleNet:
    """Take a few gradient steps from the bundled start, with the bundled learning rates.

    Args:
        fused_inputs: (1, C, h, w), the image's features after the bundled 1x1 convolution.
        labels: (h, w) class index, K where there is no label.
        classes: K.
        bundle: the trained weights.
        settings: how many pixels and rounds.
        sigma: standard deviation of the offsets, a share of the shorter side of the map.
        generator: of the drawn pixels and offsets.
        step: progress; its False ends the fit early.

    >>> from saccade.models.weights import load_bundle
    >>> bundle, labels = load_bundle(members=1), torch.full((16, 24), 2)
    >>> labels[1, 1:9], labels[9, 5:20] = 0, 1
    >>> fused = bundle.fuse(torch.rand(1, 43, 16, 24))
    >>> net = fit_learned(fused, labels, 2, bundle, LearnedFitSettings(), sigma=0.2,
    ...                   generator=torch.Generator().manual_seed(0))
    >>> net(torch.rand(1, 43, 16, 24)).shape
    torch.Size([1, 2, 16, 24])
    """
    size = (fused_inputs.shape[2], fused_inputs.shape[3])
    rows = fused_inputs.permute(0, 2, 3, 1).flatten(1, 2)
    net = bundled_net(bundle, classes, sigma).to(rows.device)
    labeled = labeled_pixels(labels[None], classes)
    weights = weights_of(net)
    rates, schedule, per_class = learned_steps(bundle, settings, classes, rows.device)
    for done, index in enumerate(schedule):
        weights = take_meta_steps(
            weights,
            {k: v[index : index + 1] for k, v in rates.items()},
            rows,
            size,
            labeled,
            sigma=sigma,
            per_class=per_class,
            generator=generator,
        )
        if not step((done + 1) / len(schedule)):
            break
    load_weights(net, weights)
    return net


def learned_steps(
    bundle: Bundle, settings: LearnedFitSettings, classes: int, device: torch.device
) -> tuple[Weights, list[int], int]:
    """The learned rates {name: (S,)}, which of them each step has, and pixels of each class."""
    rates = {k: v.exp().to(device) for k, v in bundle.rates.items()}
    steps = len(next(iter(rates.values())))
    # Few classes leave room for more pixels of each at the same cost.
    per_class = max(16, 2 * settings.per_class // classes)
    return rates, [*range(steps), *[steps - 1] * (steps * (settings.repeats - 1))], per_class


def bundled_net(bundle: Bundle, classes: int, sigma: float) -> ScribbleNet:
    """The network at the bundled start, on the CPU; no class is preferred."""
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
    return net
