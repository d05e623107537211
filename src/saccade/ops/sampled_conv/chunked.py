"""Eager path of the sampled convolution: gather, multiply and forget, a few rows at a time.

Why not the whole column matrix: at 32 -> 32 channels and 160 x 240 on one CPU thread it is
44 MB of fresh memory, and touching it is most of the 39 ms that gather and GEMM take then. In
chunks that stay in the cache the same work takes 11 ms. One GEMM for all taps followed by an
`embedding_bag` sum writes a table of the same 44 MB that cannot be cut (27 ms); it pays only
where one table serves many draws (`products.py`). The backward pass gathers its columns again,
so nothing of the size of the column matrix is ever kept.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag

from saccade.ops.sampled_conv.contract import (
    contract,
    contract_columns_grad,
    contract_matrix_grad,
)

# On a CPU flat between 0.5 and 4 MB per thread (measured). On a GPU large enough to fill the
# device with one chunk, small beside its memory; not tuned.
_CHUNK_BYTES = {"cpu": 2 << 20}
_CHUNK_BYTES_ELSEWHERE = 256 << 20
_CHUNK_ROWS_MIN = 64


def chunked_conv(rows: Tensor, matrix: Tensor, indices: Tensor, scales: Tensor | None) -> Tensor:
    """Sampled convolution over the rows of a map.

    Args:
        rows: (B, N, Cin), contiguous: the pixels of the map.
        matrix: (G, T * Cin / G, Cout / G), see `contract`.
        indices: (B or 1, P, T, K) int64 into the N rows.
        scales: (B or 1, P, T, K) factors of the gathered rows, or None for ones.

    Returns:
        (B, P, Cout), differentiable once in `rows`, `matrix` and `scales`.
    """
    result: Tensor = _ChunkedConv.apply(rows, matrix, indices, scales)
    return result


class _ChunkedConv(torch.autograd.Function):
    @staticmethod
    def forward(rows: Tensor, matrix: Tensor, indices: Tensor, scales: Tensor | None) -> Tensor:
        batch, _, channels = rows.shape
        points, taps, _ = indices.shape[1:]
        out = rows.new_empty(batch, points, matrix.shape[0] * matrix.shape[2])
        step = _chunk_rows(rows, taps)
        buffer = rows.new_empty(min(step, points), taps, channels)
        with torch.autocast(rows.device.type, enabled=False):
            for b in range(batch):
                index, scale = _of_sample(indices, b), _of_sample(scales, b)
                for part in _parts(points, step):
                    columns = _gather(rows[b], index[part], _at(scale, part), buffer)
                    _contract_into(out[b, part], columns, matrix)
        return out

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, matrix, indices, scales = ctx.saved_tensors
        with torch.autocast(rows.device.type, enabled=False):
            # The gradient of a channels-first map arrives transposed; every chunk would pay for it.
            grads = _backward(
                rows, matrix, indices, scales, grad.contiguous(), ctx.needs_input_grad
            )
        return grads[0], grads[1], None, grads[2]


def _backward(
    rows: Tensor,
    matrix: Tensor,
    indices: Tensor,
    scales: Tensor | None,
    grad: Tensor,
    needed: tuple[bool, ...],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    points, taps, _ = indices.shape[1:]
    # Thousands of addends may meet in one cell: half precision would lose the small ones.
    grad_rows = _accumulator(rows) if needed[0] else None
    grad_matrix = _accumulator(matrix) if needed[1] else None
    grad_scales = torch.zeros_like(scales) if scales is not None and needed[3] else None
    step = _chunk_rows(rows, taps)
    buffer = rows.new_empty(min(step, points), taps, rows.shape[2])
    for b in range(rows.shape[0]):
        index, scale = _of_sample(indices, b), _of_sample(scales, b)
        for part in _parts(points, step):
            out_grad, chosen, factor = grad[b, part], index[part], _at(scale, part)
            if grad_matrix is not None:
                columns = _gather(rows[b], chosen, factor, buffer)
                grad_matrix += contract_matrix_grad(columns, out_grad, matrix)
            if grad_rows is None and grad_scales is None:
                continue
            # The columns are no longer needed: their buffer takes their gradient.
            columns_grad = contract_columns_grad(
                out_grad, matrix, taps, out=buffer[: len(out_grad)]
            )
            if grad_rows is not None:
                _scatter(grad_rows[b], chosen, factor, columns_grad)
            if grad_scales is not None:
                target = grad_scales[b if len(grad_scales) > 1 else 0, part]
                target += _scale_grad(rows[b], chosen, columns_grad)
    return _as(grad_rows, rows), _as(grad_matrix, matrix), grad_scales


def _contract_into(out: Tensor, columns: Tensor, matrix: Tensor) -> None:
    made = contract(columns, matrix, out=out)
    if made is not out:  # several groups
        out.copy_(made)


def _gather(rows: Tensor, indices: Tensor, scales: Tensor | None, buffer: Tensor) -> Tensor:
    """Columns (n, T, Cin) of n locations; indices and scales are (n, T, K)."""
    n, taps, corners = indices.shape
    factor = None if scales is None else scales.to(rows.dtype)
    if corners > 1:
        # A weighted sum of rows in one pass, without the (n, T, K, Cin) intermediate.
        flat, weights = indices.reshape(-1, corners), factor
        if weights is not None:
            weights = weights.reshape(-1, corners)
        bags = embedding_bag(flat, rows, mode="sum", per_sample_weights=weights)
        return bags.view(n, taps, -1)
    columns = buffer[:n]
    torch.index_select(rows, 0, indices.reshape(-1), out=columns.view(n * taps, -1))
    return columns if factor is None else columns.mul_(factor)


def _scatter(target: Tensor, indices: Tensor, scales: Tensor | None, grad: Tensor) -> None:
    """Adds the gradient (n, T, Cin) of the columns to the rows they came from."""
    values = grad.to(target.dtype)
    for k in range(indices.shape[2]):
        part = values if scales is None else values * scales[:, :, k, None].to(target.dtype)
        target.index_add_(0, indices[:, :, k].reshape(-1), part.reshape(-1, target.shape[1]))


def _scale_grad(rows: Tensor, indices: Tensor, grad: Tensor) -> Tensor:
    """Gradient (n, T, K) of the scales: the inner product of column gradient and read row."""
    n, taps, corners = indices.shape
    products = []
    for k in range(corners):
        read = rows.index_select(0, indices[:, :, k].reshape(-1)).view(n, taps, -1)
        products.append(read.mul_(grad).sum(-1))
    return torch.stack(products, dim=-1)


def _chunk_rows(rows: Tensor, taps: int) -> int:
    budget = _CHUNK_BYTES.get(rows.device.type, _CHUNK_BYTES_ELSEWHERE)
    return max(_CHUNK_ROWS_MIN, budget // max(1, taps * rows.shape[2] * rows.element_size()))


def _parts(total: int, step: int) -> list[slice]:
    return [slice(start, min(start + step, total)) for start in range(0, total, step)]


def _of_sample(tensor: Tensor | None, b: int) -> Any:
    """The entry of sample b, or the only one where the batch shares it."""
    return None if tensor is None else tensor[b if len(tensor) > 1 else 0]


def _at(tensor: Tensor | None, part: slice) -> Tensor | None:
    return None if tensor is None else tensor[part]


def _accumulator(like: Tensor) -> Tensor:
    half = like.dtype in (torch.float16, torch.bfloat16)
    return torch.zeros_like(like, dtype=torch.float32 if half else None)


def _as(value: Tensor | None, like: Tensor) -> Tensor | None:
    return None if value is None else value.to(like.dtype)
