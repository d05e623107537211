"""Stacks, whose slices are listed as images of their own: all read alike, with one window."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images import Image, ReadImage, open_image, to_rgb
from saccade.images.planes import Planes, read_planes

_SUFFIXES = frozenset({".tif", ".tiff", ".btf", ".tf8"})
_MOST = 4000
"""Slices of a stack that are listed."""


@dataclass(frozen=True)
class Slice:
    """One of the slices or times of a stack.

    Attributes:
        number: from 1.
        count: of the stack.
        place: (t, z).
    """

    number: int
    count: int
    place: tuple[int, int]


@dataclass
class _Stack:
    """An open file; `planes` is there once one of its slices was read."""

    stamp: tuple[int, int]
    image: Image | None
    planes: Planes | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Stacks:
    """The stacks among the files of a library. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: dict[Path, _Stack] = {}
        self._lock = threading.Lock()

    def slices(self, path: Path) -> list[Slice]:
        """The slices of a file; none where it is no stack, or cannot be read as one."""
        image = self._find(path).image if path.suffix.lower() in _SUFFIXES else None
        if image is None:
            return []
        places = list(np.ndindex(image.count("T"), image.count("Z")))
        return [Slice(i + 1, len(places), (t, z)) for i, (t, z) in enumerate(places)]

    def size(self, path: Path) -> tuple[int, int]:
        """(width, height) of each slice."""
        height, width = self.image(path).size
        return width, height

    def image(self, path: Path) -> Image:
        """The stack.

        Raises:
            InputError: it is none, or no longer.
        """
        found = self._find(path).image
        if found is None:
            raise InputError(f"{path}: is no stack any more, open it again")
        return found

    def read(self, path: Path, one: Slice) -> ReadImage:
        """A slice as the page shows it.

        Raises:
            InputError: the file is damaged there, or has fewer slices now.
        """
        planes, lock = self._planes(path)
        with lock:  # the file is one, and reading moves in it
            return planes.read(*one.place)

    def with_contrast(
        self, path: Path, one: Slice, black: float, white: float
    ) -> NDArray[np.uint8]:
        """A slice with black and white at parts 0 to 1 of the range of its values."""
        planes, lock = self._planes(path)
        with lock:
            values = planes.image.plane(t=one.place[0], z=one.place[1])
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        span = max(high - low, 1e-9)
        window = (low + black * span, low + white * span)
        channels = planes.channels if len(planes.channels) in (1, 3) else planes.channels[:1]
        return to_rgb(planes.image, values, channels=channels, window=window).pixels

    def _planes(self, path: Path) -> tuple[Planes, threading.Lock]:
        found = self._find(path)
        with found.lock:
            if found.planes is None:
                found.planes = read_planes(self.image(path))
            return found.planes, found.lock

    def _find(self, path: Path) -> _Stack:
        try:
            stat = path.stat()
        except OSError:
            return _Stack((0, 0), None)
        stamp = (stat.st_mtime_ns, stat.st_size)
        with self._lock:
            known = self._known.get(path)
            if known is None or known.stamp != stamp:
                known = self._known[path] = _Stack(stamp, _open(path))
            return known


def _open(path: Path) -> Image | None:
    """A stack of a file; None where it holds one image, or what is none of ours to part."""
    try:
        image = open_image(path)
    except InputError:  # what is wrong is said where it is opened
        return None
    return image if 1 < image.count("T") * image.count("Z") <= _MOST else None
