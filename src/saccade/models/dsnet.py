"""Dynamic Sampling Network (DSNet paper, figure 3): the head around CGDS.

Deviation: the paper does not say whether X(ASPP) joins the concatenation where X(5) guides; here
it does, so that only the guidance changes.
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from saccade.errors import InputError
from saccade.nn.blocks import ConvNormAct
from saccade.nn.cgds import ContextGuidedDynamicSampling, Sampler
from saccade.nn.pyramid import ASPP
from saccade.nn.resize import resize

Guide = Literal["aspp", "x5"]


class DSNetHead(nn.Module):
    """Low-level features sampled under the guidance of context, beside both (figure 3).

    X(M) is the low-level map after a 3x3 convolution, X(ASPP) the context of X(5), X(S) what
    `ContextGuidedDynamicSampling` reads of X(M); the three are concatenated at the resolution of
    X(M). Which pair meets in the module is the question of the paper's table 1.

    Args:
        channels: of the backbone's maps by stage.
        low: stage of the low-level map, 3, 4 or 5.
        guide: the high-level map, "aspp" or "x5".
        width: channels of X(M), X(S) and X(ASPP).
        rates: of the ASPP.
        kernel_size: of the sampling convolution.
        sampler: how positions are predicted, "conv" or "non-local".
        dropout: probability, in the pyramid.

    Raises:
        InputError: an unknown guide or a stage that the backbone lacks.

    Example:
        >>> head = DSNetHead({3: 24, 4: 32, 5: 320}, width=16)
        >>> maps = {3: torch.rand(2, 24, 24, 30), 5: torch.rand(2, 320, 6, 8)}
        >>> head(maps).shape
        torch.Size([2, 48, 24, 30])
    """

    def __init__(
        self,
        channels: dict[int, int],
        *,
        low: int = 3,
        guide: Guide = "aspp",
        width: int = 256,
        rates: tuple[int, ...] = (6, 12, 18),
        kernel_size: int = 3,
        sampler: Sampler = "conv",
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if low not in channels:
            raise InputError(f"low is {low!r}, must be one of the stages {sorted(channels)}")
        if guide not in get_args(Guide):
            raise InputError(f"guide is {guide!r}, must be one of {', '.join(get_args(Guide))}")
        self.low, self.guide, self.out_channels = low, guide, 3 * width
        self.modify = ConvNormAct(channels[low], width, 3)
        self.context = ASPP(channels[5], width, rates, pointwise=True, dropout=dropout)
        self.sample = ContextGuidedDynamicSampling(
            width, width if guide == "aspp" else channels[5], kernel_size, sampler=sampler
        )

    def forward(self, maps: dict[int, Tensor]) -> Tensor:
        """The backbone's maps to X(F), (B, 3 * width, H, W) at the resolution of `low`."""
        modified = self.modify(maps[self.low])
        context = self.context(maps[5])
        sampled = self.sample(modified, context if self.guide == "aspp" else maps[5])
        size = modified.shape[2:]
        return torch.cat([modified, sampled, resize(context, size)], 1)
