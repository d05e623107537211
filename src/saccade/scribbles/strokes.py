"""Strokes as an array of class values, and the checks on them.

What 0 and 255 mean no file says; `saccade.scribbles.unlabeled` has the one rule. Its answer is put
into words in `Strokes.assumption`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import last_part
from saccade.images import whole_numbers
from saccade.scribbles.unlabeled import FILE_OPTION, MaskLikeError, choose_unlabeled

__all__ = [
    "UNLABELED",
    "UNLABELED_16",
    "MaskLikeError",
    "Strokes",
    "TurnedError",
    "check_classes",
    "check_shape",
    "describe_classes",
    "free_unlabeled",
    "name_classes",
    "short_name",
    "strokes_from_array",
    "value_counts",
]

UNLABELED = 255
UNLABELED_16 = 65535
"""What "no stroke" is called where 255 is itself a class."""

_MOST_CLASS = 65535  # what a 16-bit mask holds

_LISTED_CLASSES = 12
_COUNTED_AT_ONCE = 4_000_000  # pixels


class TurnedError(InputError):
    """Strokes that are as high as the image is wide, and as wide as it is high."""


@dataclass(frozen=True)
class Strokes:
    """Strokes over one image.

    Attributes:
        labels: (H, W) int32 class values, `unlabeled` where nobody drew.
        unlabeled: the value in `labels` that means "no stroke": 255, or 65535 where 255 is a
            class, or 65536 where both are.
        names: class value -> name, for the classes whose names are known.
        assumption: one line that says what 0, 255, transparency or tags were taken to mean.
        remarks: what else was assumed, converted or left out, one line each, without the file's
            name.
    """

    labels: NDArray[np.int32]
    unlabeled: int = UNLABELED
    names: dict[int, str] = field(default_factory=dict)
    assumption: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[int, ...]:
        """The class values that were drawn, ascending."""
        return tuple(v for v in value_counts(self.labels) if v != self.unlabeled)


def strokes_from_array(
    array: Any,
    *,
    unlabeled: int | None = None,
    shape: tuple[int, int] | None = None,
    names: Sequence[str] | None = None,
    source: str = "strokes",
    kind: str = "array",
    meaning: str | None = None,
    option: str = FILE_OPTION,
) -> Strokes:
    """Read strokes from an array of class values.

    Args:
        array: (H, W) or (H, W, 1) integers, or floats that are whole numbers; classes are in
            0..65535.
        unlabeled: the value of `array` that means "no stroke", which may be any, -1 included.
            None: decided by the rule of `saccade.scribbles.unlabeled`.
        shape: (H, W) of the image, checked if given.
        names: names of the classes 0, 1, ...
        source: name of the file or argument, for messages.
        kind: what the source is, for `Strokes.assumption`.
        meaning: "... = unlabelled" where the source has better words for it than a value; then
            it may be that `unlabeled` does not occur.
        option: how the caller says `unlabeled`, for messages.

    Raises:
        InputError: wrong shape or type, no strokes, a class outside 0..65535 or without a name,
            the rule finds no value that means "no stroke", or the given one leaves next to
            nothing unlabelled.
    """
    values = _class_values(np.asarray(array), source)
    check_shape(values.shape, shape, source)
    counts = value_counts(values)
    remarks: tuple[str, ...] = ()
    if meaning is None or unlabeled is None:
        chosen = choose_unlabeled(values, counts, unlabeled, source=source, option=option)
        unlabeled, remarks = chosen.value, chosen.remarks
        meaning = f"{unlabeled} = unlabelled" + (f" ({chosen.reason})" if chosen.reason else "")
    elif unlabeled not in counts:
        remarks = ("no pixel is left unlabelled",)
    classes = tuple(v for v in counts if v != unlabeled)
    check_classes(classes, source, meaning)
    return Strokes(
        *_remapped(values, unlabeled, classes),
        name_classes(classes, names, source),
        f"{short_name(source)}: {kind}, {meaning}, {describe_classes(classes)}",
        remarks,
    )


def value_counts(values: NDArray[Any]) -> dict[int, int]:
    """Return value -> number of pixels for an integer array, ascending by value."""
    if values.size and values.min() >= 0 and values.max() <= UNLABELED_16:
        # Linear, where np.unique would sort every pixel; in parts, as it takes 64 bits for each.
        flat = values.reshape(-1)
        counts = np.zeros(UNLABELED_16 + 1, dtype=np.int64)
        for first in range(0, flat.size, _COUNTED_AT_ONCE):
            part = flat[first : first + _COUNTED_AT_ONCE].astype(np.int64)
            counts += np.bincount(part, minlength=len(counts))
        present = np.flatnonzero(counts)
        return dict(zip(present.tolist(), counts[present].tolist(), strict=True))
    present, numbers = np.unique(values, return_counts=True)
    return dict(zip(present.tolist(), numbers.tolist(), strict=True))


def check_shape(found: tuple[int, ...], expected: tuple[int, int] | None, source: str) -> None:
    """Raise InputError where strokes of (H, W) `found` do not fit an image of `expected`."""
    if expected is None or found == tuple(expected):
        return
    sizes = (
        f"{source}: strokes are {found[1]} x {found[0]} pixels (width x height), "
        f"the image is {expected[1]} x {expected[0]}"
    )
    if found == (expected[1], expected[0]):
        raise TurnedError(f"{sizes}: they lie on their side, turn them by 90 degrees")
    raise InputError(f"{sizes}: draw them at the size of the image")


def check_classes(classes: Sequence[int], source: str, meaning: str = "") -> None:
    """Raise InputError where there is no class value, or one out of range."""
    because = f" ({meaning})" if meaning else ""
    if not classes:
        raise InputError(f"{source}: no strokes{because}, draw at least one for each class")
    if min(classes) < 0 or max(classes) > _MOST_CLASS:
        wrong = min(classes) if min(classes) < 0 else max(classes)
        raise InputError(f"{source}: label {wrong}{because}, expected classes in 0..65535")


def name_classes(
    classes: Sequence[int], names: Sequence[str] | None, source: str
) -> dict[int, str]:
    """Return class value -> name for `classes`, with `names` as the names of 0, 1, ...

    Raises:
        InputError: a class has no name although names were given.
    """
    if names is None:
        return {}
    if classes and max(classes) >= len(names):
        raise InputError(
            f"{source}: label {max(classes)}, but there are only {len(names)} class names "
            f"(0..{len(names) - 1})"
        )
    return {c: str(names[c]) for c in classes}


def describe_classes(classes: Sequence[int]) -> str:
    """Return "classes 0, 1 (...)" for a message, "class 1 alone"; long lists are cut."""
    if len(classes) == 1:
        return f"class {classes[0]} alone"
    shown = ", ".join(str(c) for c in classes[:_LISTED_CLASSES])
    if len(classes) > _LISTED_CLASSES:
        shown += f", ... ({len(classes)} in all)"
    return f"classes {shown}" + (" (0 is a class, not 'unlabelled')" if 0 in classes else "")


def short_name(source: str) -> str:
    """Return the last part of a path, for lines that are read rather than searched."""
    return last_part(source.replace("\\", "/").rstrip("/")) or source


def free_unlabeled(classes: Sequence[int]) -> int:
    """Return the value for "no stroke" that no class has: 255, else 65535, else 65536."""
    return next(v for v in (UNLABELED, UNLABELED_16, UNLABELED_16 + 1) if v not in classes)


def _class_values(array: NDArray[Any], source: str) -> NDArray[Any]:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"{source}: shape {array.shape}, expected (H, W) class values")
    return whole_numbers(array, source)


def _remapped(
    values: NDArray[Any], unlabeled: int, classes: Sequence[int]
) -> tuple[NDArray[np.int32], int]:
    target = free_unlabeled(classes)
    labels = values.astype(np.int32)
    if target != unlabeled:
        labels[values == unlabeled] = target
    return labels, target
