"""The sampled convolution as one kernel: no columns, and no drawn positions, in memory."""

import importlib.util
import os

import torch
from torch import Tensor

from saccade.ops.fused.operator import fused_conv2d

__all__ = ["fused_conv2d", "reason_against"]

_DTYPES = (torch.float32, torch.float16, torch.bfloat16)
# Constants, because a compiler cannot trace the questions. Triton too asks once, when imported.
_TRITON = importlib.util.find_spec("triton") is not None
_INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


def reason_against(input: Tensor) -> str | None:
    """Why the fused kernel cannot take this input, or None where it can.

    It needs Triton, single or half precision, and an NVIDIA card of compute capability 8 or
    newer. With TRITON_INTERPRET=1 in the environment from the start, Triton's interpreter runs
    it on the CPU, for tests.
    """
    if input.dtype not in _DTYPES:
        return f"it computes float32, float16 and bfloat16, not {input.dtype}"
    if not _TRITON:
        return "Triton is not installed"
    if _INTERPRETED:
        return None
    if not input.is_cuda or torch.version.hip is not None:
        return f"it runs on NVIDIA cards, not on {input.device}"
    if torch.cuda.get_device_capability(input.device)[0] < 8:
        return "it needs a card of compute capability 8 or newer"
    return None
