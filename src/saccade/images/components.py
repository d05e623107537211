"""Many channels to a few components, and to colors that stand for them.

Five stains or forty bands are no colors. What is fitted to them is fitted to at most six linear
combinations, those in which neighbouring pixels are most alike: the minimum noise fraction
transform (Green et al. 1988, IEEE Transactions on Geoscience and Remote Sensing 26), with the
noise taken from differences of neighbours. Unlike principal components it depends neither on the
unit of a channel nor on how many others are nothing but noise. Of up to six channels nothing is
lost but copies of one another.

What was trained on photographs sees colors: the first three components as green, red and blue,
each from black to its full brightness, so that brightness is mostly the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.images.window import has_value, row_blocks, window_of

MOST_COMPONENTS = 6
_RIDGE = 1e-3  # of a channel's variance: noise that is there even where a picture has none
_NOTHING = 1e-6  # variance of what is a copy of other channels
_LEAST_WEIGHT = 0.1
_SAMPLES = 200_000  # values of a component from which its black and white are taken
_TAIL = 0.5  # per cent of them that are darker than black and brighter than white
_COLORS = (1, 0, 2)  # the component that is red, green and blue


@dataclass(frozen=True)
class Basis:
    """How C channels become D components and three colors.

    Attributes:
        low: (C,) values that become 0.
        span: (C,) from there to the values that become 1.
        matrix: (C, D) of the components, which have mean 0 and a standard deviation of at most 1:
            that of noise is small, `_LEAST_WEIGHT`.
        mean: (C,) of the intensities in [0, 1].
        limits: (D, 2), components that are black and of full brightness.
        nodata: the value that means "nothing here".
    """

    low: NDArray[np.float64]
    span: NDArray[np.float64]
    matrix: NDArray[np.float64]
    mean: NDArray[np.float64]
    limits: NDArray[np.float64]
    nodata: float | None = None

    def components(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Components (H, W, D) of the numbers (H, W, C) of a plane; 0 where they mean nothing."""
        result = np.empty((*values.shape[:2], self.matrix.shape[1]), np.float32)
        for rows in row_blocks(values):
            scaled, known = self._scaled(values[rows])
            result[rows] = ((scaled - self.mean) @ self.matrix) * known[..., None]
        return result

    def colors(self, components: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Colors (H, W, 3) of components (H, W, D)."""
        low, high = self.limits.T
        result = np.empty((*components.shape[:2], 3), np.uint8)
        for band, index in enumerate(_COLORS):
            k = index if index < components.shape[2] else 0
            share = (components[..., k] - low[k]) / ((high[k] - low[k]) or 1.0)
            result[..., band] = np.rint(share.clip(0, 1) * 255)
        return result

    def _scaled(self, values: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        found = has_value(values, self.nodata)
        known = np.ones(values.shape[:2], bool) if found is None else np.asarray(found.all(2))
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = (values.astype(np.float64) - self.low) / self.span
        return np.nan_to_num(scaled, nan=0.0).clip(0, 1), known


def fit_basis(
    planes: Sequence[NDArray[Any]],
    *,
    window: Sequence[tuple[float, float]] = (),
    nodata: float | None = None,
) -> Basis:
    """The basis of one image, or of a stack of which some planes are given.

    Args:
        planes: (H, W, C) numbers each.
        window: values of each channel that are black and white; those of `saccade.images.window`
            where none are given.
        nodata: a value that means "nothing here".

    >>> stains = np.random.default_rng(0).integers(0, 4096, (40, 60, 5), dtype=np.uint16)
    >>> stains[10:30, 20:40, 3] += 20000
    >>> basis = fit_basis([stains])
    >>> components = basis.components(stains)
    >>> components.shape, bool(abs(components[20, 30, 0]) > 1)
    ((40, 60, 5), True)
    >>> basis.colors(components).shape
    (40, 60, 3)
    """
    low, span = _windows(planes, window, nodata)
    count = len(low)
    rough = Basis(low, span, np.eye(count), np.zeros(count), np.zeros((count, 2)), nodata)
    mean, pixels, noise = _moments(rough._scaled(block) for block in _blocks(planes))
    matrix = _minimum_noise(pixels, noise)
    basis = Basis(low, span, matrix, mean, np.zeros((matrix.shape[1], 2)), nodata)
    return Basis(low, span, matrix, mean, _limits(basis, planes), nodata)


def _blocks(planes: Iterable[NDArray[Any]]) -> Iterable[NDArray[Any]]:
    return (plane[rows] for plane in planes for rows in row_blocks(plane))


def _windows(
    planes: Sequence[NDArray[Any]], window: Sequence[tuple[float, float]], nodata: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = planes[0].shape[2]
    found = [tuple(map(float, one)) for one in window] * (count if len(window) == 1 else 1)
    if not found:
        white = {1: 255, 2: 65535}.get(planes[0].dtype.itemsize)
        white = white if planes[0].dtype.kind == "u" else None
        for channel in range(count):
            each = [window_of(p[..., channel, None], None, nodata, white) for p in planes]
            known = [one for one in each if one is not None]
            low = min((one.low for one in known), default=0.0)
            found.append((low, max((one.high for one in known), default=low)))
    low, high = np.asarray(found, np.float64).T
    return low, np.where(high > low, high - low, 1.0)


def _moments(
    blocks: Iterable[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean (C,), covariance (C, C), and that of the noise: half of neighbours' differences'."""
    total, pairs = 0, 0
    sums: Any = 0.0
    products: Any = 0.0
    differences: Any = 0.0
    for scaled, known in blocks:
        inside = scaled[known]
        total += len(inside)
        sums = sums + inside.sum(0)
        products = products + inside.T @ inside
        for axis in (0, 1):
            both = np.logical_and(
                *(np.take(known, range(a, known.shape[axis] + a - 1), axis) for a in (0, 1))
            )
            change = np.diff(scaled, axis=axis)[both]
            pairs += len(change)
            differences = differences + change.T @ change
    mean = np.atleast_1d(sums / max(1, total))
    covariance = products / max(1, total) - np.outer(mean, mean)
    return mean, covariance, differences / (2 * max(1, pairs)) * np.ones_like(covariance)


def _minimum_noise(
    covariance: NDArray[np.float64], noise: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(C, D) combinations, least noise first; each weighs what is no noise of it."""
    variance = covariance.diagonal()
    scale = np.where(variance > 1e-12, 1 / np.sqrt(variance.clip(1e-12)), 0.0)
    both = np.outer(scale, scale)
    signal, noise = covariance * both, noise * both
    # Where the noise is white, signal over noise is an ordinary problem of eigenvectors.
    white = np.linalg.inv(np.linalg.cholesky(noise + _RIDGE * np.eye(len(signal))))
    found, vectors = np.linalg.eigh(white @ signal @ white.T)
    vectors = white.T @ vectors
    order = found.argsort()[::-1][:MOST_COMPONENTS]
    vectors = vectors[:, order]
    spread = np.einsum("cd,ce,ed->d", vectors, signal, vectors)
    length = (vectors**2).sum(0)
    kept = spread > _NOTHING * length
    kept[0] = True
    vectors, spread = vectors[:, kept], spread[kept].clip(1e-12)
    weight = 1 - np.einsum("cd,ce,ed->d", vectors, noise, vectors) / spread
    sign = np.sign((signal @ vectors).sum(0))  # bright is where the channels are
    scaled = vectors / np.sqrt(spread) * weight.clip(_LEAST_WEIGHT, 1) * np.where(sign < 0, -1, 1)
    return np.asarray(scale[:, None] * scaled)


def _limits(basis: Basis, planes: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    pixels = sum(plane.shape[0] * plane.shape[1] for plane in planes)
    step = max(1, int(np.sqrt(pixels / _SAMPLES)))
    parts = [basis.components(plane[::step, ::step]) for plane in planes]
    flat = np.concatenate([part.reshape(-1, part.shape[2]) for part in parts])
    return np.asarray(np.percentile(flat, (_TAIL, 100 - _TAIL), axis=0).T, np.float64)
