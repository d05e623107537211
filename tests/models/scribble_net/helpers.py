"""A light network with nothing at zero, and what it reads."""

import torch

from saccade.models.scribble_net import ScribbleNet


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def stirred_net(branch="gdc", norm="none", classes=3, seed=0, **options):
    """A network whose biases and offset predictor are moved: what starts at zero is read too."""
    net = ScribbleNet(
        5,
        classes,
        channels=8,
        hidden=6,
        branch=branch,
        norm=norm,
        generator=generator(),
        **options,
    )
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if parameter.ndim == 1 or "predictor" in name:
                parameter.add_(torch.randn(parameter.shape, generator=generator(seed + 7)) * 0.3)
    return net


def random_features(size, batch=1):
    """Maps (B, 5, H, W) of mean 0.5 and standard deviation 2."""
    return torch.randn(batch, 5, *size, generator=generator(1)) * 2 + 0.5
