"""Compiles the fused kernels to machine code for a card that need not be there; no test by itself.

`test_fused.py` runs it in a process of its own, because it replaces Triton's driver. The
interpreter accepts types and shapes that the compiler does not.
"""

import sys
from typing import Any

import torch
import triton
from torch import Tensor
from triton.backends.compiler import GPUTarget
from triton.runtime.jit import MockTensor

from saccade.ops.fused.launch import Launch
from saccade.ops.fused.plan import Sampling, Wanted


class Driver:
    """What Triton asks before it compiles."""

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return 0


class Compiled(Launch):
    """Compiles where `Launch` would launch."""

    def _run(self, kernel: Any, grid: tuple[int, ...], *arguments: Any) -> None:
        mocks = [MockTensor(a.dtype) if isinstance(a, Tensor) else a for a in arguments]
        made = kernel.warmup(
            *mocks,
            grid=grid,
            num_warps=self.blocks.warps,
            num_stages=self.blocks.stages,
            enable_fp_fusion=False,
        )
        text = made.asm["ptx"]
        assert made.asm["cubin"]
        # A fused multiply-add would move drawn positions away from those of `philox.py`.
        assert "fma.rn.f32" not in text, kernel.__name__
        assert "mma" in text, f"{kernel.__name__} leaves the tensor cores idle"
        print("compiled", kernel.__name__)


def main() -> None:
    triton.runtime.driver.set_active(Driver())
    for dtype, drawn, channels in ((torch.float32, True, 32), (torch.float16, False, 1)):
        x = torch.empty(1, channels, 8, 9, dtype=dtype)
        weight = torch.empty(channels, channels, 3, 3, dtype=dtype)
        positions = None if drawn else torch.empty(1, 9, 2, 8, 9)
        mask = None if drawn else torch.empty(1, 9, 8, 9)
        sampling = Sampling(not drawn, not drawn, 1, 2.0, 2.0)
        launch = Compiled(x, weight, positions, mask, torch.tensor(0), sampling)
        launch.forward(None)
        launch.columns_grad(x, Wanted(True, not drawn, not drawn))
        launch.weight_grad(x)


if __name__ == "__main__":
    sys.exit(main())
