"""One type for every image: numbers, the names of their axes, and what the file says of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images.header import MAX_PIXELS

AXES = "TZCYX"
"""The axes that an image may have: time, slice, channel, row and column."""


class ArrayLike(Protocol):
    """A NumPy array, or what is read from a file as it is indexed with slices and integers."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of entries along each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""

    def __getitem__(self, index: Any, /) -> Any:
        """A part, as a NumPy array."""


@dataclass(frozen=True)
class Georeference:
    """Where an image lies on the earth.

    Attributes:
        crs: coordinate reference system, as WKT or "EPSG:n"; "" unknown.
        transform: (a, b, c, d, e, f), so that column x and row y, counted from the upper left
            corner of the upper left pixel, lie at (a x + b y + c, d x + e y + f).

    >>> Georeference("EPSG:32633", (10.0, 0.0, 500000.0, 0.0, -10.0, 5800000.0)).at(1, 2)
    (500010.0, 5799980.0)
    """

    crs: str
    transform: tuple[float, float, float, float, float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """World coordinates of column `x` and row `y`; pixel centres are at one half."""
        a, b, c, d, e, f = self.transform
        return a * x + b * y + c, d * x + e * y + f


@dataclass(frozen=True)
class Image:
    """Intensities with the names of their axes, and what their file says about them.

    Attributes:
        array: the numbers; a lazy one reads from its file what it is indexed with.
        axes: a letter of `AXES` for each dimension of the array, in its order: "ZCYX", "YXC".
        channels: a name for each channel, "" where it is not known; () without axis C.
        pixel_size: size of a pixel along "Z", "Y" and "X" in `unit`, as far as known.
        unit: "um", "mm", "m", "degree", ...; "" unknown.
        window: black and white of each channel where the file says so, one for all; else ().
        white: white of integers that do not use up their type (4095 of 12 bits); None: the type's.
        nodata: the number that means "nothing here".
        colors: channels are red, green and blue of one picture.
        georeference: where it lies on the earth.
        levels: the same image at smaller sizes, the largest first.
        remarks: what was assumed or left out, one line each.
        source: the file.
        kind: what reads and writes such files: "picture", "tiff", "ome-tiff", "imagej", "npy", ...
        metadata: what only a writer of the same kind needs.

    >>> image = Image(np.zeros((5, 3, 40, 60), np.uint16), "ZCYX", pixel_size={"Y": 0.5, "X": 0.5})
    >>> image.size, image.count("Z"), image.count("T"), image.plane(z=4).shape
    ((40, 60), 5, 1, (40, 60, 3))
    """

    array: ArrayLike
    axes: str
    channels: tuple[str, ...] = ()
    pixel_size: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    window: tuple[tuple[float, float], ...] = ()
    white: int | None = None
    nodata: float | None = None
    colors: bool = False
    georeference: Georeference | None = None
    levels: tuple[ArrayLike, ...] = ()
    remarks: tuple[str, ...] = ()
    source: Path | None = None
    kind: str = "array"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse axes that are unknown or do not fit; mend pixel sizes and channels' names."""
        where = self.source or "image"
        shape = tuple(self.array.shape)
        if set(self.axes) - set(AXES) or len(set(self.axes)) < len(self.axes):
            raise InputError(f"{where}: axes {self.axes}, expected letters of {AXES}, each once")
        if not {"Y", "X"} <= set(self.axes) or len(self.axes) != len(shape):
            raise InputError(
                f"{where}: axes {self.axes} for shape {shape}, expected Y, X and one for each "
                "dimension"
            )
        if 0 in shape:
            raise InputError(f"{where}: shape {shape} has no pixels")
        count = self.count("C") if "C" in self.axes else 0
        sizes = {a: s for a, s in self.pixel_size.items() if math.isfinite(s) and s > 0}
        if lost := sorted(set(self.pixel_size) - set(sizes), reverse=True):
            line = f"the pixel size along {', '.join(lost)} is no number above 0 and is not used"
            object.__setattr__(self, "pixel_size", sizes)
            object.__setattr__(self, "remarks", tuple(dict.fromkeys((*self.remarks, line))))
        names = tuple(self.channels)[:count]
        object.__setattr__(self, "channels", (*names, *[""] * (count - len(names))))
        if len(self.window) not in (0, 1, max(1, count)):
            object.__setattr__(self, "window", ())

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.count("Y"), self.count("X")

    @property
    def channel_titles(self) -> tuple[str, ...]:
        """What its channels are called where they are measured; "" where nothing says so."""
        if self.colors and self.count("C") == 3:
            return "red", "green", "blue"
        return self.channels or ("grey",)

    def count(self, axis: str) -> int:
        """The number of entries along an axis; 1 where the image has no such axis."""
        return int(self.array.shape[self.axes.index(axis)]) if axis in self.axes else 1

    def plane(
        self,
        *,
        t: int = 0,
        z: int = 0,
        rows: slice = slice(None),
        columns: slice = slice(None),
        level: int = 0,
    ) -> NDArray[Any]:
        """The numbers of one plane or of a part of it, (H, W, C), as they are in the file.

        Args:
            t: index of the time.
            z: index of the slice.
            rows: which rows to read.
            columns: which columns to read.
            level: 0 for the full size, 1 for the first of `levels`, ...

        Raises:
            InputError: there is no such plane, too much at once, or the file is damaged there.

        Example:
            >>> image = Image(np.arange(24).reshape(2, 3, 4), "CYX")
            >>> image.plane(rows=slice(0, 1), columns=slice(2, 4)).tolist()
            [[[2, 14], [3, 15]]]
        """
        where = self.source or "image"
        for axis, index in (("T", t), ("Z", z)):
            if not 0 <= index < self.count(axis):
                last = self.count(axis) - 1
                raise InputError(f"{where}: {axis} index {index}, expected 0 to {last}")
        if not 0 <= level <= len(self.levels):
            raise InputError(f"{where}: level {level}, expected 0 to {len(self.levels)}")
        array = self.levels[level - 1] if level else self.array
        keys: dict[str, Any] = {"T": t, "Z": z, "C": slice(None), "Y": rows, "X": columns}
        _check_amount(where, array.shape, self.axes, rows, columns)
        values = np.asarray(array[tuple(keys[axis] for axis in self.axes)])
        left = [axis for axis in self.axes if axis in "CYX"]
        if "C" not in left:
            values, left = values[..., None], [*left, "C"]
        return values.transpose([left.index(axis) for axis in "YXC"])


def _check_amount(
    where: object, shape: tuple[int, ...], axes: str, rows: slice, columns: slice
) -> None:
    height = len(range(*rows.indices(shape[axes.index("Y")])))
    width = len(range(*columns.indices(shape[axes.index("X")])))
    if height * width > MAX_PIXELS:
        raise InputError(
            f"{where}: {width} x {height} pixels at once are more than the "
            f"{MAX_PIXELS // 10**6} megapixels that are read; read a part of it"
        )
