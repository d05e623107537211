"""Launches of the kernels: layouts, grids, what is allocated. Importing it imports Triton.

Memory beyond the results: the packed weight (forward); the weight's gradient in shares, at most
a tenth of input and output; for half precision the input's gradient in float32.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import triton
from torch import Tensor

from saccade.ops.fused.kernels import columns_grad_kernel, forward_kernel, weight_grad_kernel
from saccade.ops.fused.plan import (
    Blocks,
    Mode,
    Sampling,
    Sizes,
    Strides,
    Wanted,
    choose_blocks,
    empty_output,
)

# Programs that fill the largest cards once; more shares of the weight's gradient gain nothing.
_PROGRAMS = 1024


class Launch:
    """One convolution, ready to be launched forward and backward.

    Args:
        input: (B, Cin, H, W) with any strides.
        weight: (Cout, Cin / groups, kh, kw) in the dtype of the input.
        positions: (B or 1, T, 2, Ho, Wo) float32, or None to draw.
        mask: (B or 1, T, Ho, Wo) float32, or None.
        seed: () int64 on the device of the input where positions are None.
        sampling: how positions are drawn and read.
        blocks: instead of `choose_blocks`.
    """

    def __init__(
        self,
        input: Tensor,
        weight: Tensor,
        positions: Tensor | None,
        mask: Tensor | None,
        seed: Tensor | None,
        sampling: Sampling,
        blocks: Blocks | None = None,
    ) -> None:
        self.input, self.weight, self.sampling = input, weight, sampling
        # (Cout, Cin / G, kh, kw) -> (T, Cin / G, Cout), a copy of the weight's size.
        self.packed = weight.flatten(2).permute(2, 1, 0).contiguous()
        where = seed if positions is None else positions.contiguous()
        assert where is not None
        self.where = where
        self.mask = None if mask is None else mask.contiguous()
        rows, columns = input.shape[2:] if positions is None else positions.shape[3:]
        self.out_size = (rows, columns)
        self.sizes = self._sizes(positions)
        self.blocks = blocks or choose_blocks(
            self.sizes.channels, self.sizes.outputs, sampling, input.dtype
        )

    def _sizes(self, positions: Tensor | None) -> Sizes:
        taps, channels, cout = self.packed.shape
        kernel = self.weight.shape[2:]
        points = self.out_size[0] * self.out_size[1]
        shared = positions is None or len(positions) == 1
        return Sizes(
            taps=taps,
            points=points,
            height=self.input.shape[2],
            width=self.input.shape[3],
            out_width=self.out_size[1],
            batch=self.input.shape[0],
            groups=self.sampling.groups,
            channels=channels,
            outputs=cout // self.sampling.groups,
            kernel_width=kernel[1],
            first_y=(kernel[0] - 1) // 2,
            first_x=(kernel[1] - 1) // 2,
            where_batch=0 if shared else taps * 2 * points,
            mask_batch=0 if self.mask is None or len(self.mask) == 1 else taps * points,
            reach_y=self.sampling.sigma_y,
            reach_x=self.sampling.sigma_x,
        )

    def _mode(self, *, biased: bool = False) -> Mode:
        return Mode(
            drawn=self.where.dtype == torch.int64,
            per_location=self.sampling.granularity == "location",
            per_tap=self.sampling.granularity != "layer",
            whole=self.sampling.floor,
            bilinear=self.sampling.bilinear,
            zero=self.sampling.zero,
            masked=self.mask is not None,
            biased=biased,
            # Three products of TensorFloat-32 are as exact as float32 and run on tensor cores.
            precision="tf32x3",
            widen=self.input.dtype == torch.bfloat16 and not self.input.is_cuda,
        )

    def _run(self, kernel: Any, grid: tuple[int, ...], *arguments: Any) -> None:
        if 0 in grid:
            return
        with _on(self.input.device):
            kernel[grid](
                *arguments,
                num_warps=self.blocks.warps,
                num_stages=self.blocks.stages,
                enable_fp_fusion=False,
            )

    def forward(self, bias: Tensor | None) -> Tensor:
        """(B, Cout, Ho, Wo), channels-last where the input is."""
        out = empty_output(self.input, self.weight.shape[0], self.out_size)
        sizes, blocks = self.sizes, self.blocks
        grid = (
            triton.cdiv(sizes.points, blocks.points),
            sizes.groups * triton.cdiv(sizes.outputs, blocks.outputs),
            sizes.batch,
        )
        self._run(
            forward_kernel,
            grid,
            self.input,
            self.packed,
            self.packed if bias is None else bias,
            self.where,
            self.where if self.mask is None else self.mask,
            out,
            sizes,
            _strides(self.input),
            _strides(out),
            self._mode(biased=bias is not None),
            blocks,
        )
        return out

    def columns_grad(
        self, grad: Tensor, wanted: Wanted
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Gradients of input, positions and mask from that of the output, where wanted."""
        sizes, blocks, batch = self.sizes, self.blocks, self.sizes.batch
        if self.sampling.bilinear:
            blocks = blocks._replace(channels=16)  # more spills registers (compute capability 9)
        image = torch.zeros_like(self.input, dtype=torch.float32) if wanted.image else None
        single = self.input.new_empty(0, dtype=torch.float32)
        rows, columns = self.out_size
        where, mask = None, None
        if wanted.where:
            where = single.new_empty(batch, sizes.taps, 2, rows, columns)
        if wanted.mask:
            mask = single.new_empty(batch, sizes.taps, rows, columns)
        shares = sizes.groups * triton.cdiv(sizes.channels, blocks.channels)
        if wanted.where or wanted.mask:
            shares = 1
        self._run(
            columns_grad_kernel,
            (triton.cdiv(sizes.points, blocks.points), shares, batch),
            grad,
            self.input,
            self.packed,
            self.where,
            self.where if self.mask is None else self.mask,
            grad if image is None else image,
            grad if where is None else where,
            grad if mask is None else mask,
            sizes,
            _strides(grad),
            _strides(self.input),
            _strides(self.input if image is None else image),
            self._mode(),
            blocks,
            wanted,
        )
        return (
            None if image is None else image.to(self.input.dtype),
            _summed(where, like=self.where),
            _summed(mask, like=self.mask),
        )

    def weight_grad(self, grad: Tensor) -> Tensor:
        """Gradient of the weight, the same in every run."""
        sizes, blocks = self.sizes, self.blocks
        tiles = sizes.taps * sizes.groups
        tiles *= triton.cdiv(sizes.channels, blocks.channels)
        tiles *= triton.cdiv(sizes.outputs, blocks.outputs)
        room = (self.input.numel() + grad.numel()) // (10 * max(1, self.packed.numel()))
        most = sizes.batch * triton.cdiv(sizes.points, blocks.points)
        shares = max(1, min(room, most, triton.cdiv(_PROGRAMS, tiles)))
        partial = torch.empty(
            shares, *self.packed.shape, dtype=torch.float32, device=self.input.device
        )
        self._run(
            weight_grad_kernel,
            (tiles, shares),
            grad,
            self.input,
            self.where,
            self.where if self.mask is None else self.mask,
            partial,
            sizes,
            _strides(grad),
            _strides(self.input),
            self._mode(),
            blocks,
        )
        summed = partial.sum(0) if shares > 1 else partial[0]
        grad_like = summed.permute(2, 1, 0).to(self.weight.dtype)  # (Cout, Cin / G, T)
        return grad_like.contiguous().view(self.weight.shape)


def _strides(tensor: Tensor) -> Strides:
    return Strides(*tensor.stride())


def _summed(grad: Tensor | None, like: Tensor | None) -> Tensor | None:
    """The gradient of what the batch shares is the sum over the batch."""
    if grad is None or like is None or len(grad) == len(like):
        return grad
    return grad.sum(0, keepdim=True)


def _on(device: torch.device) -> AbstractContextManager[Any]:
    """Triton launches on the current device."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()
