"""A small class-agnostic network that turns per-class evidence into a mask.

What the strokes say about a class, the per-image network's probability, distances to its strokes,
is one stack of maps per class. The same U-shaped network reads every class's stack beside maps of
the image, so it works for any number of classes; a softmax joins them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def _block(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class EvidenceNet(nn.Module):
    """U-shaped network over three scales from a quarter of the image's size, 60 thousand weights.

    It answers with a correction and a gate, coarse and smooth; the gate scales the fitted
    network's own log odds, which bring the detail.
    """

    def __init__(self, evidence: int = 9, guide: int = 19, width: int = 24) -> None:
        super().__init__()
        wide = width + 8
        self.guide = nn.Conv2d(guide, 12, 1)
        self.enter = _block(evidence + 12, width)
        self.same0 = _block(width, width)
        self.down1, self.same1 = _block(width, wide, 2), _block(wide, wide)
        self.down2, self.same2 = _block(wide, wide, 2), _block(wide, wide, 1, 2)
        self.up1 = _block(2 * wide, width)
        self.up0 = _block(2 * width, 16)
        self.leave = nn.Conv2d(16, 2, 1)

    def forward(self, evidence: Tensor, guide: Tensor) -> Tensor:
        """Class scores from evidence.

        Args:
            evidence: (B, K, E, H, W); its first map is half the log odds of the class.
            guide: (B, G, H, W), maps of the image.

        Returns:
            Scores (B, K, H, W); their softmax over K are the probabilities.
        """
        batch, classes = evidence.shape[:2]
        small = F.avg_pool2d(evidence.flatten(0, 1), 2, ceil_mode=True)
        maps = self.guide(F.avg_pool2d(guide, 2, ceil_mode=True)).repeat_interleave(classes, 0)
        x0 = self.same0(self.enter(torch.cat([small, maps], 1)))
        x1 = self.same1(self.down1(x0))
        x2 = self.same2(self.down2(x1))
        y = self.up0(_join(self.up1(_join(x2, x1)), x0))
        answer = _grow(self.leave(y), tuple(evidence.shape[3:]))
        correction, gate = answer.view(batch, classes, 2, *evidence.shape[3:]).unbind(2)
        return correction + F.softplus(gate) * evidence[:, :, 0]


def _grow(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(maps, size, mode="bilinear", align_corners=False)


def _join(coarse: Tensor, fine: Tensor) -> Tensor:
    return torch.cat([_grow(coarse, tuple(fine.shape[2:])), fine], 1)
