"""The sum over taps and channels of gathered columns, and its two gradients.

Columns are (n, T, Cin); the weight is in matrix form (G, T * Cin / G, Cout / G) for G groups.
One group is one GEMM. Depthwise is a product and a sum, because a batched GEMM of C matrices
with a single column each is several times slower.
"""

import torch
from torch import Tensor


def weight_matrix(weight: Tensor, groups: int) -> Tensor:
    """(Cout, Cin / G, kh, kw) as (G, T * Cin / G, Cout / G)."""
    cout, per_group = weight.shape[:2]
    split = weight.reshape(groups, cout // groups, per_group, -1)
    return split.permute(0, 3, 2, 1).reshape(groups, -1, cout // groups)


def contract(columns: Tensor, matrix: Tensor, out: Tensor | None = None) -> Tensor:
    """(n, T, Cin) columns and a weight matrix to (n, Cout); one group may write into `out`."""
    if matrix.shape[0] == 1:
        return torch.mm(columns.flatten(1), matrix[0], out=out)
    if _depthwise(columns, matrix):
        return (columns * matrix[:, :, 0].t().contiguous()).sum(1)
    return torch.bmm(_by_group(columns, matrix.shape[0]), matrix).transpose(0, 1).flatten(1)


def contract_columns_grad(
    grad: Tensor, matrix: Tensor, taps: int, out: Tensor | None = None
) -> Tensor:
    """Gradient (n, Cout) of the outputs to the gradient (n, T, Cin) of the columns.

    One group may write into `out`.
    """
    n, groups = grad.shape[0], matrix.shape[0]
    if groups == 1:
        into = None if out is None else out.flatten(1)
        return torch.mm(grad, matrix[0].t(), out=into).view(n, taps, matrix.shape[1] // taps)
    if matrix.shape[1] == taps and matrix.shape[2] == 1:
        return grad.unsqueeze(1) * matrix[:, :, 0].t().contiguous()
    grouped = grad.view(n, groups, matrix.shape[2]).transpose(0, 1)
    columns = torch.bmm(grouped, matrix.transpose(1, 2))
    split = columns.view(groups, n, taps, matrix.shape[1] // taps)
    return split.permute(1, 2, 0, 3).flatten(2)


def contract_matrix_grad(columns: Tensor, grad: Tensor, matrix: Tensor) -> Tensor:
    """Gradient of the weight matrix, in its shape."""
    n, groups = grad.shape[0], matrix.shape[0]
    if groups == 1:
        return (columns.flatten(1).t() @ grad).unsqueeze(0)
    if _depthwise(columns, matrix):
        return (columns * grad.unsqueeze(1)).sum(0).t().unsqueeze(-1)
    grouped = grad.view(n, groups, matrix.shape[2]).transpose(0, 1)
    return torch.bmm(_by_group(columns, groups).transpose(1, 2), grouped)


def _depthwise(columns: Tensor, matrix: Tensor) -> bool:
    return matrix.shape[0] == columns.shape[2] and matrix.shape[2] == 1


def _by_group(columns: Tensor, groups: int) -> Tensor:
    n, taps, channels = columns.shape
    split = columns.reshape(n, taps, groups, channels // groups).permute(2, 0, 1, 3)
    return split.flatten(2)
