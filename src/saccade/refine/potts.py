"""Minimal partitions: probabilities to regions with short, edge-following borders.

Minimises  sum_k <u_k, unary_k> + strength / 2 * sum_k TV_w(u_k)  over maps u on the simplex, the
convex relaxation of the Potts model with contrast-sensitive edge weights w, by the primal-dual
method of Chambolle and Pock (2011). For two classes the relaxation is exact: thresholding gives
the minimum cut that graph-cut tools compute, without their code or licence, and on any device.
What holds for neighbours down and to the right holds for neighbours in the next slice of a stack.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

_FORBIDDING = 1e4
# Geometric mean of both steps; its square times 4 for each axis, the operator's norm, is below 1.
_STEP, _STEP_IN_STACKS = 0.35, 0.28

Weights = tuple[Tensor, ...]
"""Of the borders between neighbours along each axis, in the order of the axes."""


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


def stack_weights(
    image: Tensor, contrast: float = 1.0, depth: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """`edge_weights` of a stack (C, Z, H, W), whose slices may be further apart than its pixels.

    Differences between slices are measured by those within them: where slices hardly resemble each
    other they are hardly joined.

    Args:
        image: the stack.
        contrast: as in `edge_weights`.
        depth: distance of slices in pixels. A border between two slices is one pixel, one between
            pixels is as high as a slice is deep.

    Returns:
        Weights (Z - 1, H, W), (Z, H - 1, W) and (Z, H, W - 1), in (0, 1] for a `depth` from 1.

    >>> deep, down, right = stack_weights(torch.zeros(3, 5, 4, 6), depth=2.0)
    >>> deep.shape, down.shape, right.shape, float(deep.max()), float(down.max())
    (torch.Size([4, 4, 6]), torch.Size([5, 3, 6]), torch.Size([5, 4, 5]), 0.5, 1.0)
    """
    deep, down, right = (image.diff(dim=axis).square().sum(0) for axis in (1, 2, 3))
    count = max(1, down.numel() + right.numel())
    mean = ((down.sum() + right.sum()) / count).clamp_min(1e-12)
    factor = -contrast / (2 * mean)
    return torch.exp(factor * deep) / depth, torch.exp(factor * down), torch.exp(factor * right)


def potts(
    unary: Tensor,
    weights: Weights,
    *,
    strength: float,
    iterations: int,
    start: Tensor | None = None,
) -> Tensor:
    """Regions of least cost.

    Args:
        unary: cost of each class at each pixel (K, H, W), for instance -log of probabilities; a
            large cost forbids a class (strokes). Of a stack (K, Z, H, W).
        weights: of `edge_weights`, of a stack those of `stack_weights`.
        strength: price of a border of length one without contrast, in units of the unary.
        iterations: primal-dual steps; 40 settle most photographs at half size.
        start: as ``unary``, to start from, by default softmax(-unary).

    Returns:
        As ``unary``, >= 0, sums to 1 over classes; nearly 0 or 1 where converged.
    """
    classes = len(unary)
    if classes == 1:
        return torch.ones_like(unary)
    # A class nowhere cheaper than any other, as one without strokes, is in no cheapest partition.
    lasting = (unary < unary.amax(0)).flatten(1).any(1)
    if 0 < int(lasting.sum()) < classes:
        out = torch.zeros_like(unary)
        out[lasting] = potts(
            unary[lasting],
            weights,
            strength=strength,
            iterations=iterations,
            start=None if start is None else start[lasting],
        )
        return out
    u = torch.softmax(-unary, 0) if start is None else start
    # The borders' variables grow to `strength`, the maps to 1. Steps in that proportion arrive
    # together, in half as many as equal ones for the strengths that photographs want.
    step = _STEP if len(weights) < 3 else _STEP_IN_STACKS
    primal = step / max(1.0, strength / 2)
    prices = tuple(primal * strength * one for one in weights)
    if classes == 2:
        costs = primal * (unary[1:] - unary[:1])
        second = _relax(costs, prices, iterations, u[1:], _clamp, step)
        return torch.cat([1 - second, second])
    # Costs beyond any border's price forbid as well as infinite ones, which make no sums. A border
    # counts in the total variation of both its classes.
    costs = primal * unary.clamp_max(_FORBIDDING)
    return _relax(costs, tuple(one / 2 for one in prices), iterations, u, project_simplex, step)


def _clamp(u: Tensor, out: Tensor) -> Tensor:
    return torch.clamp(u, 0, 1, out=out)


def _relax(
    costs: Tensor,
    prices: Weights,
    iterations: int,
    u: Tensor,
    project: Callable[[Tensor, Tensor], Tensor],
    step: float,
) -> Tensor:
    """The primal-dual loop for maps (K, ...); costs and prices are multiplied by the step."""
    classes, shape = len(costs), costs.shape
    # Maps are kept as rows one after the other, so that every operation runs over contiguous
    # memory; from a row's end to the next one's start no border has a price.
    shifts = [math.prod(shape[axis:]) for axis in range(2, costs.ndim + 1)]
    limits = [
        _in_rows(one, axis, shift)
        for (axis, one), shift in zip(enumerate(prices), shifts, strict=True)
    ]
    costs, u = costs.flatten(1), u.flatten(1).clone()
    ahead, new = u.clone(), torch.empty_like(u)
    flows = [u.new_zeros(classes, len(limit)) for limit in limits]
    # On the CPU class by class, as all of one class's maps stay in the cache.
    parts = [slice(k, k + 1) for k in range(classes)] if u.device.type == "cpu" else [slice(None)]
    rooms = [
        (-limit, limit, torch.empty_like(flow[parts[0]]))
        for flow, limit in zip(flows, limits, strict=True)
    ]
    # The maps before a step and after it change places. All views of both are made here: one takes
    # as long as a step's arithmetic on the small maps of `saccade.interactive.color_regions`.
    steps = [
        [
            (
                *(before[part], costs[part], after[part]),
                [
                    _Borders(shift, flow[part], room, ahead[part], after[part], step)
                    for shift, flow, room in zip(shifts, flows, rooms, strict=True)
                ],
            )
            for part in parts
        ]
        for before, after in ((u, new), (new, u))
    ]
    for number in range(iterations):
        for before, cost, after, borders in steps[number % 2]:
            torch.sub(before, cost, out=after)
            for one in borders:
                one.exchange()
        new = project(new, new)
        torch.lerp(u, new, 2.0, out=ahead)
        u, new = new, u
    return u.view(shape)


def _in_rows(prices: Tensor, axis: int, shift: int) -> Tensor:
    """Prices of neighbours along an axis by the place of the first, 0 where it has none."""
    missing = [0, 0] * (prices.ndim - axis - 1) + [0, 1]
    return F.pad(prices, missing).flatten()[:-shift]


class _Borders:
    """The dual variables between pixels ``shift`` apart; everything is computed in place.

    ``flow`` (K, N - shift) are they; ``room`` are their lower and upper bounds, (N - shift,) each,
    and space for as many numbers as they are; ``ahead`` and ``new`` (K, N) are the maps of a step.
    """

    def __init__(
        self,
        shift: int,
        flow: Tensor,
        room: tuple[Tensor, Tensor, Tensor],
        ahead: Tensor,
        new: Tensor,
        step: float,
    ) -> None:
        self._gain = step**2
        self._flow, self._bounds, self._rise = flow, room[:2], room[2]
        self._ahead = ahead[:, shift:], ahead[:, :-shift]
        self._new = new[:, :-shift], new[:, shift:]

    def exchange(self) -> None:
        """One step."""
        torch.sub(*self._ahead, out=self._rise)
        self._flow.add_(self._rise, alpha=self._gain)
        torch.clamp(self._flow, *self._bounds, out=self._flow)
        self._new[0].add_(self._flow)
        self._new[1].sub_(self._flow)


def project_simplex(u: Tensor, out: Tensor | None = None) -> Tensor:
    """Euclidean projection of (K, ...) onto {u >= 0, sum_k u = 1} (Michelot's method).

    Args:
        u: any values.
        out: where the result goes, may be ``u`` itself; a new tensor where None.
    """
    flat = u.flatten(1)
    threshold = flat.amax(0).sub_(1)
    # Where one class stands out this is the answer already; the others are taken out and raised.
    total = (flat - threshold).clamp_min_(0).sum(0)
    left = (total > 1 + _settled(u)).nonzero().squeeze(1)
    threshold[left] = _raised(flat.index_select(1, left), threshold[left])
    return torch.sub(u, threshold.view_as(u[0]), out=out).clamp_min_(0)


def _raised(u: Tensor, threshold: Tensor) -> Tensor:
    """Newton's method, from below, for the thresholds (N,) above which (K, N) sums to one."""
    for _ in range(len(u) - 1):
        above = (u - threshold).clamp_min_(0)
        step = (above.sum(0) - 1) / above.sign().sum(0)
        threshold = threshold + step
        if not bool((step > _settled(u)).any()):
            break
    return threshold


def _settled(u: Tensor) -> float:
    return 8 * torch.finfo(u.dtype).eps
