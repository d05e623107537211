"""Dynamic filter (Jia et al. 2016) as the DSNet paper has it, its baseline "DF".

The kernel is depthwise, made by the three steps that the DSNet paper names.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from saccade.nn.blocks import ConvNormAct, check_odd
from saccade.ops.exporting import is_exporting


class DynamicFilter(nn.Module):
    """A depthwise kernel made from the map itself, one per image (Jia et al. 2016).

    The DSNet paper's baseline "DF": a convolution with normalisation and ReLU, adaptive average
    pooling to k x k, and a convolution give the kernel.

    Args:
        channels: of the map and of the result.
        kernel_size: odd k.

    Raises:
        InputError: an even kernel.

    Example:
        >>> layer = DynamicFilter(16)
        >>> layer(torch.rand(2, 16, 20, 30)).shape
        torch.Size([2, 16, 20, 30])
    """

    def __init__(self, channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        check_odd(kernel_size)
        self.kernel_size = kernel_size
        self.reduce = ConvNormAct(channels, channels)
        self.generate = nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        kernels = self.kernels(x)
        if is_exporting():  # groups would be frozen to one number of images
            traced: Tensor = self.norm(filtered_by_shifts(x, kernels))
            return traced.relu()
        batch, channels, height, width = x.shape
        # Each image as a group of channels of one image: one call for all kernels.
        filtered = functional.conv2d(
            x.reshape(1, -1, height, width),
            kernels.reshape(batch * channels, 1, self.kernel_size, self.kernel_size),
            padding=self.kernel_size // 2,
            groups=batch * channels,
        )
        normed: Tensor = self.norm(filtered.reshape(batch, channels, height, width))
        return normed.relu()

    def kernels(self, x: Tensor) -> Tensor:
        """The kernels for (B, C, H, W): (B, C, k, k)."""
        reduced = self.reduce(x)
        if is_exporting():  # its own pooling would be frozen to one size
            pooled = pooled_by_matrices(reduced, self.kernel_size)
        else:
            pooled = functional.adaptive_avg_pool2d(reduced, self.kernel_size)
        made: Tensor = self.generate(pooled)
        return made


def filtered_by_shifts(x: Tensor, kernels: Tensor) -> Tensor:
    """(B, C, H, W) with kernels (B, C, k, k) of each channel and image, for B left open."""
    size = kernels.shape[2]
    height, width = x.shape[2:]
    padded = functional.pad(x, (size // 2,) * 4)
    parts = [
        padded[:, :, row : row + height, column : column + width]
        * kernels[:, :, row, column, None, None]
        for row in range(size)
        for column in range(size)
    ]
    return torch.stack(parts).sum(0)


def pooled_by_matrices(x: Tensor, cells: int) -> Tensor:
    """`adaptive_avg_pool2d` of (B, C, H, W) to (B, C, cells, cells), for H and W left open."""
    rows, columns = (_means(cells, x.shape[axis], x) for axis in (2, 3))
    pooled: Tensor = rows @ x @ columns.transpose(0, 1)
    return pooled


def _means(cells: int, length: int, like: Tensor) -> Tensor:
    """(cells, length): row i averages the elements from floor(i n / k) to ceil((i + 1) n / k)."""
    cell = torch.arange(cells, device=like.device)[:, None]
    place = torch.arange(length, device=like.device)[None]
    first, end = cell * length // cells, ((cell + 1) * length + cells - 1) // cells
    inside = ((place >= first) & (place < end)).to(like.dtype)
    return inside / inside.sum(1, keepdim=True)
