"""The planes of one stack, or parts of one, all read alike: one window, one basis of channels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images.channels import (
    checked_numbers,
    choose_channels,
    has_alpha,
    read_with,
    said,
)
from saccade.images.components import Basis, fit_basis
from saccade.images.image import Image
from saccade.images.intensities import Meaning, ReadImage, checked_window, rgb_of_values
from saccade.images.projection import to_rgb
from saccade.images.window import window_of

_MOST_SAMPLED, _FEWEST_SAMPLED = 12, 3  # planes from which windows are taken
_SAMPLED_VALUES = 60_000_000
_LARGE = 30_000_000  # pixels of a plane, of which parts are sampled
_PARTS, _PART = 4, 512  # so many down and across, of so many pixels a side


@dataclass(frozen=True)
class Planes:
    """Reads any plane of a stack as it reads all others.

    Attributes:
        image: the stack, with the window of all its planes.
        channels: indices of those that are used.
        basis: of other channels than grey and colors; None for those.
        window: black and white as the caller says; None: of the image.
        remarks: how planes are read.
        alpha: whether the last channel is transparency, which shows white.
    """

    image: Image
    channels: tuple[int, ...]
    basis: Basis | None = None
    window: tuple[float, float] | None = None
    remarks: tuple[str, ...] = ()
    alpha: bool = False

    @property
    def places(self) -> list[tuple[int, int]]:
        """(t, z) of each plane."""
        return list(np.ndindex(self.image.count("T"), self.image.count("Z")))

    def read(
        self, t: int, z: int, rows: slice = slice(None), columns: slice = slice(None)
    ) -> ReadImage:
        """One plane as 8-bit colors, with components where its channels are no colors.

        Args:
            t: index of the time.
            z: index of the slice.
            rows: which rows to read.
            columns: which columns to read.
        """
        values = self.image.plane(t=t, z=z, rows=rows, columns=columns)
        if self.alpha:
            told = [self.window] if self.window else self.image.window[: len(self.channels)]
            colors = np.ascontiguousarray(values[..., list(self.channels)])
            meaning = Meaning(alpha=values[..., -1], nodata=self.image.nodata, window=told)
            return rgb_of_values(colors, meaning)
        if self.basis is None:
            return to_rgb(self.image, values, channels=self.channels, window=self.window)
        return read_with(self.basis, checked_numbers(values[..., list(self.channels)]))


def read_planes(
    image: Image,
    *,
    channels: Sequence[int | str] | None = None,
    window: tuple[float, float] | None = None,
) -> Planes:
    """Find out how the planes of a stack are to be read; a few of them are looked at.

    Args:
        image: with axis Z or T; one without is a stack of one plane.
        channels: which ones, see `saccade.images.choose_channels`; None: all.
        window: the values that become black and white; None: what the image says, else the rule
            of `saccade.images.window` for all planes together.

    Raises:
        InputError: no such channel, no numbers, or a window that is none.

    >>> dim = np.full((4, 40, 60), 100, np.uint16)
    >>> dim[2, 10:20, 10:20] = 400
    >>> planes = read_planes(Image(dim, "ZYX"))
    >>> int(planes.read(0, 1).pixels.max()), int(planes.read(0, 2).pixels.max())
    (0, 255)
    >>> planes.remarks
    ('values 100 to 400 were stretched to 0..255, in all planes alike',)
    """
    where = image.source or "image"
    chosen = choose_channels(channels, image.channels or [""], where)
    told = None if window is None else checked_window(window)
    alpha = channels is None and len(chosen) in (2, 4) and has_alpha(image)
    chosen = chosen[:-1] if alpha else chosen
    if len(chosen) not in (1, 3):
        windows = (
            [told]
            if told
            else [image.window[i % len(image.window)] for i in chosen if image.window]
        )
        sample = [checked_numbers(plane[..., chosen], where) for plane in _sample(image)]
        basis = fit_basis(sample, window=windows, nodata=image.nodata)
        return Planes(image, tuple(chosen), basis, None, said(len(chosen), basis))
    if told or image.window or image.array.dtype == np.uint8:
        spans = [f"{low:.6g} to {high:.6g}" for low, high in (() if told else image.window)]
        lines = f"values {', '.join(dict.fromkeys(spans))} are black and white, as the file says"
        return Planes(image, tuple(chosen), None, told, (lines,) if spans else (), alpha)
    found, remarks = _windows_of(image, chosen, where)
    return Planes(replace(image, window=found), tuple(chosen), None, None, remarks, alpha)


def with_one_window(
    image: Image, channels: Sequence[int | str] | None = None
) -> tuple[Image, tuple[str, ...]]:
    """A stack or a large image whose parts all have the same black and white, and what was said.

    Args:
        image: which stays as it is where its file says what is white, or it has 8 bits.
        channels: which ones, see `saccade.images.choose_channels`; None: all.

    Raises:
        InputError: no such channel, or no numbers.

    >>> dim = np.full((4, 40, 60), 100, np.uint16)
    >>> dim[2, 10:20, 10:20] = 400
    >>> with_one_window(Image(dim, "ZYX"))[0].window
    ((100.0, 400.0),)
    """
    if image.window or image.array.dtype == np.uint8:
        return image, ()
    where = image.source or "image"
    chosen = choose_channels(channels, image.channels or [""], where)
    if channels is None and len(chosen) in (2, 4) and has_alpha(image):
        chosen = chosen[:-1]
    found, remarks = _windows_of(image, chosen, where)
    return replace(image, window=found), remarks


def _sample(image: Image) -> Iterator[NDArray[Any]]:
    if math.prod(image.size) > _LARGE:
        return _parts(image)
    places = list(np.ndindex(image.count("T"), image.count("Z")))
    values = image.size[0] * image.size[1] * image.count("C")
    most = int(np.clip(_SAMPLED_VALUES // values, _FEWEST_SAMPLED, _MOST_SAMPLED))
    picked = np.unique(np.linspace(0, len(places) - 1, most).round().astype(int))
    return (image.plane(t=places[i][0], z=places[i][1]) for i in picked)


def _parts(image: Image) -> Iterator[NDArray[Any]]:
    """Parts of the first plane and of those in the middle and at the end, evenly spread."""
    places = list(np.ndindex(image.count("T"), image.count("Z")))
    for t, z in dict.fromkeys((places[0], places[len(places) // 2], places[-1])):
        for down, across in np.ndindex(_PARTS, _PARTS):
            first = [
                (2 * at + 1) * side // (2 * _PARTS) - _PART // 2
                for at, side in zip((down, across), image.size, strict=True)
            ]
            rows, columns = (slice(max(0, low), max(0, low) + _PART) for low in first)
            yield image.plane(t=t, z=z, rows=rows, columns=columns)


def _windows_of(
    image: Image, chosen: Sequence[int], where: object
) -> tuple[tuple[tuple[float, float], ...], tuple[str, ...]]:
    """The window of each channel of an image (one for colors), and what was stretched."""
    planes = [checked_numbers(plane[..., list(chosen)], where) for plane in _sample(image)]
    together = np.concatenate([plane.reshape(-1, 1, plane.shape[2]) for plane in planes])
    if together.dtype.kind == "f" and not np.isfinite(together).any():
        raise InputError(f"{where}: has no finite values in its planes, expected some")
    kind, bits = together.dtype.kind, together.dtype.itemsize * 8
    white = image.white or (2**bits - 1 if kind == "u" and bits <= 16 else None)
    groups = [[*range(len(chosen))]] if image.colors else [[k] for k in range(len(chosen))]
    found = [window_of(together[..., group], None, image.nodata, white) for group in groups]
    windows = [(one.low, one.high) if one and one.low < one.high else (0.0, 1.0) for one in found]
    spans = [f"{one.low:.6g} to {one.high:.6g}" for one in found if one and one.stretched]
    places = image.count("T") * image.count("Z")
    where = "in all planes alike" if places > 1 else f"as {len(planes)} parts of it say"
    remarks = (f"values {', '.join(dict.fromkeys(spans))} were stretched to 0..255, {where}",)
    by_channel = dict(zip(chosen, windows * (len(chosen) if image.colors else 1), strict=True))
    every = tuple(by_channel.get(i, (0.0, 1.0)) for i in range(image.count("C")))
    return every, remarks if spans else ()
