"""Minimal partitions: probabilities to regions with short, edge-following borders.

Minimises  sum_k <u_k, unary_k> + strength / 2 * sum_k TV_w(u_k)  over maps u on the simplex, the
convex relaxation of the Potts model with contrast-sensitive edge weights w, by the primal-dual
method of Chambolle and Pock (2011). For two classes the relaxation is exact: thresholding gives
the minimum cut that graph-cut tools compute, without their code or licence, and on any device.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_FORBIDDING = 1e4
_STEP = 0.35  # primal and dual step; their product times the operator's norm, 8, stays below 1


def edge_weights(image: Tensor, contrast: float = 1.0) -> tuple[Tensor, Tensor]:
    """exp(-contrast * d / (2 mean d)) for squared differences d of ``image`` (C, H, W).

    Returns:
        Weights in (0, 1] between vertical neighbours (H - 1, W) and horizontal ones (H, W - 1).
    """
    down = (image[:, 1:] - image[:, :-1]).square().sum(0)
    right = (image[:, :, 1:] - image[:, :, :-1]).square().sum(0)
    count = max(1, down.numel() + right.numel())
    mean = ((down.sum() + right.sum()) / count).clamp_min(1e-12)
    factor = -contrast / (2 * mean)
    return torch.exp(factor * down), torch.exp(factor * right)


def potts(
    unary: Tensor,
    weights: tuple[Tensor, Tensor],
    *,
    strength: float,
    iterations: int,
    start: Tensor | None = None,
) -> Tensor:
    """Regions of least cost.

    Args:
        unary: cost of each class at each pixel (K, H, W), for instance -log of probabilities; a
            large cost forbids a class (strokes).
        weights: of `edge_weights`.
        strength: price of a border of length one without contrast, in units of the unary.
        iterations: primal-dual steps; 80 settle photographs at half size.
        start: (K, H, W) to start from, by default softmax(-unary).

    Returns:
        (K, H, W), >= 0, sums to 1 over classes; nearly 0 or 1 where converged.
    """
    u = torch.softmax(-unary, 0) if start is None else start.clone()
    if len(unary) == 1:
        return torch.ones_like(unary)
    limits = (strength * weights[0], strength * weights[1])
    if len(unary) == 2:
        second = _relax((unary[1:] - unary[:1]), limits, iterations, u[1:], _clamp)
        return torch.cat([1 - second, second])
    # Costs beyond any border's price forbid as well as infinite ones, which make no sums.
    unary = unary.clamp_max(_FORBIDDING)
    # A border counts in the total variation of both its classes.
    half = (limits[0] / 2, limits[1] / 2)
    return _relax(unary, half, iterations, u, project_simplex)


def _clamp(u: Tensor) -> Tensor:
    return u.clamp_(0, 1)


def _relax(
    unary: Tensor,
    limits: tuple[Tensor, Tensor],
    iterations: int,
    u: Tensor,
    project: Callable[[Tensor], Tensor],
) -> Tensor:
    """The primal-dual loop; all maps (K, H, W), updated in place where that saves a copy."""
    down_limit, right_limit = limits
    down = torch.zeros_like(unary[:, 1:])
    right = torch.zeros_like(unary[:, :, 1:])
    ahead = u.clone()
    for _ in range(iterations):
        down.add_(ahead[:, 1:] - ahead[:, :-1], alpha=_STEP)
        torch.clamp(down, -down_limit, down_limit, out=down)
        right.add_(ahead[:, :, 1:] - ahead[:, :, :-1], alpha=_STEP)
        torch.clamp(right, -right_limit, right_limit, out=right)
        new = torch.add(u, unary, alpha=-_STEP)
        new[:, :-1].add_(down, alpha=_STEP)
        new[:, 1:].sub_(down, alpha=_STEP)
        new[:, :, :-1].add_(right, alpha=_STEP)
        new[:, :, 1:].sub_(right, alpha=_STEP)
        new = project(new)
        torch.mul(new, 2, out=ahead).sub_(u)
        u = new
    return u


def project_simplex(u: Tensor) -> Tensor:
    """Euclidean projection of (K, ...) onto {u >= 0, sum_k u = 1} (Michelot's method).

    Classes below the threshold drop out and raise it, until none does. K rounds always suffice;
    nearly all pixels are done after three, so looking whether all are costs more than it saves
    until there are many classes.
    """
    threshold = (u.sum(0) - 1) / len(u)
    for done in range(len(u) - 1):
        active = u > threshold
        raised = ((u * active).sum(0) - 1) / active.sum(0)
        if done % 4 == 3 and torch.equal(raised, threshold):
            break
        threshold = raised
    return (u - threshold).clamp_min_(0)
