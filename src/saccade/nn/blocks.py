"""What the pyramids and heads are made of; "same" size at stride 1 throughout."""

from torch import Tensor, nn

from saccade.errors import InputError


class ConvNormAct(nn.Sequential):
    """Convolution without bias, batch normalisation, ReLU; "same" size at stride 1.

    Args:
        in_channels: Cin.
        out_channels: Cout.
        kernel_size: odd.
        dilation: of the kernel.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 1, dilation: int = 1
    ) -> None:
        padding = dilation * (kernel_size // 2)
        super().__init__(
            nn.Conv2d(
                in_channels,
                out_channels,
                kernel_size,
                padding=padding,
                dilation=dilation,
                bias=False,
            ),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class SeparableConvNormAct(nn.Sequential):
    """A depthwise layer and a 1x1 convolution, batch normalisation and ReLU after both.

    One normalisation, after the 1x1: with it, and only with it, the parameters of the GDC
    paper's table V come out.

    Args:
        depthwise: a layer that maps (B, Cin, H, W) to the same shape.
        in_channels: Cin.
        out_channels: Cout.
    """

    def __init__(self, depthwise: nn.Module, in_channels: int, out_channels: int) -> None:
        super().__init__(
            depthwise,
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class ImagePooling(nn.Module):
    """The mean of the whole map through a 1x1 convolution, spread over the map again.

    Args:
        in_channels: Cin.
        out_channels: Cout.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.project = ConvNormAct(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, Cin, H, W) to (B, Cout, H, W), the same everywhere.

        Raises:
            InputError: one image in training mode: its one pixel per channel has no variance.
        """
        if self.training and x.shape[0] < 2:
            raise InputError(
                "image pooling is normalised over the batch: train with at least 2 images"
            )
        pooled: Tensor = self.project(x.mean((2, 3), keepdim=True))
        return pooled.expand(-1, -1, *x.shape[2:])


def check_odd(kernel_size: int) -> None:
    """Raise InputError for an even kernel, which has no centre to keep the size with."""
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise InputError(f"kernel_size is {kernel_size!r}, must be odd")
