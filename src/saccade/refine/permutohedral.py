"""Gaussian filtering in d dimensions on a permutohedral lattice, with tensor operations only.

Adams, Baek, Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice", Eurographics
2010: splat the values onto the corners of the simplices, blur along the d + 1 axes, slice. Here the
corners are found by sorting packed integers instead of hashing, and the three steps are products
with sparse matrices that are built once. A neighbour that no point touches counts as zero, as in
the code of Krähenbühl & Koltun.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.errors import InputError

# Beyond this many widths from zero a float32 no longer says where in its simplex a point lies.
_LARGEST_FEATURE = 2.0**16
_KEY_BITS = 62


@dataclass(frozen=True)
class SparseRows:
    """A sparse matrix (R, S), row after row, that multiplies dense matrices (S, C).

    Attributes:
        columns: (E,) int32, the columns of row 0, then those of row 1, ...
        offsets: (R + 1,) int32, where each row starts in `columns`; the last is E.
        weights: (E,) the entries.
    """

    columns: Tensor
    offsets: Tensor
    weights: Tensor

    def __matmul__(self, values: Tensor) -> Tensor:
        """The product with `values` (S, C), of shape (R, C)."""
        # One pass over the entries on a CPU, without the (E, C) copy that gathering would make.
        return F.embedding_bag(
            self.columns,
            values,
            self.offsets,
            mode="sum",
            per_sample_weights=self.weights,
            include_last_offset=True,
        )

    def rows(self, start: int, stop: int) -> "SparseRows":
        """The matrix of rows `start` to `stop`, that one excluded."""
        offsets = self.offsets[start : stop + 1]
        entries = slice(int(offsets[0]), int(offsets[-1]))
        return SparseRows(self.columns[entries], offsets - offsets[0], self.weights[entries])

    @classmethod
    def from_mask(cls, columns: Tensor, weights: Tensor, mask: Tensor) -> "SparseRows":
        """The matrix with the entries of (R, E) `columns` and `weights` where `mask` is true."""
        offsets = F.pad(mask.sum(1).cumsum(0), (1, 0))
        return cls(columns[mask].int(), offsets.int(), weights[mask])


@dataclass(frozen=True)
class PermutohedralLattice:
    """The lattice of N points with M corners; `build_lattice` makes it.

    Attributes:
        splat: (M, N) from points to corners.
        blur: d + 1 matrices (M, M), the filter [1/2, 1, 1/2] along each axis.
        slice: (N, M) from corners to points, scaled so that the kernel has the mass of a Gaussian.
    """

    splat: SparseRows
    blur: tuple[SparseRows, ...]
    slice: SparseRows

    def filter(self, values: Tensor) -> Tensor:
        """Sum over all points j of exp(-|f_i - f_j|^2 / 2) * values[j], approximately.

        Args:
            values: (N, C), of the dtype and on the device of the features.

        Returns:
            (N, C); differentiable in `values`.
        """
        return self.slice @ self.blurred_corners(values)

    def blurred_corners(self, values: Tensor) -> Tensor:
        """What `slice` is to be multiplied with: (N, C) -> (M, C)."""
        corners = self.splat @ values
        for axis in self.blur:
            corners = axis @ corners
        return corners

    def normalized(self) -> "PermutohedralLattice":
        """The lattice of D^-1/2 K D^-1/2, where K is this filter and D its row sums."""
        points = len(self.slice.offsets) - 1
        weights = self.slice.weights
        norm = self.filter(weights.new_ones(points, 1)).squeeze(1).rsqrt()
        splat = self.splat.weights * norm[self.splat.columns]
        sliced = weights.view(points, -1) * norm[:, None]
        return replace(
            self,
            splat=replace(self.splat, weights=splat),
            slice=replace(self.slice, weights=sliced.view(-1)),
        )


def build_lattice(features: Tensor) -> PermutohedralLattice:
    """The lattice for a Gaussian of standard deviation 1 in the space of `features`.

    The sums over dense points are those of the Gaussian to a few per cent in 2 dimensions; sparse
    points in 5 dimensions lose mass at the neighbours that are missing, which
    `PermutohedralLattice.normalized` makes up for.

    Args:
        features: (N, d) float32 or float64, N and d at least 1, coordinates divided by the
            standard deviation wanted along each.

    Raises:
        InputError: features of another shape or dtype, that are not finite, or so many standard
            deviations apart that the corners cannot be numbered in 64 bits.
    """
    _check_features(features)
    points, dims = features.shape
    keys, barycentric, steps = _simplices(features.detach())
    ordered, entry = keys.view(-1).sort(stable=True)
    first = F.pad(ordered[1:] != ordered[:-1], (1, 0), value=True)
    start = first.nonzero().squeeze(1)
    weights = barycentric.view(-1)
    corner = torch.empty_like(entry).scatter_(0, entry, first.cumsum(0) - 1)
    return PermutohedralLattice(
        splat=SparseRows(
            (entry // (dims + 1)).int(),
            F.pad(start, (0, 1), value=len(entry)).int(),
            weights[entry],
        ),
        blur=tuple(_blur_axis(ordered[start], step, features.dtype) for step in steps),
        slice=SparseRows(
            corner.int(),
            torch.arange(points + 1, dtype=torch.int32, device=entry.device) * (dims + 1),
            weights * _gain(dims),
        ),
    )


def _check_features(features: Tensor) -> None:
    if features.ndim != 2 or 0 in features.shape:
        raise InputError(f"features are {tuple(features.shape)}, must be (points, dimensions)")
    if features.dtype not in (torch.float32, torch.float64):
        raise InputError(f"features are {features.dtype}, must be float32 or float64")
    # "not <=" also catches NaN.
    if not features.abs().max().item() <= _LARGEST_FEATURE:
        raise InputError(
            f"features reach beyond {_LARGEST_FEATURE:.0f} standard deviations or are not finite; "
            "use wider kernels"
        )


def _gain(dims: int) -> float:
    """The factor that gives the kernel of splat, blur and slice the mass of exp(-|x|^2 / 2).

    Each blur multiplies the mass by 2, and a corner stands for the volume
    (3 / 2)^(d / 2) / sqrt(d + 1). The usual constant 1 / (1 + 2^-d) makes sums 12% (d = 2) to 29%
    (d = 5) too small, which goes unnoticed where the kernel is normalised.
    """
    mass = 2.0 ** (dims + 1) * math.pow(1.5, dims / 2) / math.sqrt(dims + 1)
    return math.pow(2 * math.pi, dims / 2) / mass


def _elevate(features: Tensor) -> Tensor:
    """(N, d) -> (N, d + 1) onto the hyperplane x_0 + ... + x_d = 0, in units of d + 1.

    The scale sqrt(2 / 3) * (d + 1) makes splat, blur and slice together a Gaussian of deviation 1.
    """
    dims = features.shape[1]
    index = torch.arange(1, dims + 1, device=features.device, dtype=features.dtype)
    scaled = features * math.sqrt(2 / 3) / (index * (index + 1)).sqrt()
    tail = F.pad(scaled.flip(1).cumsum(1).flip(1), (0, 1))  # tail[j] = scaled[j] + ...
    return torch.cat([tail[:, :1], tail[:, 1:] - index * scaled], 1)


def _simplices(features: Tensor) -> tuple[Tensor, Tensor, list[int]]:
    """The simplex around each point.

    A corner is an integer vector k of d + 1 entries that are equal modulo d + 1 and sum to 0. Its
    coordinates u_i = (k_i - k_d) / (d + 1), i < d, take every integer once, so that they pack into
    one number without gaps, and a step along an axis of the lattice adds a constant to it.

    Returns:
        keys: (N, d + 1) int64, the packed corners with remainder 0, 1, ..., d.
        barycentric: (N, d + 1) their weights, which sum to 1.
        steps: d + 1 numbers, what one step along each axis adds to a key.
    """
    dims = features.shape[1]
    elevated = _elevate(features)
    nearest = elevated.round()
    excess = nearest.sum(1, keepdim=True).long()
    order = (elevated - nearest).argsort(dim=1, descending=True, stable=True)
    axes = torch.arange(dims + 1, device=features.device).expand_as(order)
    rank = torch.empty_like(order).scatter_(1, order, axes) + excess
    # Where the rounded point is off the hyperplane, the coordinates rounded furthest step back.
    nearest += (rank < 0).to(nearest) - (rank > dims).to(nearest)
    order = torch.empty_like(order).scatter_(1, rank % (dims + 1), axes)
    residual = (elevated - nearest).gather(1, order)  # descending, spans at most 1
    first = residual[:, dims:] - residual[:, :1] + 1
    barycentric = torch.cat([first, (residual[:, :-1] - residual[:, 1:]).flip(1)], 1)

    coordinates = (nearest[:, :dims] - nearest[:, dims:]).long()
    low = coordinates.amin(0) - 2  # corners lie within 1 of the first one, neighbours within 2
    strides = _strides((coordinates.amax(0) + 3 - low).tolist())
    steps = [*strides, -sum(strides)]
    origin = ((coordinates - low) * low.new_tensor(strides)).sum(1, keepdim=True)
    walk = low.new_tensor(steps)[order.flip(1)[:, :dims]].cumsum(1)
    return torch.cat([origin, origin - walk], 1), barycentric, steps


def _strides(spans: list[int]) -> list[int]:
    strides = [math.prod(spans[:axis]) for axis in range(len(spans) + 1)]
    if strides.pop() >= 2**_KEY_BITS:
        raise InputError(
            f"features span {' x '.join(map(str, spans))} cells of the lattice, more than "
            f"2^{_KEY_BITS}; use wider kernels"
        )
    return strides


def _blur_axis(corners: Tensor, step: int, dtype: torch.dtype) -> SparseRows:
    """The filter [1/2, 1, 1/2] between the corners that are one `step` apart."""
    here = torch.arange(len(corners), device=corners.device)
    above = torch.searchsorted(corners, corners + step).clamp_(max=len(corners) - 1)
    exists = corners[above] == corners + step
    above = torch.where(exists, above, -1)
    below = torch.full_like(above, -1)
    below[above[exists]] = here[exists]
    columns = torch.stack([here, above, below], 1)
    weights = torch.tensor([1.0, 0.5, 0.5], dtype=dtype, device=corners.device)
    return SparseRows.from_mask(columns, weights.expand_as(columns), columns >= 0)
