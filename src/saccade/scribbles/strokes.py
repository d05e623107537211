"""Strokes as an array of class values, and the one rule for what 0 and 255 mean.

0 is "background" in ScribbleSup and "unlabelled" in ilastik, and no file says which. The rule:
what the caller says wins; else 255 is unlabelled if it occurs; else 0 is unlabelled if it covers
most of the image beside at least two other values; else the caller is asked. Every answer is
put into words in `Strokes.assumption`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import last_part

UNLABELED = 255
UNLABELED_16 = 65535
"""What "no stroke" is called where 255 is itself a class; no class can have this value."""

_LISTED_CLASSES = 12
_COUNTED_AT_ONCE = 4_000_000  # pixels


class MaskLikeError(InputError):
    """Class values that may be a mask, but are no strokes as they are; `reason` says why."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Strokes:
    """Strokes over one image.

    Attributes:
        labels: (H, W) int32 class values, `unlabeled` where nobody drew.
        unlabeled: the value in `labels` that means "no stroke": 255, or 65535 where 255 is a
            class.
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
) -> Strokes:
    """Read strokes from an array of class values.

    Args:
        array: (H, W) or (H, W, 1) integers, or floats that are whole numbers; classes are in
            0..65534.
        unlabeled: the value of `array` that means "no stroke", which may be any, -1 included.
            None: 65535 if it occurs, else 255 if it occurs, else 0 if it covers more than half
            of the image and two other values occur.
        shape: (H, W) of the image, checked if given.
        names: names of the classes 0, 1, ...
        source: name of the file or argument, for messages.
        kind: what the source is, for `Strokes.assumption`.
        meaning: "... = unlabelled" where the source has better words for it than a value.

    Raises:
        InputError: wrong shape or type, no strokes, one class only, a class outside 0..65534 or
            without a name, or the rule finds no value that means "no stroke".
    """
    values = _whole_numbers(np.asarray(array), source)
    check_shape(values.shape, shape, source)
    counts = value_counts(values)
    if unlabeled is None:
        unlabeled, reason = _decide_unlabeled(counts, source)
    else:
        reason = "as told" if unlabeled in counts else "as told; it does not occur"
    classes = tuple(v for v in counts if v != unlabeled)
    meaning = meaning or f"{unlabeled} = unlabelled" + (f" ({reason})" if reason else "")
    check_classes(classes, source, meaning)
    return Strokes(
        *_remapped(values, unlabeled, classes),
        name_classes(classes, names, source),
        f"{short_name(source)}: {kind}, {meaning}, {describe_classes(classes)}",
    )


def value_counts(values: NDArray[Any]) -> dict[int, int]:
    """Return value -> number of pixels for an integer array, ascending by value."""
    if values.size and values.min() >= 0 and values.max() <= UNLABELED_16:
        # Linear, where np.unique would sort every pixel; in parts, as it takes 64 bits for each.
        flat = values.reshape(-1)
        counts = np.zeros(UNLABELED_16 + 1, dtype=np.int64)
        for first in range(0, flat.size, _COUNTED_AT_ONCE):
            part = flat[first : first + _COUNTED_AT_ONCE]
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
        raise InputError(
            f"{sizes}: the image is rotated by EXIF; were the strokes drawn on the unrotated one?"
        )
    raise InputError(f"{sizes}: draw them at the size of the image")


def check_classes(classes: Sequence[int], source: str, meaning: str = "") -> None:
    """Raise InputError where class values are out of range or fewer than two."""
    because = f" ({meaning})" if meaning else ""
    if not classes:
        raise InputError(f"{source}: no strokes{because}, draw at least one for each class")
    if min(classes) < 0 or max(classes) >= UNLABELED_16:
        wrong = min(classes) if min(classes) < 0 else max(classes)
        raise InputError(f"{source}: label {wrong}{because}, expected classes in 0..65534")
    if len(classes) == 1:
        raise MaskLikeError(
            f"{source}: strokes of only one class, {classes[0]}{because}; "
            "at least two classes are needed",
            f"of one class only, {classes[0]}",
        )


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
    """Return "classes 0, 1 (...)" for a message; long lists are cut."""
    shown = ", ".join(str(c) for c in classes[:_LISTED_CLASSES])
    if len(classes) > _LISTED_CLASSES:
        shown += f", ... ({len(classes)} in all)"
    return f"classes {shown}" + (" (0 is a class, not 'unlabelled')" if 0 in classes else "")


def short_name(source: str) -> str:
    """Return the last part of a path, for lines that are read rather than searched."""
    return last_part(source.replace("\\", "/").rstrip("/")) or source


def free_unlabeled(classes: Sequence[int]) -> int:
    """Return the value for "no stroke" that no class has: 255, or 65535 where 255 is one."""
    return UNLABELED_16 if UNLABELED in classes else UNLABELED


def _decide_unlabeled(counts: dict[int, int], source: str) -> tuple[int, str]:
    if UNLABELED_16 in counts:
        return UNLABELED_16, ""
    if UNLABELED in counts:
        return UNLABELED, ""
    total = sum(counts.values())
    share = counts.get(0, 0) / total
    if share > 0.5 and len(counts) >= 3:
        return 0, f"it covers {share:.0%} of the image"
    found = ", ".join(str(v) for v in list(counts)[:_LISTED_CLASSES])
    if 0 in counts:
        raise MaskLikeError(
            f"{source}: values {found}: 0 may be a class or mean 'no stroke'; "
            "say which with --unlabeled 0 or --unlabeled 255",
            f"with the values {found} and none that means 'no stroke'",
        )
    raise MaskLikeError(
        f"{source}: values {found}: none of them is known to mean 'no stroke'; "
        "say which one does with --unlabeled VALUE",
        f"with the values {found} and none that means 'no stroke'",
    )


def _whole_numbers(array: NDArray[Any], source: str) -> NDArray[Any]:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"{source}: shape {array.shape}, expected (H, W) class values")
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind in "ui":
        return array
    if array.dtype.kind != "f":
        raise InputError(f"{source}: data type {array.dtype}, expected whole numbers")
    if not np.isfinite(array).all() or (array != np.rint(array)).any():
        raise InputError(f"{source}: NaN, infinite or broken values, expected whole numbers")
    if np.abs(array).max() > 2**53:
        raise InputError(f"{source}: values above 2**53, expected classes in 0..65534")
    return array.astype(np.int64)


def _remapped(
    values: NDArray[Any], unlabeled: int, classes: Sequence[int]
) -> tuple[NDArray[np.int32], int]:
    target = free_unlabeled(classes)
    labels = values.astype(np.int32)
    if target != unlabeled:
        labels[values == unlabeled] = target
    return labels, target
