"""Images of one kind, all read alike: the same channels and, where these are no colors, one basis.

Masks of images without strokes follow what was learned on others, so a number must mean the same
in all of them. Pictures are read each by itself, as ever.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from saccade.errors import InputError
from saccade.images.channels import (
    checked_numbers,
    choose_channels,
    image_of_array,
    many_channels,
    read_any,
    read_any_file,
    read_with,
    said,
    told_windows,
)
from saccade.images.components import Basis, fit_basis
from saccade.images.image import Image
from saccade.images.intensities import ReadImage, checked_window, read_array
from saccade.images.opening import open_image
from saccade.images.reader import read_image

_MOST_SAMPLED = 12  # images to which a basis is fitted


@dataclass(frozen=True)
class Reading:
    """How images of a kind are read.

    Attributes:
        channels: which ones, see `choose_channels`; None: all.
        window: black and white as the caller says; None: of the file, or the rule.
        basis: of channels that are no colors; None: they are.

    >>> Reading().read(np.zeros((4, 6), np.uint8)).pixels.shape
    (4, 6, 3)
    """

    channels: tuple[int | str, ...] | None = None
    window: tuple[float, float] | None = None
    basis: Basis | None = None

    def read(self, image: object, *, window: tuple[float, float] | None = None) -> ReadImage:
        """An image of the kind.

        Args:
            image: the path of a file, an array, or an `Image`, of which the first plane is read.
            window: the values that become black and white; None: `window` of the kind.

        Raises:
            InputError: it cannot be read, or has other channels than the others.
        """
        told = window or self.window
        if self.basis is not None:
            return self._with_basis(self.basis, opened(image), told)
        read = _read(image, self.channels, told)
        if read.components is not None:
            raise InputError(
                f"{where_of(image)}: has channels that are no colors, the others were read as "
                "colors"
            )
        return read

    @property
    def each_its_own(self) -> bool:
        """Whether black and white may be others in each image, as the rule finds them."""
        return self.window is None and self.basis is None

    def _with_basis(
        self, basis: Basis, image: Image, window: tuple[float, float] | None
    ) -> ReadImage:
        where = image.source or "image"
        chosen = choose_channels(self.channels, image.channels or [""], where)
        if len(chosen) != len(basis.low):
            raise InputError(f"{where}: has {len(chosen)} channels, the others {len(basis.low)}")
        basis = replace(basis, nodata=image.nodata)
        if window is not None:
            low, high = checked_window(window)
            one = np.ones_like(basis.low)
            basis = replace(basis, low=low * one, span=(high - low) * one)
        planes = image.count("T") * image.count("Z")
        first = (f"the first of {planes} pages",) if planes > 1 else ()
        values = checked_numbers(image.plane()[..., chosen], where)
        return read_with(basis, values, (*image.remarks, *first, *said(len(chosen), basis)))


def reading_of(
    images: Sequence[object],
    *,
    channels: Sequence[int | str] | None = None,
    window: tuple[float, float] | None = None,
) -> Reading:
    """Find out how images of a kind are to be read, from some of them.

    Args:
        images: paths, arrays or `Image`s.
        channels: which ones, as indices from 0 or names; None: all.
        window: the values that become black and white; None: what the files say where all say
            the same, else the rule of `saccade.images.window` for all images together.

    Raises:
        InputError: one cannot be read, has no such channel, or other channels than the others.

    Example:
        >>> stains = np.random.default_rng(0).integers(0, 4096, (40, 60, 5), dtype=np.uint16)
        >>> how = reading_of([stains, stains // 2])
        >>> how.read(stains).components.shape, reading_of([stains[..., :3]]).basis is None
        ((40, 60, 5), True)
    """
    kept = None if channels is None else tuple(channels)
    told = None if window is None else checked_window(window)
    step = max(1, -(-len(images) // _MOST_SAMPLED))
    many = [found for one in images[::step] if (found := _no_colors_or_bad(one, kept)) is not None]
    if not many:
        return Reading(kept, told)
    windows, planes = set(), []
    for image in many:
        where = image.source or "image"
        chosen = choose_channels(kept, image.channels or [""], where)
        planes.append(checked_numbers(image.plane()[..., chosen], where))
        windows.add(tuple(told_windows(image, chosen, told)))
        if planes[-1].shape[2] != planes[0].shape[2]:
            first = planes[0].shape[2]
            raise InputError(f"{where}: has {len(chosen)} channels, the others {first}")
    one = windows.pop() if len(windows) == 1 else ()
    return Reading(kept, told, fit_basis(planes, window=one, nodata=many[0].nodata))


def _read(
    image: Any, channels: Sequence[int | str] | None, window: tuple[float, float] | None
) -> ReadImage:
    if isinstance(image, str | os.PathLike):
        if channels is None:
            return read_image(image, window=window)
        return read_any_file(image, channels=channels, window=window)
    if channels is None and not isinstance(image, Image):
        return read_array(image, window=window)
    return read_any(image, channels=channels, window=window)


def _no_colors_or_bad(image: object, channels: Sequence[int | str] | None) -> Image | None:
    """As `no_colors`; what is wrong with an array is said where it is read, with its number."""
    try:
        return no_colors(image, channels)
    except InputError:
        if isinstance(image, str | os.PathLike):
            raise
        return None


def no_colors(image: Any, channels: Sequence[int | str] | None) -> Image | None:
    """The image whose channels are no colors; None for pictures."""
    if isinstance(image, str | os.PathLike):
        found = many_channels(Path(image))
        if found is None and channels is None:
            return None
        found = found or open_image(image)
    else:
        shape: tuple[int, ...] = () if isinstance(image, Image) else np.shape(image)
        if channels is None and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))):
            return None  # grey, colors, RGBA
        found = opened(image)
    chosen = choose_channels(channels, found.channels or [""], found.source or "image")
    return None if len(chosen) in (1, 3) else found


def opened(image: Any) -> Image:
    """The `Image` of a path, an array or an `Image`."""
    if isinstance(image, Image):
        return image
    if isinstance(image, str | os.PathLike):
        return many_channels(Path(image)) or open_image(image)
    return image_of_array(image)


def where_of(image: object) -> object:
    """What an image is called in messages."""
    if isinstance(image, Image):
        return image.source or "image"
    return image if isinstance(image, str | os.PathLike) else "image"
