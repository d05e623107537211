"""Convolutions whose sampling positions are predicted from features.

`DeformConv2d` is the deformable baseline of the GDC paper's table I (eq. 7), and DCNv2 where
modulated. Equation 7 as printed multiplies the offset by the direction of the tap, so that taps
could not move across it, nor the centre at all; here, as in the deformable convolution that the
paper cites, it is added to the tap's place. Deviation from torchvision's layer: it predicts its own
offsets, starting from zero, so that a new layer is an ordinary convolution.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from saccade.ops import Border, deform_conv2d
from saccade.ops.positions import as_pair


class DeformConv2d(nn.Module):
    """Deformable convolution with its own offset predictor.

    The predictor has the kernel, stride, padding and dilation of the convolution; its weights
    start at zero, so the layer starts as `torch.nn.Conv2d` (modulated: with half its response,
    as the masks start at sigmoid(0)).

    Args:
        in_channels: Cin.
        out_channels: Cout.
        kernel_size: one number or (kh, kw).
        stride: as in Conv2d.
        padding: as in Conv2d; None keeps the size at stride 1 for an odd kernel.
        dilation: as in Conv2d; the base grid has it too.
        groups: groups of channels.
        bias: whether to learn one.
        modulated: predict a mask in [0, 1] per tap as well (DCNv2).
        border: "zero" or "clamp".

    Example:
        >>> layer = DeformConv2d(16, 32, stride=2)
        >>> layer(torch.rand(1, 16, 20, 30)).shape
        torch.Size([1, 32, 10, 15])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        *,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | None = None,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        modulated: bool = False,
        border: Border = "zero",
    ) -> None:
        super().__init__()
        kernel, gap = as_pair(kernel_size, "kernel_size"), as_pair(dilation, "dilation")
        self.stride, self.dilation = as_pair(stride, "stride"), gap
        if padding is None:
            self.padding = (gap[0] * (kernel[0] - 1) // 2, gap[1] * (kernel[1] - 1) // 2)
        else:
            self.padding = as_pair(padding, "padding")
        self.groups, self.modulated, self.border = groups, modulated, border
        taps = kernel[0] * kernel[1]
        # Conv2d only for its parameters and their initialisation; it is never called.
        plain = nn.Conv2d(in_channels, out_channels, kernel, groups=groups, bias=bias)
        self.weight, self.bias = plain.weight, plain.bias
        self.predictor = nn.Conv2d(
            in_channels,
            (3 if modulated else 2) * taps,
            kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )
        nn.init.zeros_(self.predictor.weight)
        if self.predictor.bias is not None:
            nn.init.zeros_(self.predictor.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, Cin, H, W) to (B, Cout, Ho, Wo)."""
        taps = self.weight.shape[2] * self.weight.shape[3]
        predicted = self.predictor(x)
        offset, mask = predicted[:, : 2 * taps], None
        if self.modulated:
            mask = torch.sigmoid(predicted[:, 2 * taps :])
        return deform_conv2d(
            x,
            offset,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            mask=mask,
            border=self.border,
        )


class DeformConv2dV2(DeformConv2d):
    """Deformable convolution v2 (Zhu et al. 2019), a baseline of the DSNet paper.

    `DeformConv2d` with a predicted factor in [0, 1] for every tap: 18 offsets and 9 masks for a
    3x3 kernel. It samples its own input where its own input says; compare
    `saccade.nn.ContextGuidedDynamicSampling`.

    Args:
        in_channels: Cin.
        out_channels: Cout.
        kernel_size: one number or (kh, kw).
        options: keywords of `DeformConv2d`, but for `modulated`.

    Example:
        >>> layer = DeformConv2dV2(16, 32, bias=False)
        >>> layer(torch.rand(1, 16, 20, 30)).shape
        torch.Size([1, 32, 20, 30])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        **options: Any,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, modulated=True, **options)
