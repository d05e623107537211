"""The learned start of the fit: features, fusion, initial weights and step sizes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from saccade.models.features import (
    INPUT_CHANNELS,
    MobileNetHead,
    half_size_features,
    normalized_lab,
)
from saccade.models.scribble_net.batched import Weights, initial_weights


class FitStart(nn.Module):
    """What the ``fit`` stage learns."""

    def __init__(self, channels: int = 16, hidden: int = 32, steps: int = 8) -> None:
        super().__init__()
        self.head = MobileNetHead()
        for m in self.head.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight)
                assert m.bias is not None
                nn.init.zeros_(m.bias)
        self.fuse = nn.Conv2d(INPUT_CHANNELS, channels, 1)
        start = initial_weights(
            channels, 1, hidden=hidden, generator=torch.Generator().manual_seed(0)
        )
        del start["out"], start["out_bias"]
        self.start = nn.ParameterDict({k: nn.Parameter(v[0].clone()) for k, v in start.items()})
        names = [*start, "out", "out_bias"]
        self.rates = nn.ParameterDict({k: nn.Parameter(torch.full((steps,), -2.5)) for k in names})
        self.hidden = hidden

    def rows(self, image: Tensor) -> tuple[Tensor, Tensor, tuple[int, int]]:
        """Fused rows (B, H*W, C), guide maps (B, C + 3, H, W) and their size, half the image's."""
        lab = normalized_lab(image)
        maps = half_size_features(self.head, image.movedim(3, 1).float() / 127.5 - 1, lab)
        fused = self.fuse(maps)
        guide = torch.cat([fused, maps[:, 40:]], 1)
        return (
            fused.flatten(2).transpose(1, 2).contiguous(),
            guide,
            (fused.shape[2], fused.shape[3]),
        )

    def weights(self, batch: int, classes: int) -> Weights:
        start = {k: v.expand(batch, *v.shape) for k, v in self.start.items()}
        device = self.fuse.weight.device
        start["out"] = torch.zeros(batch, self.hidden, classes, device=device, requires_grad=True)
        start["out_bias"] = torch.zeros(batch, 1, classes, device=device, requires_grad=True)
        return start

    def step_sizes(self) -> Weights:
        return {k: v.exp() for k, v in self.rates.items()}
