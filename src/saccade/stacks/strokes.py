"""Strokes on some planes of a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images import Image
from saccade.interactive.inputs import encode_strokes, resolve_strokes
from saccade.scribbles.strokes import Strokes

_ORDER = "TZYX"


@dataclass(frozen=True)
class StackStrokes:
    """Strokes of a stack as class indices.

    Attributes:
        classes: the K class values.
        index: (T, Z, H, W) class index, K where nobody drew.
        remarks: what was assumed.
    """

    classes: tuple[int, ...]
    index: NDArray[np.integer]
    remarks: tuple[str, ...] = ()

    @property
    def stroked(self) -> list[tuple[int, int]]:
        """(t, z) of the planes with strokes."""
        drawn = (self.index < len(self.classes)).any((2, 3))
        return [(int(t), int(z)) for t, z in np.argwhere(drawn)]


def plane_axes(image: Image) -> str:
    """The axes of masks of an image: its own without C."""
    return image.axes.replace("C", "")


def in_order(labels: NDArray[Any], axes: str) -> NDArray[Any]:
    """Labels along `axes` as (T, Z, Y, X); axes that are missing have one entry."""
    present = [axis for axis in _ORDER if axis in axes]
    ordered = labels.transpose([axes.index(axis) for axis in present])
    return ordered[tuple(slice(None) if axis in axes else None for axis in _ORDER)]


def along(planes: NDArray[Any], axes: str) -> NDArray[Any]:
    """(T, Z, Y, X) planes along `axes`; the other way round than `in_order`."""
    present = [axis for axis in _ORDER if axis in axes]
    kept = planes[tuple(slice(None) if axis in axes else 0 for axis in _ORDER)]
    return kept.transpose([present.index(axis) for axis in axes])


def read_stack_strokes(
    strokes: object,
    image: Image,
    *,
    unlabeled: int,
    classes: Sequence[int] | None = None,
) -> StackStrokes:
    """Check strokes against their stack, and bring them to class indices.

    Args:
        strokes: integers along `plane_axes` of the image; an `Image` of label values; or a
            mapping of the indices of planes (z, or (t, z)) to (H, W) strokes.
        image: the stack.
        unlabeled: value of pixels without a stroke, by default 255 or what covers most.
        classes: the values allowed; every value that occurs where None.

    Raises:
        InputError: other axes or sizes than those of the stack, no integers, no strokes, or
            strokes of one class alone.

    >>> stack = Image(np.zeros((5, 4, 6), np.uint8), "ZYX")
    >>> labels = np.full((4, 6), 255)
    >>> labels[0], labels[3] = 0, 1
    >>> found = read_stack_strokes({2: labels}, stack, unlabeled=255)
    >>> found.classes, found.index.shape, found.stroked
    ((0, 1), (1, 5, 4, 6), [(0, 2)])
    """
    try:
        return _read(strokes, image, unlabeled, classes)
    except InputError as error:
        where = strokes.source if isinstance(strokes, Image) else None
        if where is None or not str(error).startswith("strokes"):
            raise
        raise InputError(f"{where}: {error}") from error


def _read(
    strokes: object, image: Image, unlabeled: int, classes: Sequence[int] | None
) -> StackStrokes:
    if isinstance(strokes, Mapping):
        strokes = _of_planes(strokes, image, unlabeled)
    if isinstance(strokes, Image):
        labels = _of_image(strokes, image)
    else:
        labels = in_order(_checked(np.asarray(strokes), image), plane_axes(image))
    if labels.dtype.kind not in "iu":
        raise InputError(f"strokes are {labels.dtype}, must be integer class values")
    flat = labels.reshape(-1, labels.shape[3])
    value, remarks = resolve_strokes(flat, unlabeled)[1:]
    found = np.unique([one for plane in flat for one in np.unique(plane[plane != value])])
    named = np.array([[value, *found]]).astype(labels.dtype)
    values = encode_strokes(named, (1, named.shape[1]), unlabeled=value, classes=classes)[0]
    if len(found) < 2:
        raise InputError(
            f"strokes of class {found[0]} alone; expected two classes on the planes of a stack"
        )
    index = np.full(labels.shape, len(values), np.min_scalar_type(len(values)))
    for place in np.ndindex(labels.shape[:2]):  # plane by plane, as a stack may be large
        drawn = labels[place] != value
        index[place][drawn] = np.searchsorted(values, labels[place][drawn])
    return StackStrokes(values, index, remarks)


def _checked(labels: NDArray[Any], image: Image) -> NDArray[Any]:
    axes = plane_axes(image)
    wanted = tuple(image.count(axis) for axis in axes)
    if labels.shape != wanted:
        raise InputError(
            f"strokes have shape {labels.shape}, expected {wanted} along {axes}, as "
            f"{image.source.name if image.source else 'the stack'} has"
        )
    return labels


def _of_image(strokes: Image, image: Image) -> NDArray[Any]:
    """(T, Z, Y, X) labels; axes that are not named in the strokes' file are those of the stack."""
    own, axes = strokes.axes, plane_axes(image)
    values = np.asarray(strokes.array[...])
    if "C" in own and strokes.count("C") == 1:
        values, own = values.take(0, own.index("C")), own.replace("C", "")
    wanted = {axis: image.count(axis) for axis in axes}
    unnamed = strokes.kind in ("tiff", "npy", "array")
    if set(own) != set(axes) and unnamed and len(own) == len(axes) and "C" not in own:
        own = axes
    sizes = dict(zip(own, values.shape, strict=True))
    if sizes != wanted:
        where = strokes.source or "strokes"
        raise InputError(
            f"{where}: axes {_told(own, values.shape)}, expected "
            f"{_told(axes, tuple(wanted.values()))} as those of "
            f"{image.source.name if image.source else 'the stack'}"
        )
    return in_order(values, own)


def _told(axes: str, shape: tuple[int, ...]) -> str:
    return f"{axes} ({' x '.join(map(str, shape))})"


def _of_planes(planes: Mapping[Any, Any], image: Image, unlabeled: int) -> Image:
    """All planes of a mapping, `unlabeled` where there are none."""
    counts = image.count("T"), image.count("Z")
    labels = np.full((*counts, *image.size), unlabeled, np.int64)
    for key, found in planes.items():
        place = key if isinstance(key, tuple) else (0, key) if counts[0] == 1 else (key, 0)
        if len(place) != 2 or not all(i in range(n) for i, n in zip(place, counts, strict=True)):
            raise InputError(
                f"strokes of plane {key}, expected z from 0 to {counts[1] - 1} and t from 0 to "
                f"{counts[0] - 1}, as z or (t, z)"
            )
        value = found.unlabeled if isinstance(found, Strokes) else unlabeled
        array = np.asarray(found.labels if isinstance(found, Strokes) else found)
        if array.shape != image.size or array.dtype.kind not in "iu":
            raise InputError(
                f"strokes of plane {key} are {array.dtype} of shape {array.shape}, expected "
                f"integers of shape {image.size}"
            )
        labels[place] = np.where(array == value, unlabeled, array)
    return (
        Image(labels, "TZYX")
        if set("TZ") <= set(image.axes)
        else Image(along(labels, plane_axes(image)), plane_axes(image))
    )
