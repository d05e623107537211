"""A large image whose parts are read as they are needed, ready for the stages of one image."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.images import ReadImage
from saccade.images.planes import Planes
from saccade.interactive.objects import Box, ObjectView, alike, look
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.models.features import Statistics

_FINER = 4  # times the size of what is worked on: so much is kept while a part is shrunk
_READ = 8_000_000  # pixels at once
_CLOSER_PIXELS = 4_000_000  # of a box that the object network looks at
_PARTS_KEPT = 16


class Parts:
    """A plane that is indexed with rows and columns, and reads them.

    Args:
        planes: how it is read.
        box: the part that it is; None: all.
        components: whether to give components, not colors.
    """

    def __init__(self, planes: Planes, box: Box | None = None, *, components: bool = False) -> None:
        self._planes, self._components = planes, components
        self._box = box or Box(0, 0, *planes.image.size)
        self.shape = (self._box.bottom - self._box.top, self._box.right - self._box.left, 3)

    def __getitem__(self, key: tuple[slice, slice]) -> NDArray[Any]:
        """Rows and columns of the part."""
        rows, columns = (
            slice(*(first + at for at in span.indices(length)[:2]))
            for span, first, length in zip(key, self._box[:2], self.shape, strict=False)
        )
        read = self._planes.read(0, 0, rows, columns)
        if not self._components:
            return read.pixels
        assert read.components is not None
        return read.components


@dataclass(frozen=True)
class SlideImage(PreparedImage):
    """A prepared image of which an overview is in memory; all else is read.

    Attributes:
        planes: how it is read.
    """

    planes: Planes | None = None

    def part(self, box: Box, max_pixels: int, statistics: Statistics | None) -> PreparedImage:
        """See `PreparedImage.part`; the part's full size is not kept in memory."""
        key = (box, max_pixels)
        if key not in self._parts:
            while len(self._parts) >= _PARTS_KEPT:
                del self._parts[next(iter(self._parts))]
            assert self.planes is not None
            read = shrunk(self.planes, box, max_pixels)
            made = prepare_image(
                read.pixels,
                max_pixels=max_pixels,
                device=self.device,
                bundle=self.bundle,
                statistics=statistics,
                components=read.components,
            )
            self._parts[key] = lazy(made, self.planes, box)
        return self._parts[key]

    def closer_view(self, box: Box) -> ObjectView:
        """See `PreparedImage.closer_view`."""
        net = self.bundle.objects
        assert net is not None
        assert self.planes is not None
        if not self._closer or not alike(self._closer[0].box, box):
            pixels = shrunk(self.planes, box, _CLOSER_PIXELS // _FINER**2).pixels
            seen = look(net, pixels, Box(0, 0, *pixels.shape[:2]), self.device)
            self._closer[:] = [replace(seen, box=box)]
        return self._closer[0]


def lazy(prepared: PreparedImage, planes: Planes, place: Box) -> SlideImage:
    """A prepared image of a small copy as that of a part of a plane.

    Args:
        prepared: of the copy.
        planes: how the plane is read.
        place: the part.
    """
    several = prepared.components is not None
    components = Parts(planes, place, components=True) if several else None
    return SlideImage(
        cast("NDArray[np.uint8]", Parts(planes, place)),
        prepared.working_rgb,
        prepared.inputs,
        prepared.lab,
        prepared.bundle,
        prepared.components,
        cast("NDArray[np.float32] | None", components),
        planes,
    )


def shrunk(planes: Planes, box: Box, max_pixels: int) -> ReadImage:
    """A part, at its size or at some four times the sides of what is worked on.

    Args:
        planes: how it is read.
        box: the part.
        max_pixels: that are worked on.
    """
    factor = max(1, int(math.sqrt(box.area / max_pixels) / _FINER))
    width = box.right - box.left
    rows = max(1, _READ // (factor * width)) * factor
    columns = slice(box.left, box.right)
    spans = [slice(top, min(top + rows, box.bottom)) for top in range(box.top, box.bottom, rows)]
    read = [_reduced(planes.read(0, 0, span, columns), factor) for span in spans]
    pixels = np.concatenate([one.pixels for one in read])
    if read[0].components is None:
        return ReadImage(pixels)
    parts = [one.components for one in read if one.components is not None]
    return ReadImage(pixels, components=np.concatenate(parts))


def _reduced(read: ReadImage, factor: int) -> ReadImage:
    """Means of squares of pixels; at the right and lower end of what there is."""
    if factor == 1:
        return read
    pixels = np.asarray(Image.fromarray(read.pixels).reduce(factor))
    if read.components is None:
        return ReadImage(pixels)
    sums = read.components.astype(np.float64)
    for axis in (0, 1):
        at = np.arange(0, sums.shape[axis], factor)
        counts = np.diff(at, append=sums.shape[axis])
        sums = np.add.reduceat(sums, at, axis) / counts.reshape(
            (-1, 1, 1) if axis == 0 else (-1, 1)
        )
    return ReadImage(pixels, components=sums.astype(np.float32))
