"""Sampled convolution as functions: positions, the convolution, and what follows from it."""

from saccade.ops.deform_conv import deform_conv2d
from saccade.ops.gaussian_conv import gaussian_conv2d, gaussian_positions
from saccade.ops.offsets import (
    Granularity,
    half_gaussian_offsets,
    offset_size,
    truncated_gaussian_offsets,
    uniform_offsets,
)
from saccade.ops.positions import (
    Rounding,
    Scale,
    conv_positions,
    grid_positions,
    map_scale,
    positions_at,
    round_positions,
    tap_directions,
)
from saccade.ops.sampled_conv import (
    Backend,
    Border,
    Interpolation,
    sampled_conv2d,
    sampled_conv2d_reference,
    sampled_sum,
    tap_products,
)

__all__ = [
    "Backend",
    "Border",
    "Granularity",
    "Interpolation",
    "Rounding",
    "Scale",
    "conv_positions",
    "deform_conv2d",
    "gaussian_conv2d",
    "gaussian_positions",
    "grid_positions",
    "half_gaussian_offsets",
    "map_scale",
    "offset_size",
    "positions_at",
    "round_positions",
    "sampled_conv2d",
    "sampled_conv2d_reference",
    "sampled_sum",
    "tap_directions",
    "tap_products",
    "truncated_gaussian_offsets",
    "uniform_offsets",
]
