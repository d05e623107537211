"""From a mask to its objects: a number, a class and a confidence for each."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saccade.errors import InputError
from saccade.objects.separation import separate_touching

_BAND = 1 << 18  # pixels


@dataclass(frozen=True)
class Objects:
    """The objects of one plane, or of a stack of slices.

    Attributes:
        labels: (H, W) or (Z, H, W) uint16, or uint32 where there are more than 65,535 objects: 0
            where there is none, 1..N in the order of their first pixels.
        classes: (N,) int32 class value of each.
        confidences: (N,) float32 mean probability of its class over its pixels; NaN where no
            probabilities were given.

    >>> found = find_objects([[1, 1, 0, 2]])
    >>> found.count, found.classes.tolist()
    (2, [1, 2])
    """

    labels: NDArray[np.uint16] | NDArray[np.uint32]
    classes: NDArray[np.int32]
    confidences: NDArray[np.float32]

    @property
    def count(self) -> int:
        """Number of objects."""
        return len(self.classes)


def find_objects(
    labels: ArrayLike,
    probabilities: ArrayLike | None = None,
    classes: Sequence[int] | None = None,
    *,
    separate: bool = True,
    min_area: int = 1,
    background: Collection[int] = (0,),
    confidence: ArrayLike | None = None,
    spacing: Sequence[float] | None = None,
) -> Objects:
    """Find the objects of each class of a mask.

    Args:
        labels: (H, W) integers, a class value for each pixel; or (Z, H, W), where an object goes
            through the slices.
        probabilities: (K, H, W) in [0, 1], of the classes of `classes`; None: not known.
        classes: the K class values; None: 0..K - 1.
        separate: part objects that touch, by shape and probability; False: an object is a
            connected part of its class (pixels that share a side).
        min_area: objects of fewer pixels are left out.
        background: class values that are no objects.
        confidence: of the shape of `labels`, in [0, 1], how probable the class of each pixel is;
            for `probabilities` where these are not kept.
        spacing: distance of slices, rows and columns, in any unit, which decides on the shape of
            what touches; None: the same along all axes.

    Raises:
        InputError: arrays of other shapes or types, or an area below 1.

    Example:
        >>> mask = np.zeros((20, 30), int)
        >>> mask[2:8, 2:8] = mask[12:18, 20:28] = 1
        >>> int(find_objects(mask, separate=False).labels.max())
        2
    """
    mask = _checked_mask(labels)
    present = [value for value in _present(mask) if value not in background]
    chances = _checked_probabilities(probabilities, classes, mask)
    if confidence is not None:
        chances = dict.fromkeys(present, _checked_confidence(confidence, mask))
    if min_area < 1:
        raise InputError(f"min_area is {min_area}, expected at least 1 pixel")
    numbered = np.zeros(mask.shape, dtype=np.int32)
    for value in present:
        own = mask == value
        chance = chances.get(value)
        found = separate_touching(own, chance, spacing=spacing) if separate else _connected(own)
        numbered[own] = found[own] + int(numbered.max())
    numbered, first = _renumbered(numbered, min_area)
    values = mask.ravel()[first]
    confidences = _confidences(numbered, values, chances)
    if len(first) <= np.iinfo(np.uint16).max:
        return Objects(numbered.astype(np.uint16), values, confidences)
    return Objects(numbered.astype(np.uint32), values, confidences)


def _checked_mask(labels: ArrayLike) -> NDArray[Any]:
    mask = np.asarray(labels)
    if mask.ndim not in (2, 3) or mask.size == 0:
        raise InputError(f"labels: shape {mask.shape}, expected (H, W) or (Z, H, W) class values")
    if mask.dtype.kind not in "uib":
        raise InputError(f"labels: data type {mask.dtype}, expected integers")
    return mask.astype(np.int32, copy=False)


def _checked_probabilities(
    probabilities: ArrayLike | None, classes: Sequence[int] | None, mask: NDArray[Any]
) -> dict[int, NDArray[Any]]:
    """Class value -> (H, W); empty where there are none."""
    if probabilities is None:
        return {}
    maps = np.asarray(probabilities)
    if maps.ndim != mask.ndim + 1 or maps.shape[1:] != mask.shape:
        wanted = ", ".join(map(str, mask.shape))
        raise InputError(f"probabilities: shape {maps.shape}, expected (K, {wanted})")
    if maps.dtype.kind != "f":
        raise InputError(f"probabilities: data type {maps.dtype}, expected floating point")
    values = range(len(maps)) if classes is None else classes
    if len(values) != len(maps):
        raise InputError(f"{len(values)} classes for {len(maps)} probabilities, expected as many")
    return {int(value): plane for value, plane in zip(values, maps, strict=True)}


def _checked_confidence(confidence: ArrayLike, mask: NDArray[Any]) -> NDArray[Any]:
    found = np.asarray(confidence)
    if found.shape != mask.shape or found.dtype.kind != "f":
        raise InputError(
            f"confidence: {found.dtype} of shape {found.shape}, expected floating point of shape "
            f"{mask.shape}"
        )
    return found


def _bands(array: NDArray[Any]) -> Iterator[slice]:
    """Rows to look at together: 64-bit sums and places of every pixel at once take much memory."""
    step = max(1, _BAND * len(array) // array.size)
    return (slice(top, top + step) for top in range(0, len(array), step))


def _present(mask: NDArray[Any]) -> list[int]:
    return sorted({value for rows in _bands(mask) for value in np.unique(mask[rows]).tolist()})


def _connected(own: NDArray[np.bool_]) -> NDArray[np.int32]:
    from skimage import measure

    tools: Any = measure  # its functions carry no types
    return np.asarray(tools.label(own, connectivity=1), dtype=np.int32)


def _renumbered(
    numbered: NDArray[np.int32], min_area: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Objects that are large enough as 1, 2, ... by their first pixel, and that pixel of each."""
    count = int(numbered.max()) + 1
    areas = np.zeros(count, dtype=np.int64)
    first = np.full(count, numbered.size, dtype=np.int64)
    for rows in reversed(list(_bands(numbered))):
        flat = numbered[rows].ravel()
        areas += np.bincount(flat, minlength=count)
        at = np.flatnonzero(flat)[::-1]
        first[flat[at]] = at + rows.start * (
            numbered.size // len(numbered)
        )  # the last written is the first
    large = areas >= min_area
    large[0] = False
    chosen = np.flatnonzero(large)
    chosen = chosen[np.argsort(first[chosen])]
    new = np.zeros(len(areas), dtype=np.int32)
    new[chosen] = np.arange(1, len(chosen) + 1)
    return new[numbered], first[chosen]


def _confidences(
    numbered: NDArray[np.int32], values: NDArray[np.int32], chances: dict[int, NDArray[Any]]
) -> NDArray[np.float32]:
    count = len(values) + 1
    areas, sums = np.zeros(count), np.zeros(count)
    for rows in _bands(numbered):
        flat = numbered[rows].ravel()
        areas += np.bincount(flat, minlength=count)
        for value, plane in chances.items():
            own = np.flatnonzero(np.append(False, values == value)[flat])
            sums += np.bincount(flat[own], plane[rows].ravel()[own], minlength=count)
    known = np.isin(values, list(chances))
    return np.where(known, sums[1:] / areas[1:], np.nan).astype(np.float32)
