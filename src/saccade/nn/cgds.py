"""Context-guided dynamic sampling (CGDS): high-level features say where to sample low-level ones.

DSNet paper, figure 2 and eq. 2. The sampling positions are the regular grid of the convolution
plus predicted offsets that start at zero, so a new module is an ordinary convolution.

Deviation: the offsets are (y, x) pairs tap by tap, the order of `saccade.ops.deform_conv2d`; the
paper does not say.
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from saccade.errors import InputError
from saccade.nn.blocks import check_odd
from saccade.nn.resize import resize
from saccade.ops import Border, deform_conv2d

Sampler = Literal["conv", "non-local"]


class DynamicSamplingConv2d(nn.Module):
    """Convolution that samples at given points (DSNet paper, eq. 2), bilinearly; "same" size.

    The points come from elsewhere: that is what tells it from a deformable convolution, which
    predicts them from its own input.

    Args:
        in_channels: Cin.
        out_channels: Cout.
        kernel_size: odd k.
        groups: groups of channels.
        bias: whether to learn one.
        border: what is read outside of the map, "zero" or "clamp".

    Raises:
        InputError: an even kernel.

    Example:
        >>> layer = DynamicSamplingConv2d(16, 32)
        >>> offsets = torch.zeros(1, 2 * 3 * 3, 20, 30)  # the regular grid
        >>> layer(torch.rand(1, 16, 20, 30), offsets).shape
        torch.Size([1, 32, 20, 30])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        *,
        groups: int = 1,
        bias: bool = True,
        border: Border = "zero",
    ) -> None:
        super().__init__()
        check_odd(kernel_size)
        plain = nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups, bias=bias)
        self.weight, self.bias = plain.weight, plain.bias
        self.groups, self.border, self.padding = groups, border, kernel_size // 2

    def forward(self, x: Tensor, offsets: Tensor) -> Tensor:
        """Convolves.

        Args:
            x: (B, Cin, H, W).
            offsets: (B, 2 * k * k, H, W) in pixels from the regular grid, (y, x) tap by tap.

        Returns:
            (B, Cout, H, W).

        Raises:
            InputError: shapes that do not fit each other.
        """
        return deform_conv2d(
            x,
            offsets,
            self.weight,
            self.bias,
            padding=self.padding,
            groups=self.groups,
            border=self.border,
        )


class ConvSampling(nn.Module):
    """Sampling offsets by one 3x3 convolution, the paper's choice; zero at the start.

    Args:
        channels: of the guiding feature.
        kernel_size: k of the convolution that will sample.
    """

    def __init__(self, channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.predict = _zero_conv(channels, 2 * kernel_size * kernel_size)

    def forward(self, context: Tensor, size: torch.Size) -> Tensor:
        """(B, C, h, w) to offsets (B, 2 k k, H, W) for a map of `size` (H, W)."""
        offsets: Tensor = self.predict(resize(context, size))
        return offsets


class NonLocalSampling(nn.Module):
    """Sampling offsets by a non-local block (Wang et al. 2018), the paper's third ablation.

    Every position of the guiding feature attends to all others before the offsets are read off.
    Attention runs on the guide's own grid, where the paper leaves the size open: at stride 8 it
    would cost 16 times as much.

    Args:
        channels: of the guiding feature, halved inside.
        kernel_size: k of the convolution that will sample.
    """

    def __init__(self, channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, inner, 1)
        self.join = nn.Conv2d(inner, channels, 1)
        self.predict = _zero_conv(channels, 2 * kernel_size * kernel_size)

    def forward(self, context: Tensor, size: torch.Size) -> Tensor:
        """(B, C, h, w) to offsets (B, 2 k k, H, W) for a map of `size` (H, W)."""
        parts = (self.query(context), self.key(context), self.value(context))
        # (B, 1, h w, C): the axis of one head is for the ONNX exporter.
        query, key, value = (part.flatten(2).transpose(1, 2)[:, None] for part in parts)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        mixed = mixed[:, 0].transpose(1, 2).reshape(context.shape[0], -1, *context.shape[2:])
        offsets: Tensor = self.predict(resize(context + self.join(mixed), size))
        return offsets


class ContextGuidedDynamicSampling(nn.Module):
    """CGDS (DSNet paper, figure 2): samples a low-level map where a high-level one says.

    Args:
        channels: of the low-level map X(M), and of the result.
        context_channels: of the high-level map.
        kernel_size: odd k of the sampling convolution.
        sampler: "conv" (paper) or "non-local" (its ablation).

    Raises:
        InputError: an even kernel or an unknown sampler.

    Example:
        >>> layer = ContextGuidedDynamicSampling(16, 64)
        >>> low, high = torch.rand(2, 16, 40, 60), torch.rand(2, 64, 10, 15)
        >>> layer(low, high).shape
        torch.Size([2, 16, 40, 60])
        >>> layer.offsets(low, high).abs().max()  # a new layer samples the regular grid
        tensor(0., grad_fn=<MaxBackward1>)
    """

    def __init__(
        self,
        channels: int,
        context_channels: int,
        kernel_size: int = 3,
        *,
        sampler: Sampler = "conv",
    ) -> None:
        super().__init__()
        if sampler not in get_args(Sampler):
            raise InputError(
                f"sampler is {sampler!r}, must be one of {', '.join(get_args(Sampler))}"
            )
        kind = ConvSampling if sampler == "conv" else NonLocalSampling
        self.sampling = kind(context_channels, kernel_size)
        self.conv = DynamicSamplingConv2d(channels, channels, kernel_size, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Samples.

        Args:
            low: (B, C, H, W), the modified low-level map X(M).
            high: (B, C', h, w) of any size, resized bilinearly where it differs.

        Returns:
            (B, C, H, W), the sampled map X(S) after normalisation and ReLU.

        Raises:
            InputError: another number of images in `high` than in `low`.
        """
        images = low.shape[0]  # len() would tie an exported network to one number of images
        if images != high.shape[0]:
            raise InputError(f"low has {images} images and high {high.shape[0]}, must be as many")
        sampled: Tensor = self.norm(self.conv(low, self.offsets(low, high)))
        return sampled.relu()

    def offsets(self, low: Tensor, high: Tensor) -> Tensor:
        """Where `forward` samples: (B, 2 k k, H, W) pixels from the regular grid, (y, x) pairs."""
        offsets: Tensor = self.sampling(high, low.shape[2:])
        return offsets


def _zero_conv(channels: int, outputs: int) -> nn.Conv2d:
    conv = nn.Conv2d(channels, outputs, 3, padding=1)
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
