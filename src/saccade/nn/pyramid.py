"""Pyramids that see a feature map at several scales: ASPP, and GDPP with one scale drawn anew.

GDC paper, section IV-B and figure 5: `GaussianDynamicPyramidPooling` (GDPP) keeps the smallest
and the largest dilation of an atrous spatial pyramid (ASPP, DeepLabv3) and draws the one between
them. Both map (B, Cin, H, W) to (B, Cout, H, W), so that either takes the other's place.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from saccade.errors import InputError
from saccade.nn.blocks import ConvNormAct, ImagePooling, SeparableConvNormAct
from saccade.nn.variant import VariantGaussianDynamicConv2d


class _Pyramid(nn.Module):
    """Branches side by side, image pooling, and a projection of all of them."""

    def __init__(
        self, branches: Sequence[nn.Module], in_channels: int, out_channels: int, dropout: float
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise InputError(f"dropout is {dropout!r}, must be in [0, 1)")
        self.branches = nn.ModuleList([*branches, ImagePooling(in_channels, out_channels)])
        self.project = ConvNormAct(len(self.branches) * out_channels, out_channels)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """(B, Cin, H, W) to (B, Cout, H, W)."""
        joined = self.project(torch.cat([branch(x) for branch in self.branches], 1))
        return functional.dropout(joined, self.dropout, self.training)


class ASPP(_Pyramid):
    """Atrous spatial pyramid pooling: 3x3 convolutions of several dilations and image pooling.

    The four 3x3 branches of rates 1, 6, 12, 18 are those of the GDC paper's table V. DeepLabv3
    (and DSNet, which follows it) has a 1x1 convolution and rates 6, 12, 18:
    ``rates=(6, 12, 18), pointwise=True``. Separable with rates 1, 9, 18 it is the paper's S-ASPP.

    Args:
        in_channels: Cin.
        out_channels: Cout, also the width of each branch.
        rates: dilations of the 3x3 branches, in pixels of the map.
        separable: depthwise 3x3 and 1x1 instead of full 3x3 convolutions.
        pointwise: a 1x1 branch before them.
        dropout: probability, after the projection.

    Raises:
        InputError: no rates, a rate below 1, or a dropout outside [0, 1).

    Example:
        >>> pyramid = ASPP(64, 32, rates=(6, 12, 18), pointwise=True)
        >>> pyramid(torch.rand(2, 64, 20, 30)).shape
        torch.Size([2, 32, 20, 30])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        rates: Sequence[int] = (1, 6, 12, 18),
        *,
        separable: bool = False,
        pointwise: bool = False,
        dropout: float = 0.1,
    ) -> None:
        _check_rates(rates)
        make: Callable[[int, int, int], nn.Module] = _separable if separable else _full
        branches = [make(in_channels, out_channels, rate) for rate in rates]
        if pointwise:
            branches.insert(0, ConvNormAct(in_channels, out_channels))
        super().__init__(branches, in_channels, out_channels, dropout)


class GaussianDynamicPyramidPooling(_Pyramid):
    """GDPP: fixed small and large dilations, and between them one that is drawn (GDC paper, IV-B).

    The drawn one is the variant Gaussian dynamic convolution (eq. 4) with `base` and `sigma`; in
    eval mode it stays at `base`, so the pyramid is then an ordinary S-ASPP and runs wherever
    convolutions do.

    Args:
        in_channels: Cin.
        out_channels: Cout, also the width of each branch.
        rates: dilations of the fixed branches, in pixels of the map.
        base: dilation of the drawn branch without its offset.
        sigma: standard deviation of the offset, in pixels of the map.
        separable: as the paper's; otherwise full 3x3 convolutions.
        pointwise: a 1x1 branch before them, as in DeepLabv3 (the paper's Cityscapes network).
        dropout: probability, after the projection.
        seed: of the drawn branch's weights and offsets; None takes entropy from the system.

    Raises:
        InputError: what `ASPP` and `VariantGaussianDynamicConv2d` refuse.

    Example:
        >>> pyramid = GaussianDynamicPyramidPooling(64, 32, seed=0)
        >>> pyramid(torch.rand(2, 64, 20, 30)).shape
        torch.Size([2, 32, 20, 30])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        rates: Sequence[int] = (1, 18),
        *,
        base: int = 9,
        sigma: float = 2.0,
        separable: bool = True,
        pointwise: bool = False,
        dropout: float = 0.1,
        seed: int | None = None,
    ) -> None:
        _check_rates(rates)
        make: Callable[[int, int, int], nn.Module] = _separable if separable else _full
        branches = [make(in_channels, out_channels, rate) for rate in rates]
        drawn = VariantGaussianDynamicConv2d(
            in_channels,
            in_channels if separable else out_channels,
            sigma=sigma,
            base=base,
            groups=in_channels if separable else 1,
            bias=False,
            seed=seed,
        )
        middle: nn.Module
        if separable:
            middle = SeparableConvNormAct(drawn, in_channels, out_channels)
        else:
            middle = nn.Sequential(drawn, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))
        branches.insert(len(branches) // 2, middle)
        if pointwise:
            branches.insert(0, ConvNormAct(in_channels, out_channels))
        super().__init__(branches, in_channels, out_channels, dropout)


def _full(in_channels: int, out_channels: int, rate: int) -> nn.Module:
    return ConvNormAct(in_channels, out_channels, 3, rate)


def _separable(in_channels: int, out_channels: int, rate: int) -> nn.Module:
    depthwise = nn.Conv2d(
        in_channels,
        in_channels,
        3,
        padding=rate,
        dilation=rate,
        groups=in_channels,
        bias=False,
    )
    return SeparableConvNormAct(depthwise, in_channels, out_channels)


def _check_rates(rates: Sequence[int]) -> None:
    if not rates or any(not isinstance(rate, int) or rate < 1 for rate in rates):
        raise InputError(f"rates are {tuple(rates)!r}, must be whole numbers >= 1")
