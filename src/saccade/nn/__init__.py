"""Layers with sampled receptive fields, thin shells over `saccade.ops`."""

from saccade.nn.gaussian import GaussianDynamicConv2d, UniformDynamicConv2d
from saccade.nn.sampling import DeformConv2d
from saccade.nn.variant import VariantGaussianDynamicConv2d

__all__ = [
    "DeformConv2d",
    "GaussianDynamicConv2d",
    "UniformDynamicConv2d",
    "VariantGaussianDynamicConv2d",
]
