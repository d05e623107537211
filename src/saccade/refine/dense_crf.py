"""Mean field in the fully connected conditional random field.

Krähenbühl & Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials",
NIPS 2011: equation 3 for the two kernels, algorithm 1 for the inference. As in the authors' code
and unlike equation 2, a pixel also sends a message to itself, and both kernels are normalised
symmetrically. The spatial kernel is a convolution here, not a lattice.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from types import MappingProxyType

import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.refine.permutohedral import SparseRows, build_lattice

_PROBABILITY_FLOOR = 1e-5  # a class at 0 would stay there whatever its neighbours say
_BLOCK = 2**17  # numbers handled at a time on a CPU
_SPATIAL_REACH = 4  # the kernel ends after this many deviations, at 0.0003 of its peak


@dataclass(frozen=True)
class DenseCRFConfig:
    """The kernels of the model and the iterations of mean field.

    Attributes:
        iterations: of mean field; 0 returns the (weighted) probabilities.
        bilateral_weight: weight of the kernel in position and colour; 0 leaves it out.
        bilateral_xy: its standard deviation in pixels.
        bilateral_rgb: its standard deviation in grey levels of 0..255.
        spatial_weight: weight of the kernel in position alone; 0 leaves it out.
        spatial_xy: its standard deviation in pixels.
    """

    iterations: int = 10
    bilateral_weight: float = 4.0
    bilateral_xy: float = 49.0
    bilateral_rgb: float = 5.0
    spatial_weight: float = 3.0
    spatial_xy: float = 3.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            positive = field.name.endswith(("_xy", "_rgb"))
            if not (math.isfinite(value) and value >= 0 and (value > 0 or not positive)):
                least = "above 0" if positive else "at least 0"
                raise InputError(f"{field.name} is {value}, must be finite and {least}")


DENSE_CRF_CONFIGS = MappingProxyType(
    {
        "default": DenseCRFConfig(),
        "deeplab-largefov": DenseCRFConfig(10, 5.0, 50.0, 10.0, 3.0, 3.0),
        "deeplab-v2-vgg16": DenseCRFConfig(10, 4.0, 65.0, 3.0, 2.0, 2.0),
        "deeplab-v2-resnet101": DenseCRFConfig(10, 4.0, 67.0, 3.0, 3.0, 1.0),
    }
)
"""The parameters that published systems ran with, by name."""


@torch.no_grad()
def dense_crf(
    probabilities: Tensor,
    image: Tensor,
    config: DenseCRFConfig | None = None,
    *,
    unary_weight: float = 1.0,
    fixed: Tensor | None = None,
) -> Tensor:
    """Probabilities that agree with the edges of the image.

    Args:
        probabilities: (K, H, W) at least 0, float; values below 1e-5 count as 1e-5.
        image: (H, W, 3) uint8, RGB.
        config: kernels and iterations, `DenseCRFConfig()` by default.
        unary_weight: factor of -log(probabilities); above 1 trusts the network more.
        fixed: (H, W) integers, the class in 0..K-1 of pixels that must keep it, -1 elsewhere.

    Returns:
        (K, H, W) that sum to 1 over K, on the device and of the dtype of `probabilities`; half
        precision is computed in float32. No gradient flows.

    Raises:
        InputError: shapes, dtypes or values that do not fit.
    """
    config = config or DenseCRFConfig()
    _check(probabilities, image, fixed, unary_weight)
    precise = torch.promote_types(probabilities.dtype, torch.float32)
    # Pixels first, classes last: every filter then adds up contiguous rows.
    unary = probabilities.detach().to(precise).permute(1, 2, 0).contiguous()
    unary = unary.clamp(min=_PROBABILITY_FLOOR).log_().mul_(unary_weight)
    if fixed is not None:
        _fix(unary, fixed.to(unary.device))

    beliefs, updated = unary.softmax(2), torch.empty_like(unary)
    messages = _messages(image.to(unary.device), unary, config)
    for _ in range(config.iterations):
        for rows, message in messages(beliefs):
            torch.softmax(unary[rows] + message, 2, out=updated[rows])
        beliefs, updated = updated, beliefs
    return beliefs.permute(2, 0, 1).to(probabilities.dtype).contiguous()


def _check(probabilities: Tensor, image: Tensor, fixed: Tensor | None, unary_weight: float) -> None:
    shape = tuple(probabilities.shape)
    if probabilities.ndim != 3 or 0 in shape or not probabilities.is_floating_point():
        raise InputError(
            f"probabilities are {shape} {probabilities.dtype}, must be (K, H, W) floating point"
        )
    if not bool((torch.isfinite(probabilities) & (probabilities >= 0)).all()):
        raise InputError("probabilities are negative or not finite, must be at least 0")
    if tuple(image.shape) != (*shape[1:], 3) or image.dtype != torch.uint8:
        raise InputError(
            f"image is {tuple(image.shape)} {image.dtype}, must be {(*shape[1:], 3)} torch.uint8"
        )
    if not (math.isfinite(unary_weight) and unary_weight >= 0):
        raise InputError(f"unary_weight is {unary_weight}, must be finite and at least 0")
    if fixed is None:
        return
    if tuple(fixed.shape) != shape[1:] or fixed.is_floating_point() or fixed.dtype == torch.bool:
        raise InputError(
            f"fixed is {tuple(fixed.shape)} {fixed.dtype}, must be {shape[1:]} integers"
        )
    low, high = int(fixed.min()), int(fixed.max())
    if low < -1 or high >= shape[0]:
        raise InputError(f"fixed has classes {low}..{high}, must be -1 or 0..{shape[0] - 1}")


def _fix(unary: Tensor, fixed: Tensor) -> None:
    """Give the fixed pixels a potential that no message can outweigh, in place."""
    y, x = (fixed >= 0).nonzero(as_tuple=True)
    unary[y, x] = -math.inf
    unary[y, x, fixed[y, x].long()] = 0.0


def _messages(
    image: Tensor, like: Tensor, config: DenseCRFConfig
) -> Callable[[Tensor], Iterator[tuple[slice, Tensor]]]:
    """What all pixels tell each other, as a function of the marginals (H, W, K).

    The function yields the rows of a block and the message (rows, W, K) that they receive.
    """
    height, width, classes = like.shape
    # Blocks of rows that fit a cache are faster than passes over whole arrays; not so on a GPU.
    rows = max(1, _BLOCK // (width * classes)) if like.device.type == "cpu" else height
    blocks = [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
    if config.bilateral_weight:
        features = _bilateral_features(image, config, like.dtype)
        lattice = build_lattice(features).normalized()
        slices = [lattice.slice.rows(b.start * width, b.stop * width) for b in blocks]
    if config.spatial_weight:
        axis = _gaussian_axis(height, config.spatial_xy, like)
        verticals = [axis.rows(block.start, block.stop) for block in blocks]
        horizontal = _gaussian_axis(width, config.spatial_xy, like)

    def messages(beliefs: Tensor) -> Iterator[tuple[slice, Tensor]]:
        if config.bilateral_weight:
            corners = lattice.blurred_corners(beliefs.view(-1, classes))
        for index, block in enumerate(blocks):
            message = like.new_zeros(block.stop - block.start, width, classes)
            if config.bilateral_weight:
                near = (slices[index] @ corners).view_as(message)
                message.add_(near, alpha=config.bilateral_weight)
            if config.spatial_weight:
                near = (verticals[index] @ beliefs.view(height, -1)).view_as(message)
                near = horizontal @ near.transpose(0, 1).reshape(width, -1)
                near = near.view(width, -1, classes).transpose(0, 1)
                message.add_(near, alpha=config.spatial_weight)
            yield block, message

    return messages


def _bilateral_features(image: Tensor, config: DenseCRFConfig, dtype: torch.dtype) -> Tensor:
    """(H * W, 5): x, y, red, green, blue in standard deviations."""
    height, width, _ = image.shape
    y, x = torch.meshgrid(
        torch.arange(height, device=image.device, dtype=dtype),
        torch.arange(width, device=image.device, dtype=dtype),
        indexing="ij",
    )
    position = torch.stack([x, y], 2) / config.bilateral_xy
    return torch.cat([position, image.to(dtype) / config.bilateral_rgb], 2).view(-1, 5)


def _gaussian_axis(length: int, sigma: float, like: Tensor) -> SparseRows:
    """The matrix (length, length) of a Gaussian along one axis, normalised symmetrically.

    Beyond the border there is nothing. The normalised kernel of two axes is the product of the
    normalised kernels of each.
    """
    reach = min(math.ceil(_SPATIAL_REACH * sigma), length - 1)
    offsets = torch.arange(-reach, reach + 1, device=like.device)
    columns = torch.arange(length, device=like.device)[:, None] + offsets
    inside = (columns >= 0) & (columns < length)
    kernel = torch.exp(-0.5 * (offsets.to(like) / sigma) ** 2)
    norm = (inside * kernel).sum(1).rsqrt()
    weights = kernel * norm[:, None] * norm[columns.clamp(0, length - 1)]
    return SparseRows.from_mask(columns, weights, inside)
