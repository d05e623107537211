"""Checking what the caller hands in, before any work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.scribbles.strokes import Strokes, value_counts
from saccade.scribbles.unlabeled import ARGUMENT, choose_unlabeled

UNLABELED = 255
"""The default of ``unlabeled``: 255 where it occurs, else what covers most of the image."""

_MAX_LABEL = 65_535  # what a 16-bit mask can hold


def resolve_strokes(strokes: object, unlabeled: int) -> tuple[object, int, tuple[str, ...]]:
    """The strokes, the value in them that means "nobody drew", and remarks.

    Args:
        strokes: (H, W) integers, or `Strokes`, which say themselves what the value is.
        unlabeled: what the caller says. Its default says nothing where no pixel has that value:
            then the rule of `saccade.scribbles.unlabeled` decides, and a remark says so.

    Raises:
        InputError: the value leaves next to nothing unlabelled, or it is not clear which it is.

    Example:
        >>> labels = np.zeros((10, 10), int)
        >>> labels[2, 2:6], labels[7, 2:6] = 1, 2
        >>> resolve_strokes(labels, UNLABELED)[1:]
        (0, ('0 = unlabelled (it covers 92% of the image)',))
    """
    if isinstance(strokes, Strokes):
        return strokes.labels, strokes.unlabeled, ()
    array = np.asarray(strokes)
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "iu":
        return array, unlabeled, ()  # which `encode_strokes` refuses
    counts = value_counts(array)
    told = None if unlabeled == UNLABELED and UNLABELED not in counts else unlabeled
    found = choose_unlabeled(array, counts, told, option=ARGUMENT)
    if told is not None:
        return array, told, found.remarks
    meaning = f"{found.value} = unlabelled" + (f" ({found.reason})" if found.reason else "")
    return array, found.value, (meaning, *found.remarks)


def encode_strokes(
    strokes: object,
    size: tuple[int, int],
    *,
    unlabeled: int,
    classes: Sequence[int] | None = None,
) -> tuple[tuple[int, ...], NDArray[np.int64]]:
    """Class values and the strokes as class index.

    Args:
        strokes: (H, W) integers.
        size: (H, W) of the image.
        unlabeled: value of pixels without a stroke.
        classes: the values allowed; every value that occurs where None.

    Returns:
        The K class values, ascending, and (H, W) indices into them, K where nobody drew. Where
        one class alone was drawn, `ground_class` is among the values.

    Raises:
        InputError: wrong shape or type, no stroke, a value out of range or not among ``classes``,
            or ``classes`` that are no class values.

    >>> encode_strokes([[255, 1, 255]], (1, 3), unlabeled=255)
    ((0, 1), array([[2, 1, 2]]))
    """
    array = np.asarray(strokes)
    if array.ndim != 2:
        raise InputError(f"strokes have shape {array.shape}, must be (H, W)")
    if array.dtype == bool or not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"strokes are {array.dtype}, must be integer class values")
    if array.shape != size:
        raise InputError(
            f"strokes are {array.shape[0]}x{array.shape[1]}, the image is {size[0]}x{size[1]} "
            "(height x width); both must be equal"
        )
    drawn = array != unlabeled
    values = np.unique(array[drawn])
    if len(values) == 0:
        raise InputError(f"strokes are empty: every pixel is {unlabeled}, which means unlabelled")
    if values[0] < 0 or values[-1] > _MAX_LABEL:
        bad = values[0] if values[0] < 0 else values[-1]
        raise InputError(f"strokes hold label {bad}, must be 0 to {_MAX_LABEL}")
    known = values if classes is None else _checked_classes(classes, unlabeled)
    unknown = np.setdiff1d(values, known)
    if len(unknown):
        raise InputError(
            f"strokes hold label {unknown[0]}, which is not one of the classes "
            f"{', '.join(map(str, known))}"
        )
    if len(values) == 1:
        known = np.union1d(known, [ground_class(int(values[0]), known.tolist())])
    index = np.where(drawn, np.searchsorted(known, array), len(known)).astype(np.int64)
    return tuple(int(v) for v in known), index


def ground_class(stroked: int, classes: Sequence[int]) -> int:
    """The class that everything else has while one class alone was drawn.

    The only other class there is; among several 0, else the smallest; where there is no other, 0,
    or 1 if what was drawn is 0 itself.

    Args:
        stroked: the value that was drawn.
        classes: the values there are.

    >>> ground_class(1, [1]), ground_class(0, [0]), ground_class(2, [2, 5])
    (0, 1, 5)
    """
    others = sorted(set(classes) - {stroked})
    return others[0] if others else int(stroked == 0)


def provisional_index(stroke_index: NDArray[np.integer], classes: Sequence[int]) -> int | None:
    """Index of the `ground_class` where one class alone was drawn, else None.

    Args:
        stroke_index: (H, W) class index, K where nobody drew, of `encode_strokes`.
        classes: the K class values.

    >>> provisional_index(np.array([[1, 2, 1]]), (0, 1))
    0
    """
    drawn = np.unique(stroke_index[(stroke_index >= 0) & (stroke_index < len(classes))])
    if len(drawn) != 1 or len(classes) < 2:
        return None
    return list(classes).index(ground_class(classes[int(drawn[0])], classes))


def provisional_remark(stroked: int, ground: int) -> str:
    """One line that says what was assumed where one class alone was drawn.

    >>> provisional_remark(1, 0).split(";")[0]
    'only class 1 has strokes'
    """
    return (
        f"only class {stroked} has strokes; class {ground}, everything else, is provisional: "
        "draw a second class to settle it"
    )


def _checked_classes(classes: Sequence[int], unlabeled: int) -> NDArray[np.int64]:
    array = np.asarray(classes)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(f"classes are {classes!r}, must be a list of integers")
    for value in array:
        if not 0 <= value <= _MAX_LABEL or value == unlabeled:
            raise InputError(
                f"classes hold {value}, must be 0 to {_MAX_LABEL} and not {unlabeled}, which "
                "means unlabelled"
            )
    return np.unique(array.astype(np.int64))
