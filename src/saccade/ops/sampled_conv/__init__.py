"""Convolution at free sampling positions: one function, its oracle, its paths."""

from saccade.ops.sampled_conv.checks import Backend, Border, Interpolation
from saccade.ops.sampled_conv.function import sampled_conv2d
from saccade.ops.sampled_conv.products import sampled_sum, tap_products
from saccade.ops.sampled_conv.reference import sampled_conv2d_reference

__all__ = [
    "Backend",
    "Border",
    "Interpolation",
    "sampled_conv2d",
    "sampled_conv2d_reference",
    "sampled_sum",
    "tap_products",
]
