"""Bilinear resizing, one function for all layers and networks."""

from torch import Tensor
from torch.nn import functional


def resize(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Resizes bilinearly, corners not aligned.

    Args:
        x: (B, C, h, w).
        size: (H, W).

    Returns:
        (B, C, H, W); `x` itself where the size fits already.

    Example:
        >>> resize(torch.rand(1, 8, 10, 15), (20, 30)).shape
        torch.Size([1, 8, 20, 30])
    """
    if tuple(x.shape[2:]) == tuple(size):
        return x
    return functional.interpolate(x, tuple(size), mode="bilinear", align_corners=False)
