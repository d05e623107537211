"""Checks and names that every mask format shares."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError

ClassNames = Mapping[int, str] | Sequence[str]
"""Names by class value, or in the order of the values 0, 1, ..."""


_BAND = 256  # rows


@dataclass(frozen=True)
class AnnotatedImage:
    """What an annotation file says of one image.

    Attributes:
        file_name: of the image, as the file has it.
        labels: (H, W) int32 class values.
        names: class value -> name, for every class that the file knows.
        remarks: what was assumed, converted or left out, one line each, without the file's name.
    """

    file_name: str
    labels: NDArray[np.int32]
    names: dict[int, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file of COCO, CVAT or Label Studio.

    Attributes:
        uncovered: value of pixels that nothing in the file covers.
        shape: (H, W) that every image must have; checked before anything is decoded.
        single: refuse files of several images.
        image_name: of the one image to read, see `saccade.formats.entries.pick_entry`.
        names: class names in the order of their values; None: what the file says, see
            `saccade.formats.masks.read_annotation`.
    """

    uncovered: int = 0
    shape: tuple[int, int] | None = None
    single: bool = False
    image_name: str | None = None
    names: Sequence[str] | None = None


def checked_labels(labels: Any, what: str = "labels") -> NDArray[np.int32]:
    """Return a label image as (H, W) int32 with values of 0 and above.

    Raises:
        InputError: not two axes, no pixels, not integers, a negative or huge value.
    """
    array = np.asarray(labels)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"{what}: shape {array.shape}, expected (H, W) class values")
    if array.dtype.kind not in "uib":
        raise InputError(f"{what}: data type {array.dtype}, expected integers")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > np.iinfo(np.int32).max:
        raise InputError(f"{what}: values {low}..{high}, expected 0 and above")
    return array.astype(np.int32, copy=False)


def present_classes(labels: NDArray[np.int32]) -> list[int]:
    """Return the class values of a label image, ascending."""
    found: set[int] = set()
    for top in range(0, len(labels), _BAND):  # np.bincount takes 64 bits for each pixel
        band = labels[top : top + _BAND]
        if band.min() < 0 or band.max() > np.iinfo(np.uint16).max:
            found.update(np.unique(band).tolist())
        else:  # linear; np.unique sorts every pixel
            found.update(np.flatnonzero(np.bincount(band.ravel())).tolist())
    return sorted(found)


def class_names(
    present: Iterable[int], classes: Iterable[int] | None, names: ClassNames | None
) -> dict[int, str]:
    """Return value -> name for every class of the image or of `classes`, ascending.

    Classes without a given name are called "background" (0) and "class N".
    """
    values = sorted({int(c) for c in present} | {int(c) for c in classes or ()})
    return {value: _name(value, names) for value in values}


def distinct_class_names(
    labels: NDArray[np.int32], classes: Iterable[int] | None, names: ClassNames | None, tool: str
) -> dict[int, str]:
    """`class_names` of a label image for a tool that tells classes apart by their names.

    Raises:
        InputError: two classes have one name.
    """
    table = class_names(present_classes(labels), classes, names)
    if len(set(table.values())) < len(table):
        raise InputError(
            f"class names {', '.join(table.values())}: {tool} needs a different one for each class"
        )
    return table


def values_of_names(names: Iterable[str]) -> dict[str, int]:
    """Return name -> value for a file that has no values of its own.

    "background" is 0, the others are 1, 2, ... in alphabetical order.
    """
    found = sorted(set(names))
    plain = [name for name in found if name.strip("_").lower() != "background"]
    return dict.fromkeys(found, 0) | {name: i for i, name in enumerate(plain, start=1)}


def saved_values(pairs: Any) -> dict[str, int]:
    """Return name -> value for [[value, name], ...] as Saccade keeps it in files.

    Raises:
        ValueError, TypeError: it is something else.
    """
    try:
        values = {str(name): int(value) for value, name in pairs}
    except OverflowError as error:
        raise ValueError("class values that are not finite") from error
    if values and not 0 <= min(values.values()) <= max(values.values()) < 2**31:
        raise ValueError("class values below 0 or above 2**31")
    return values


def _name(value: int, names: ClassNames | None) -> str:
    if isinstance(names, Mapping):
        known = names.get(value)
    else:
        known = names[value] if names is not None and value < len(names) else None
    if known is None:
        return "background" if value == 0 else f"class {value}"
    return str(known)
