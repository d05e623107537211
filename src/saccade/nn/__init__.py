"""Layers with sampled receptive fields, thin shells over `saccade.ops`."""

from saccade.nn.gaussian import GaussianDynamicConv2d, UniformDynamicConv2d
from saccade.nn.guided import ContextGuidedDynamicSampling, DynamicFilter, DynamicSamplingConv2d
from saccade.nn.pyramid import ASPP, GaussianDynamicPyramidPooling
from saccade.nn.sampling import DeformConv2d, DeformConv2dV2
from saccade.nn.variant import VariantGaussianDynamicConv2d

__all__ = [
    "ASPP",
    "ContextGuidedDynamicSampling",
    "DeformConv2d",
    "DeformConv2dV2",
    "DynamicFilter",
    "DynamicSamplingConv2d",
    "GaussianDynamicConv2d",
    "GaussianDynamicPyramidPooling",
    "UniformDynamicConv2d",
    "VariantGaussianDynamicConv2d",
]
