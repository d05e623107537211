"""What the kernels are told: sizes, strides, the mode, the blocks. No Triton here."""

from typing import NamedTuple

import torch
from torch import Tensor


class Sizes(NamedTuple):
    """Sizes of one launch. `channels` and `outputs` are those of one group."""

    taps: int
    points: int
    height: int
    width: int
    out_width: int
    batch: int
    groups: int
    channels: int
    outputs: int
    kernel_width: int
    first_y: int  # the first tap's direction is (-first_y, -first_x)
    first_x: int
    where_batch: int  # stride of the positions over the batch, 0 where it shares them
    mask_batch: int
    reach_y: float  # of drawn positions: the half-normals' standard deviation in pixels
    reach_x: float


class Strides(NamedTuple):
    """Strides, in elements, of a tensor (B, C, H, W)."""

    b: int
    c: int
    y: int
    x: int


class Mode(NamedTuple):
    """What a kernel is compiled for."""

    drawn: bool  # positions come from a seed
    per_location: bool
    per_tap: bool
    whole: bool  # drawn positions are rounded down
    bilinear: bool
    zero: bool
    masked: bool
    biased: bool
    precision: str  # of a product of float32 blocks
    widen: bool  # multiply in float32: Triton's interpreter multiplies the bits of bfloat16


class Blocks(NamedTuple):
    """Sizes of the blocks that a program multiplies, powers of two of at least 16."""

    points: int
    channels: int
    outputs: int
    warps: int
    stages: int


class Wanted(NamedTuple):
    """Which gradients the kernel of the columns makes."""

    image: bool
    where: bool
    mask: bool


class Sampling(NamedTuple):
    """How positions are drawn, where they are, and read."""

    bilinear: bool
    zero: bool
    groups: int
    sigma_y: float = 0.0  # pixels
    sigma_x: float = 0.0
    granularity: str = "location"
    floor: bool = False


def choose_blocks(channels: int, outputs: int, sampling: Sampling, dtype: torch.dtype) -> Blocks:
    """Blocks for the channels of one group.

    Timed on an H200 with 32 channels, forward and backward: one stage takes 1.17 ms where two take
    2.23 (float32), and 64 locations are faster than 32 for bilinear sampling too (1.72 ms for
    2.35). `benchmarks.sampled_conv --tune` times the neighbours of this choice.
    """
    wide = dtype != torch.float32 and not sampling.bilinear
    return Blocks(
        points=64,
        channels=min(64 if wide else 32, _power_of_two(channels)),
        outputs=min(64, _power_of_two(outputs)),
        warps=4,
        stages=1,
    )


def empty_output(input: Tensor, cout: int, out_size: tuple[int, ...]) -> Tensor:
    """An output (B, Cout, Ho, Wo), channels-last where the input is and is nothing else."""
    last = input.is_contiguous(memory_format=torch.channels_last) and not input.is_contiguous()
    layout = torch.channels_last if last else torch.contiguous_format
    return torch.empty(
        (input.shape[0], cout, *out_size),
        dtype=input.dtype,
        device=input.device,
        memory_format=layout,
    )


def _power_of_two(count: int) -> int:
    return max(16, 1 << (count - 1).bit_length())
