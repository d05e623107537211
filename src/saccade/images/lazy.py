"""Arrays that read from a file what they are indexed with."""

import threading
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.files import reading


class LazyArray:
    """An array of pages, of which only what is asked for is read.

    Args:
        leading: shape of the axes over which the pages lie.
        page: shape of a page.
        dtype: of the numbers.
        read: called with the index of a page and a slice with step 1 for each of its axes;
            returns that part of it.

    >>> array = LazyArray((3,), (4, 5), np.dtype(int), lambda i, box: np.full((4, 5), i)[box])
    >>> array.shape, array[1, 2:, ::2].tolist()
    ((3, 4, 5), [[1, 1, 1], [1, 1, 1]])
    """

    def __init__(
        self,
        leading: tuple[int, ...],
        page: tuple[int, ...],
        dtype: np.dtype[Any],
        read: Callable[[int, tuple[slice, ...]], NDArray[Any]],
    ) -> None:
        self.shape = (*leading, *page)
        self.dtype = dtype
        self._leading, self._read = leading, read

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """The numbers at integers, slices and an ellipsis, as a NumPy array."""
        keys = expanded(index, self.shape)
        count = len(self._leading)
        taken = [range(*key.indices(n)) for key, n in zip(keys, self.shape, strict=True)]
        boxes = tuple(slice(min(r), max(r) + 1) if len(r) else slice(0, 0) for r in taken[count:])
        steps = tuple(slice(None, None, r.step) for r in taken[count:])
        result = np.empty([len(r) for r in taken], self.dtype)
        if result.size:
            for place in product(*(range(len(r)) for r in taken[:count])):
                found = [r[i] for r, i in zip(taken[:count], place, strict=True)]
                page = int(np.ravel_multi_index(found, self._leading)) if found else 0
                result[place] = self._read(page, boxes)[steps]
        single = _integers(index, len(self.shape))
        return result[tuple(0 if i in single else slice(None) for i in range(result.ndim))]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it."""
        return np.asarray(self[...], dtype)

    def __len__(self) -> int:
        return self.shape[0]


def expanded(index: Any, shape: tuple[int, ...]) -> list[slice]:
    """A slice for each axis; an integer becomes a slice of length one.

    Raises:
        IndexError: too many indices, one out of range, or neither an integer nor a slice.

    Example:
        >>> expanded((..., -1), (2, 3))
        [slice(None, None, None), slice(2, 3, None)]
    """
    parts = list(_filled(index, len(shape)))
    for axis, part in enumerate(parts):
        if isinstance(part, int | np.integer):
            place = int(part) + shape[axis] * (part < 0)
            if not 0 <= place < shape[axis]:
                raise IndexError(f"index {part} of axis {axis}, which has {shape[axis]} entries")
            parts[axis] = slice(place, place + 1)
        elif not isinstance(part, slice):
            raise IndexError(f"index {part!r}, expected integers and slices")
    return parts


def _filled(index: Any, count: int) -> tuple[Any, ...]:
    parts = index if isinstance(index, tuple) else (index,)
    missing = count - sum(part is not Ellipsis for part in parts)
    if missing < 0:
        raise IndexError(f"{len(parts)} indices for {count} axes")
    if Ellipsis not in parts:
        parts = (*parts, Ellipsis)
    place = parts.index(Ellipsis)
    return (*parts[:place], *[slice(None)] * missing, *parts[place + 1 :])


def _integers(index: Any, count: int) -> set[int]:
    filled = enumerate(_filled(index, count))
    return {axis for axis, part in filled if isinstance(part, int | np.integer)}


class CheckedArray:
    """An array of another library, whose errors name the file.

    Args:
        array: what has `shape`, `dtype` and an index.
        where: name of the file.
    """

    def __init__(self, array: Any, where: object) -> None:
        self._array, self._where = array, where
        self.shape: tuple[int, ...] = tuple(array.shape)
        self.dtype: np.dtype[Any] = np.dtype(array.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """A part, as a NumPy array.

        Raises:
            InputError: the file is damaged there.
        """
        with reading(self._where, "a part of it cannot be read"):
            return np.asarray(self._array[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it."""
        return np.asarray(self[...], dtype)


class OnDemand:
    """An array that is read as a whole when a part of it is first asked for.

    Args:
        shape: of the array.
        dtype: of its numbers.
        load: reads it.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], load: Callable[[], NDArray[Any]]
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self._load, self._lock = load, threading.Lock()
        self._array: NDArray[Any] | None = None

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """A part, as a NumPy array."""
        with self._lock:
            if self._array is None:
                found = self._load()
                if found.shape != self.shape:
                    raise ValueError(f"shape {found.shape} where {self.shape} was announced")
                self._array = found.astype(self.dtype, copy=False)
        return np.asarray(self._array[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it."""
        return np.asarray(self[...], dtype)
