"""Fitting the light network to one image from the learned start; `descent` does it as the paper."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from saccade.interactive.meta_steps import labeled_pixels, take_meta_steps
from saccade.interactive.presets import LearnedSettings
from saccade.interactive.scene import Scene
from saccade.models.scribble_net import ScribbleNet
from saccade.models.scribble_net.batched import load_weights, weights_of
from saccade.models.weights import Bundle

Step = Callable[[float], bool]
"""Told the fraction done after each step; answers whether to go on."""

PAPER_CHANNELS = 40


def fit_learned(
    scene: Scene,
    marks: Tensor,
    classes: int,
    settings: LearnedSettings,
    *,
    sigma: float,
    generator: torch.Generator,
    step: Step,
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
    """
    net = bundled_net(scene, classes, sigma)
    rows = scene.fused.permute(0, 2, 3, 1).flatten(1, 2)
    labeled = labeled_pixels(marks[None], classes)
    weights = weights_of(net)
    rates = {k: v.exp().to(rows.device) for k, v in scene.bundle.rates.items()}
    total = len(next(iter(rates.values())))
    # Few classes leave room for more pixels of each at the same cost.
    per_class = max(16, 2 * settings.per_class // classes)
    schedule = [*range(total), *[total - 1] * (total * (settings.repeats - 1))]
    for done, index in enumerate(schedule):
        one = {k: v[index : index + 1] for k, v in rates.items()}
        weights = take_meta_steps(
            weights,
            one,
            rows,
            scene.half,
            labeled,
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
