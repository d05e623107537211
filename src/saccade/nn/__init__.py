"""Layers with sampled receptive fields, thin shells over `saccade.ops`.

One file per idea of a paper: `gaussian`, `uniform`, `variant`, `pyramid` (GDC), `cgds` (DSNet),
`dilated` (MDC), and the baselines `deform` and `dynamic_filter`.
"""

from saccade.nn.cgds import ContextGuidedDynamicSampling, DynamicSamplingConv2d
from saccade.nn.deform import DeformConv2d, DeformConv2dV2
from saccade.nn.dilated import DilatedBlock, MultiDilatedBlocks
from saccade.nn.dynamic_filter import DynamicFilter
from saccade.nn.gaussian import GaussianDynamicConv2d
from saccade.nn.pyramid import ASPP, GaussianDynamicPyramidPooling
from saccade.nn.uniform import UniformDynamicConv2d
from saccade.nn.variant import VariantGaussianDynamicConv2d

__all__ = [
    "ASPP",
    "ContextGuidedDynamicSampling",
    "DeformConv2d",
    "DeformConv2dV2",
    "DilatedBlock",
    "DynamicFilter",
    "DynamicSamplingConv2d",
    "GaussianDynamicConv2d",
    "GaussianDynamicPyramidPooling",
    "MultiDilatedBlocks",
    "UniformDynamicConv2d",
    "VariantGaussianDynamicConv2d",
]
