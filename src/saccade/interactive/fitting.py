"""Fitting the light network to one image from the learned start; `descent` does it as the paper."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from saccade.interactive.adapt import adapt, labelled_pixels
from saccade.interactive.presets import LearnedSettings
from saccade.interactive.scene import Scene
from saccade.interactive.sparse import Weights
from saccade.models.scribble_net import ScribbleNet
from saccade.models.weights import Bundle

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
    labelled = labelled_pixels(marks[None], classes)
    weights = {k: v.requires_grad_() for k, v in weights_of(net).items()}
    rates = {k: v.exp().to(rows.device) for k, v in scene.bundle.rates.items()}
    total = len(next(iter(rates.values())))
    # Few classes leave room for more pixels of each at the same cost.
    per_class = max(16, 2 * settings.per_class // classes)
    schedule = [*range(total), *[total - 1] * (total * (settings.repeats - 1))]
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
